"""Databases on a traced directory: commit numbered rows, get killed, and have them all.

`rows` says what a row contains. `client` commits rows and acknowledges each, or reads them back;
the `*_store` modules say how each database does that. `kill` runs a client until it has
acknowledged enough, and kills it or the server of the mount. `syncs` compares strace's log of the
client with the recording. `rounds` puts them together for the suites.
"""
