"""One thing done in two directories, the traced and the bare, by a worker process in each.

The process that compares never touches the mount: a hang is then a worker's, which can be killed.
"""
