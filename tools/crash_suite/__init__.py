"""Programs whose way with power failures is known: `tracefs crash` has to find it.

`cases` lists them, with what must be found; `programs` has what is traced, `bolt` and `redb` the
same in Go and in Rust; `checks` has checkers that are no ready ones. `building` builds, `runner`
records and explores, `judging` holds the answer to the expectation, and `tables` puts it into a
page.
"""
