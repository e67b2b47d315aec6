"""Measures tracefs beside the bare directory, strace, and filesystems that do less or log, too.

`workloads` says what is done, `plan` in which order. `targets` and `peers` put up where, by
`mount`; `programs` starts what does it, and `program` speaks with it while `counters` are read.
`sample` and `spread` say what came out, `compare` what that is beside the others; `markdown`,
`table` and `report` show it, `page` puts it into the documentation. `startup` and `checking`
measure commands, `writers` the page writers. `measure` puts them together.
"""
