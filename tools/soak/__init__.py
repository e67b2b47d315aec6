"""Programs that judge the mount: the same on it as on a bare directory, for seconds or hours."""
