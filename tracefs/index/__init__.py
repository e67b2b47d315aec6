"""A columnar copy of a recording's calls beside its journal, so that a filter need not read it all.

`table` has the columns and turns calls into rows and back, `card` says which journal a copy is of
and whether it may be used, `build` makes one, `where` turns a selection into SQL and `look` reads
what is selected. DuckDB is an extra: `engine` imports it when an index is made or read.
"""
