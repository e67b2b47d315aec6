"""ext4 as it is mounted by default (data=ordered), on kernels since 5.6.

- Metadata is one journal, committed as a whole: a state has a beginning of it
  (``Documentation/filesystems/ext4/journal.rst``).
- fsync commits up to the inode's last change, fdatasync up to the last one of its size or blocks
  (``fs/ext4/fsync.c``: ``i_sync_tid``, ``i_datasync_tid``); of a directory, everything
  (``ext4_force_commit``).
- Blocks are allocated when a page is written back, and the size of a grown file is logged then: it
  is no part of the order of the calls (delayed allocation).
- New blocks are unwritten extents until their data is there (``dioread_nolock``, the default since
  5.6), so that a new size does not wait for its data: it reads as zeros. Measured on 6.18, see
  ``docs/explanation/real-filesystems.md``. With ``nodioread_nolock`` it would wait.
- A rename over another file has its blocks allocated first (``auto_da_alloc``,
  ``ext4_alloc_da_blocks`` in ``fs/ext4/namei.c``): it never shows an empty file, and nobody waits
  for the data.
"""

from typing import Final

from tracefs.persistence.promises import Rules

RULES: Final = Rules(
    name="ext4-ordered",
    title="metadata is one log, written in order; data and new sizes come when they please",
    log=True,
    replacing_needs_size=True,
    sync_forces_log=True,
    directory_sync_forces_all=True,
)
