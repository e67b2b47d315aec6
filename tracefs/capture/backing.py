"""What the mount does to the traced directory: plain calls on descriptors, no FUSE.

Every operation goes through a directory descriptor or ``/proc/self/fd``; none walks a path, so
none can meet a mount over the directory itself. All raise OSError with the error of the backing
call; the caller passes it on. Permissions were checked by the kernel (``default_permissions``).
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic_ns
from typing import Final

from msgspec import Struct

from tracefs.capture import freeing
from tracefs.capture.callers import is_member
from tracefs.capture.inodes import TRUSTED_S, InodeTable, Node, key_of
from tracefs.capture.syscalls import making_as
from tracefs.filecalls import RENAME_EXCHANGE, renameat2

_O_PATH_NOFOLLOW: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_ACCESS_LIST: Final = b"system.posix_acl_access"
_SETID: Final = stat.S_ISUID | stat.S_ISGID

# Flags that the kernel has acted on already, or that would change what the descriptor does:
# O_APPEND makes pwrite ignore its offset, O_DIRECT demands aligned buffers.
_STRIPPED: Final = (
    os.O_APPEND | os.O_DIRECT | os.O_CREAT | os.O_EXCL | os.O_NOCTTY | os.O_NOFOLLOW | os.O_ASYNC
)


class Caller(Struct, frozen=True):
    """Whose request it is: effective ids (fsuid, fsgid) as the FUSE header has them."""

    uid: int
    gid: int


class Changes(Struct, frozen=True, kw_only=True):
    """What SETATTR asks for; None: leave. Times in nanoseconds since the epoch."""

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    size: int | None = None
    atime_ns: int | None = None
    mtime_ns: int | None = None


NOTHING: Final = Changes()


class Backing:
    """The traced directory."""

    def __init__(
        self,
        root_fd: int,
        *,
        max_open: int,
        keep_sync_flags: bool,
        makes_for_others: bool = False,
    ) -> None:
        """Take the O_PATH descriptor of the directory.

        With *keep_sync_flags*, O_SYNC and O_DSYNC stay on backing descriptors: in direct_io mode
        the kernel sends no FSYNC for them (fs/fuse/file.c). With *makes_for_others* this process
        can make files in others' names (`tracefs.capture.syscalls.making_as`); else it gives away
        what it has made.
        """
        self.inodes = InodeTable(root_fd, max_open=max_open)
        self.stripped: Final = _STRIPPED if keep_sync_flags else _STRIPPED | os.O_SYNC | os.O_DSYNC
        """open(2) flags that the backing file is not opened with."""
        self._uid = os.geteuid()
        self._gid = os.getegid()
        self._makes_for_others = makes_for_others

    # -- looking

    def lookup(self, parent: Node, name: bytes) -> tuple[Node, os.stat_result]:
        """Return the entry, one reference added."""
        fd = os.open(name, _O_PATH_NOFOLLOW, dir_fd=self.inodes.fd(parent))
        try:
            info = os.stat(fd)
            node = self.inodes.adopt(key_of(info), fd, parent, name)
        except OSError:
            os.close(fd)
            raise
        return node, info

    def getattr(self, node: Node) -> os.stat_result:
        """Return the attributes."""
        return os.stat(self.inodes.fd(node))

    def readlink(self, node: Node) -> bytes:
        """Return what the symbolic link says."""
        # readlink(2): an empty path means the descriptor itself.
        return os.readlink(b"", dir_fd=self.inodes.fd(node))

    def statfs(self) -> os.statvfs_result:
        """Return the state of the filesystem that holds the directory."""
        return os.statvfs(self.inodes.root.fd)

    def listdir(self, fd: int) -> list[os.DirEntry[str]]:
        """Return what is in the open directory, without ``.`` and ``..``."""
        with os.scandir(fd) as entries:
            return list(entries)

    def peek(self, parent: Node, name: bytes) -> os.stat_result:
        """Return the attributes of an entry; no reference is added."""
        return os.stat(name, dir_fd=self.inodes.fd(parent), follow_symlinks=False)

    def child(self, parent: Node, name: bytes) -> Node | None:
        """Return the node of an entry, pinned, if the kernel knows it."""
        try:
            node = self.inodes.known(self.peek(parent, name))
            if node is not None and node.fd < 0:
                self.inodes.pin_as(node, name, self.inodes.fd(parent))
        except OSError:
            return None
        return node

    # -- changing

    def frees_much(self, node: Node, size: int) -> bool:
        """Tell whether it takes long to cut the file off at *size* bytes."""
        return freeing.frees_much(self.inodes.fd(node), size)

    def setattr(
        self,
        node: Node,
        changes: Changes,
        fd: int | None,
        killer: int | None,
        *,
        truncated: bool = False,
    ) -> tuple[os.stat_result, int | None]:
        """Apply *changes*, through the descriptor if there is one.

        *killer* is the thread whose change of size or owner clears set-id bits; None: it keeps
        them. *truncated*: the size is right already. Return the attributes, and what `drop_setid`
        says.
        """
        target: int | str = self.magic(node) if fd is None else fd
        if changes.size is not None and not truncated:
            os.truncate(target, changes.size)
        left = None if killer is None else self.drop_setid(target, killer)
        owner = (
            -1 if changes.uid is None else changes.uid,
            -1 if changes.gid is None else changes.gid,
        )
        if owner != (-1, -1) or changes == NOTHING:
            # Without any change it is chown(path, -1, -1), or what comes before a write by somebody
            # without CAP_FSETID: both clear set-id bits (chown_common, file_remove_privs).
            os.chown(target, *owner)
        if changes.mode is not None:
            os.chmod(target, stat.S_IMODE(changes.mode))
        if changes.atime_ns is not None or changes.mtime_ns is not None:
            self._set_times(target, node, changes)
        return self.getattr(node), left

    def _set_times(self, target: int | str, node: Node, changes: Changes) -> None:
        now = self.getattr(node)
        if changes.atime_ns is not None and changes.mtime_ns is not None:
            foreign = self._uid not in (0, now.st_uid)
            if foreign and changes.atime_ns == changes.mtime_ns:
                # Only UTIME_NOW is allowed to a writer who is no owner (utimensat(2)); the kernel
                # let it pass, and pyfuse3 has turned it into a time.
                os.utime(target)
                return
        os.utime(
            target,
            ns=(
                now.st_atime_ns if changes.atime_ns is None else changes.atime_ns,
                now.st_mtime_ns if changes.mtime_ns is None else changes.mtime_ns,
            ),
        )

    def mknod(
        self, parent: Node, name: bytes, mode: int, rdev: int, caller: Caller
    ) -> tuple[Node, os.stat_result]:
        """Make a file, FIFO, socket or device."""
        return self._make(
            lambda dir_fd: os.mknod(name, mode, rdev, dir_fd=dir_fd), parent, name, mode, caller
        )

    def mkdir(
        self, parent: Node, name: bytes, mode: int, caller: Caller
    ) -> tuple[Node, os.stat_result]:
        """Make a directory."""
        return self._make(
            lambda dir_fd: os.mkdir(name, mode, dir_fd=dir_fd), parent, name, mode, caller
        )

    def symlink(
        self, parent: Node, name: bytes, target: bytes, caller: Caller
    ) -> tuple[Node, os.stat_result]:
        """Make a symbolic link."""
        return self._make(
            lambda dir_fd: os.symlink(target, name, dir_fd=dir_fd), parent, name, 0, caller
        )

    def link(self, node: Node, parent: Node, name: bytes) -> tuple[Node, os.stat_result]:
        """Give *node* one more name."""
        path = self.inodes.path(node)
        os.link(
            self.magic(node),
            name,
            dst_dir_fd=self.inodes.fd(parent),
            follow_symlinks=True,
        )
        made = self.lookup(parent, name)
        if made[1].st_nlink == 2:
            node.before_link = path, monotonic_ns() + TRUSTED_S * 1_000_000_000
        return made

    def unlink(self, parent: Node, name: bytes) -> Node | None:
        """Remove a name; return the node, if the kernel knows it."""
        node = self.child(parent, name)
        os.unlink(name, dir_fd=self.inodes.fd(parent))
        if node is not None:
            node.before_link = None
            self.inodes.detached(node, parent, name)
        return node

    def rmdir(self, parent: Node, name: bytes) -> Node | None:
        """Remove a directory; return the node, if the kernel knows it."""
        node = self.child(parent, name)
        os.rmdir(name, dir_fd=self.inodes.fd(parent))
        if node is not None:
            self.inodes.detached(node, parent, name)
        return node

    def rename(
        self, old_parent: Node, old: bytes, parent: Node, name: bytes, flags: int
    ) -> tuple[Node | None, Node | None]:
        """Rename; return what moved and what it replaced or was exchanged with, if known."""
        moved = self.child(old_parent, old)
        replaced = self.child(parent, name)
        old_fd, new_fd = self.inodes.fd(old_parent), self.inodes.fd(parent)
        if flags:
            renameat2(old_fd, old, new_fd, name, flags)
        else:
            os.rename(old, name, src_dir_fd=old_fd, dst_dir_fd=new_fd)
        if moved is replaced:
            # rename(2): two names of one file, nothing happens.
            return moved, None
        if replaced is not None:
            if flags & RENAME_EXCHANGE:
                self.inodes.moved(replaced, old_parent, old)
            else:
                self.inodes.detached(replaced, parent, name)
        if moved is not None:
            moved.before_link = None
            self.inodes.moved(moved, parent, name)
        return moved, replaced

    # -- opening

    def open(self, node: Node, flags: int) -> int:
        """Return a descriptor with the caller's own access mode; EAGAIN: a lease is in the way.

        Somebody else may hold one on the file past the mount (F_SETLEASE in fcntl(2)), and then an
        open that may wait keeps everybody waiting, for as long as lease-break-time.
        """
        return os.open(self.magic(node), self._kept(flags) | os.O_NONBLOCK)

    def patient_open(self, node: Node, flags: int) -> Callable[[], int]:
        """Return what opens as `open` does, but waits; to be called by another thread."""
        # Descriptors of nodes are closed and used again while the other thread waits.
        pinned = os.dup(self.inodes.fd(node))
        kept = self._kept(flags)

        def wait() -> int:
            try:
                return os.open(f"/proc/self/fd/{pinned}", kept)
            finally:
                os.close(pinned)

        return wait

    def create(
        self, parent: Node, name: bytes, mode: int, flags: int, caller: Caller
    ) -> tuple[int, Node, os.stat_result]:
        """Make and open a file: descriptor, node and attributes.

        ESTALE when somebody else made it after the kernel had looked: the kernel then looks again,
        and decides whether this caller may open it, follow it, or wait for it (do_filp_open in
        fs/namei.c).
        """
        kept = self._kept(flags) | os.O_NOFOLLOW | os.O_CREAT | os.O_EXCL
        try:
            fd, pinned, info = self._open_new(parent, name, mode, kept, caller)
        except FileExistsError:
            if flags & os.O_EXCL:
                raise
            raise OSError(errno.ESTALE, "made by somebody else meanwhile") from None
        return fd, self.inodes.adopt(key_of(info), pinned, parent, name), info

    def tmpfile(
        self, parent: Node, mode: int, flags: int, caller: Caller
    ) -> tuple[int, Node, os.stat_result]:
        """Make and open a file without a name: descriptor, node, attributes."""
        # Only O_EXCL says something more here: no name may be given later (open(2), O_TMPFILE).
        kept = self._kept(flags) | flags & os.O_EXCL | os.O_TMPFILE
        fd, pinned, info = self._open_new(parent, b".", mode, kept, caller)
        return fd, self.inodes.adopt_nameless(key_of(info), pinned, parent), info

    def opendir(self, node: Node) -> int:
        """Return a descriptor to list and to sync the directory with."""
        return os.open(self.magic(node), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def drop_setid(self, target: int | str, tid: int) -> int | None:
        """Clear set-id bits as a change by thread *tid*, without CAP_FSETID, does.

        Return the permission bits that are left; None: there was nothing to do here.

        FUSE_HANDLE_KILLPRIV and its second version leave it to the filesystem; a server that is
        root does not clear them just by writing. The rule is setattr_should_drop_suidgid's
        (fs/attr.c).
        """
        if self._uid != 0:
            return None  # the backing call itself has cleared them
        info = os.stat(target)
        kept = _without_setid(info, tid)
        return _left(target, kept) if stat.S_ISREG(kept) and kept != info.st_mode else None

    def may_change_nothing(self, node: Node, uid: int, tid: int) -> bool:
        """Whether thread *tid* of user *uid* may chown(2) without naming an owner or a group.

        It takes set-id bits away (chown_common in fs/open.c), and that is a change of mode. The
        kernel leaves the check to who takes them away (fuse_setattr in fs/fuse/dir.c).
        """
        info = self.getattr(node)
        if uid in (0, info.st_uid) or stat.S_ISDIR(info.st_mode):
            return True
        return _without_setid(info, tid) == info.st_mode

    # -- extended attributes

    def getxattr(self, node: Node, name: bytes) -> bytes:
        """Return a value; ENODATA when there is none."""
        return os.getxattr(self.magic(node), name)

    def listxattr(self, node: Node) -> list[bytes]:
        """Return the names."""
        return [os.fsencode(name) for name in os.listxattr(self.magic(node))]

    def setxattr(self, node: Node, name: bytes, value: bytes, setter: int | None) -> int | None:
        """Set a value; *setter* is the thread that does, None when it has CAP_FSETID.

        Return the permission bits that are left when the set-group-ID bit went here.
        """
        path = self.magic(node)
        os.setxattr(path, name, value)
        if name == _ACCESS_LIST and setter is not None and self._uid == 0:
            # posix_acl_update_mode (fs/posix_acl.c), which judged the server, not its caller.
            info = os.stat(path)
            if info.st_mode & stat.S_ISGID and not is_member(setter, info.st_gid):
                return _left(path, info.st_mode & ~stat.S_ISGID)
        return None

    def removexattr(self, node: Node, name: bytes) -> None:
        """Remove a value; ENODATA when there is none."""
        os.removexattr(self.magic(node), name)

    # -- helpers

    def magic(self, node: Node) -> str:
        """Return a path that leads to the file, whatever its names are."""
        return f"/proc/self/fd/{self.inodes.fd(node)}"

    def _kept(self, flags: int) -> int:
        return (flags & ~self.stripped) | os.O_CLOEXEC

    @contextmanager
    def _as(self, caller: Caller) -> Iterator[bool]:
        """Let what is made belong to *caller* from the first, if it can; give whether it does."""
        if not self._makes_for_others or caller == Caller(self._uid, self._gid):
            yield False
            return
        with making_as(caller.uid, caller.gid):
            yield True

    def _open_new(
        self, parent: Node, name: bytes, mode: int, flags: int, caller: Caller
    ) -> tuple[int, int, os.stat_result]:
        """Make and open a file of *caller*'s: descriptor, one with O_PATH, and attributes."""
        dir_fd = self.inodes.fd(parent)
        with self._as(caller) as is_theirs:
            fd = os.open(name, flags, mode, dir_fd=dir_fd)
        try:
            if not is_theirs:
                self._give(fd, parent, mode, caller)
            # Not by the name, which may lead elsewhere by now.
            info = os.stat(fd)
            return fd, os.open(f"/proc/self/fd/{fd}", os.O_PATH | os.O_CLOEXEC), info
        except OSError:
            os.close(fd)
            raise

    def _make(
        self,
        call: Callable[[int], None],
        parent: Node,
        name: bytes,
        mode: int,
        caller: Caller,
    ) -> tuple[Node, os.stat_result]:
        """Let *call* make *name* in a directory, whose descriptor it is given, for *caller*."""
        dir_fd = self.inodes.fd(parent)
        with self._as(caller) as is_theirs:
            call(dir_fd)
        return self.lookup(parent, name) if is_theirs else self._given(parent, name, mode, caller)

    def _given(
        self, parent: Node, name: bytes, mode: int, caller: Caller
    ) -> tuple[Node, os.stat_result]:
        """Return what was just made, once it belongs to the caller."""
        node, info = self.lookup(parent, name)
        if (caller.uid, caller.gid) == (self._uid, self._gid):
            return node, info
        if info.st_uid != self._uid:
            # What was made has been replaced: nothing of others is given away.
            return node, info
        self._give(self.magic(node), parent, mode, caller)
        return node, self.getattr(node)

    def _give(self, target: int | str, parent: Node, mode: int, caller: Caller) -> None:
        """Give what was just made to the caller, as if the caller had made it."""
        if caller.uid == self._uid and caller.gid == self._gid:
            return
        info = os.stat(target)
        # A set-group-ID directory passes its own group on (inode_init_owner in fs/inode.c), and
        # so does any directory of a filesystem mounted with grpid.
        setgid = self.getattr(parent).st_mode & stat.S_ISGID
        inherited = setgid or info.st_gid != self._gid
        os.chown(target, caller.uid, -1 if inherited else caller.gid)
        if mode & _SETID and not stat.S_ISLNK(info.st_mode):
            # chown clears these bits (chown(2)).
            os.chmod(target, stat.S_IMODE(info.st_mode))


def _without_setid(info: os.stat_result, tid: int) -> int:
    """Return the mode that is left when thread *tid*, without CAP_FSETID, clears set-id bits."""
    mode = info.st_mode
    if not mode & _SETID:
        return mode
    keeps_group = not mode & stat.S_IXGRP and is_member(tid, info.st_gid)
    return mode & ~(stat.S_ISUID if keeps_group else _SETID)


def _left(target: int | str, mode: int) -> int:
    bits = stat.S_IMODE(mode)
    os.chmod(target, bits)
    return bits


def errno_of(error: OSError) -> int:
    """Return the error number; EIO for an error without one."""
    return error.errno or errno.EIO
