"""Inode flags, as chattr(1) and lsattr(1) know them: the ioctls that may reach the source.

The kernel has asked before whether the caller may (``vfs_fileattr_set`` in fs/file_attr.c), from
Linux 5.13 on; before, a program's ioctl came unchecked, so none is let through. Nothing else is: a
server that is root would do for anybody what only root may.
"""

import fcntl
from typing import Final

_GETFLAGS: Final = 0x80086601
_SETFLAGS: Final = 0x40086602
_FSGETXATTR: Final = 0x801C581F
_FSSETXATTR: Final = 0x401C5820

CHECKED_SINCE: Final = (5, 13)
READS: Final = frozenset({_GETFLAGS, _FSGETXATTR})
WRITES: Final = frozenset({_SETFLAGS, _FSSETXATTR})


def control(fd: int, command: int, data: bytes) -> bytes:
    """Do one of these ioctls; return what it leaves in *data*.

    Raises:
        OSError: ENOTTY where the filesystem has no such flags.
    """
    return fcntl.ioctl(fd, command, data)
