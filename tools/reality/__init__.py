"""What real filesystems show after a power cut, to hold the rules of `tracefs.persistence` to.

A small filesystem is made in a file and mounted by a loop device; events of a journal are done on
it, syncs too. Cutting the power is copying that file: it has what was sent to the disk, and nothing
of the kernel's cache. The copy is mounted, the filesystem recovers, and its tree is read. A *nudge*
just before the cut makes the kernel write some of its cache back, as it may at any time.

`filesystems` says what is made, `disk` makes, mounts and copies, `nudges` writes back, `work` does
one request in a mount namespace of its own, `asking` starts that and reads what it saw.
"""
