"""XFS: metadata is one log, a size follows its data, a rename waits for nothing.

- The log is written in order, and fsync forces it up to the inode's last change
  (``fs/xfs/xfs_file.c``: ``xfs_file_fsync``, ``ili_last_lsn``); fdatasync does so for names as well
  (measured on 6.18). fsync of a directory makes durable what touched that directory (linux-btrfs
  list, October 2025).
- The size on the disk is set when the data's I/O has ended (``xfs_setfilesize``), so it never shows
  what was not written. A write behind the end writes zeros into the rest of the last block
  (``xfs_file_write_checks``), whose I/O ends by itself: the file is as long as that block then
  (measured on 6.18).
- A rename over another file does not wait for the new one's data: it can be empty.
"""

from typing import Final

from tracefs.persistence.promises import Rules

RULES: Final = Rules(
    name="xfs",
    title="metadata is one log, written in order; a size is there only with its data",
    log=True,
    size_needs_data=True,
    tail_sets_size=True,
    sync_forces_log=True,
    data_sync_forces_names=True,
)
