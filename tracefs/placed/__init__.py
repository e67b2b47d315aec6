"""TOML files that people write: values that know where they stand, for errors to point at."""
