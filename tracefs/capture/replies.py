"""Backing results as pyfuse3 structures."""

import os
import stat
from typing import Final

import pyfuse3

from tracefs.capture.backing import Backing
from tracefs.capture.inodes import TRUSTED_S, Node, key_of

_ABSENCE_S: Final = 0.1
"""How long it may trust that there is no such name: from the look-up by which a program creates a
file to its creation. Would it not, then another that looks for the name in between makes it drop
the name, and /proc/PID/fd calls the new file deleted (``fuse_dentry_revalidate`` in fs/fuse/dir.c).
No longer, since where a filesystem ignores case, one name's creation ends another's absence."""
_SETID: Final = stat.S_ISUID | stat.S_ISGID
DOTS: Final = (b".", b"..")
"""What every listing begins with."""


def attributes(node: Node, info: os.stat_result) -> pyfuse3.EntryAttributes:
    """Return the attributes of *node*."""
    entry = pyfuse3.EntryAttributes()
    # pyfuse3 sends st_ino both as the node's id and as what stat(2) shows. The root's id is
    # fixed, but only entries carry it, and the root is never one.
    entry.st_ino = node.shown
    # Of a file with several names the kernel must ask which one is used: an OPEN has none.
    linked = info.st_nlink > 1 and not stat.S_ISDIR(info.st_mode)
    entry.entry_timeout = 0 if linked else TRUSTED_S
    # A write clears set-id bits here, unseen by the kernel, which must ask again.
    entry.attr_timeout = 0 if info.st_mode & _SETID else TRUSTED_S
    entry.st_mode = info.st_mode
    entry.st_nlink = info.st_nlink
    entry.st_uid = info.st_uid
    entry.st_gid = info.st_gid
    entry.st_rdev = info.st_rdev
    entry.st_size = info.st_size
    entry.st_blksize = info.st_blksize
    entry.st_blocks = info.st_blocks
    entry.st_atime_ns = info.st_atime_ns
    entry.st_mtime_ns = info.st_mtime_ns
    entry.st_ctime_ns = info.st_ctime_ns
    return entry


def no_entry() -> pyfuse3.EntryAttributes:
    """Return what says that there is no such name."""
    entry = pyfuse3.EntryAttributes()
    entry.st_ino = 0
    entry.entry_timeout = _ABSENCE_S
    return entry


def dot_entry(token: pyfuse3.ReaddirToken, node: Node, name: bytes, next_id: int) -> bool:
    """Add ``.`` or ``..`` to the listing of *node*; False: no room is left."""
    shown = node if name == b"." or node.parent is None else node.parent
    # The kernel takes no reference for these (fuse_direntplus_link in fs/fuse/readdir.c).
    dots = pyfuse3.EntryAttributes()
    dots.st_ino = shown.shown
    dots.st_mode = stat.S_IFDIR
    return pyfuse3.readdir_reply(token, name, dots, next_id)


def directory_entry(
    token: pyfuse3.ReaddirToken,
    backing: Backing,
    parent: Node,
    entry: os.DirEntry[str],
    next_id: int,
) -> bool:
    """Add one entry to a listing; False: no room is left."""
    name = os.fsencode(entry.name)
    try:
        info = backing.peek(parent, name)
    except FileNotFoundError:
        return True  # gone since the listing began
    except OSError:
        # It is there, but may not be looked at (the directory can be read and not searched), or
        # can't: a listing has its name all the same.
        kind = _kind(entry)
        node = backing.inodes.adopt((parent.key[0], entry.inode(), kind), -1, parent, name)
        shown = _name_alone(node, kind)
    else:
        node = backing.inodes.adopt(key_of(info), -1, parent, name, info.st_ctime_ns)
        shown = attributes(node, info)
    if pyfuse3.readdir_reply(token, name, shown, next_id):
        return True
    backing.inodes.forget(node.ino, 1)
    return False


def _kind(entry: os.DirEntry[str]) -> int:
    try:
        if entry.is_dir(follow_symlinks=False):
            return stat.S_IFDIR
        return stat.S_IFLNK if entry.is_symlink() else stat.S_IFREG
    except OSError:
        return stat.S_IFREG  # the directory doesn't tell, and the file can't be asked


def _name_alone(node: Node, kind: int) -> pyfuse3.EntryAttributes:
    """Return what a directory says of a file in it; the kernel must ask before it uses more."""
    shown = pyfuse3.EntryAttributes()
    shown.st_ino = node.shown
    shown.entry_timeout = shown.attr_timeout = 0
    shown.st_mode = kind
    return shown


def statvfs(info: os.statvfs_result) -> pyfuse3.StatvfsData:
    """Return the state of the filesystem."""
    data = pyfuse3.StatvfsData()
    data.f_bsize = info.f_bsize
    data.f_frsize = info.f_frsize
    data.f_blocks = info.f_blocks
    data.f_bfree = info.f_bfree
    data.f_bavail = info.f_bavail
    data.f_files = info.f_files
    data.f_ffree = info.f_ffree
    data.f_favail = info.f_favail
    data.f_namemax = info.f_namemax
    return data
