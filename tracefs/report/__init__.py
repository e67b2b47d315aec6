"""Reports: what people and tools read. One reporter, one file; none of them judges."""
