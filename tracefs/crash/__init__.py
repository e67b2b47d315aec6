"""Crash states on a disk, and checkers asked about them.

`materialise` makes the tree that an image describes and `removal` takes it away; `asking` has a
checker look at one, under a limit that `watching` keeps; `batch` does both for several states in a
process of its own, and `pool` sends it batches: to processes of this machine, or to those of a
Dask scheduler. `store` has the bytes that images name, `results` keeps the answers on the disk.
"""
