"""Contracts as data: a TOML file, read, checked and run over a trace; no code comes from it.

``docs/reference/contract-language.md`` describes the language. `model` is what a file says, the
`reading` parts make it from text, the `engine` parts judge a trace by it.
"""
