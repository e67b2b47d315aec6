"""The mount: pyfuse3, the backing directory, and the processes around them."""
