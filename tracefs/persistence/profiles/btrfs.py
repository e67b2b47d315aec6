"""Btrfs: a tree that is committed as a whole, and a log beside it of what was synced.

- Between commits fsync and fdatasync of a file save the file with its own names, old and new, and
  the new directories above it, nothing else (``fs/btrfs/tree-log.c``; kernel commit 8d875f95da43;
  RocksDB issue 8903). What is not synced goes with a commit, which has everything up to a moment.
- fsync of a directory saves the names in it. A rename from another directory is two changes then:
  synced by its new directory alone, the file has both names (measured on 6.18).
- A size is there only with its data (ordered extents). A rename over another file starts to write
  the new one, best effort: it was seen empty (measured on 6.18).
- A file that was made shorter has its whole inode logged, size too, when the directory of another
  name that it got is synced: longer again, it reads as zeros (measured on 6.18;
  ``BTRFS_INODE_NEEDS_FULL_SYNC``, ``fs/btrfs/inode.h``).
"""

from typing import Final

from tracefs.persistence.promises import Rules

RULES: Final = Rules(
    name="btrfs",
    title="a sync saves the file with its own names, or a directory with the names in it, "
    "ahead of all that came before",
    log=True,
    size_needs_data=True,
    named_anew_shows_size=True,
    rename_is_one=False,
    data_sync_forces_names=True,
    sync_forces_own_names=True,
)
