"""Programs that the soak suites don't use as stores, or use otherwise."""
