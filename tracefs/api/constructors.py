"""Calls as a test writes them down, one function for each; arguments as in ``man 2``.

Paths are relative to the traced directory. What isn't told is `ANY`, with two exceptions: the call
succeeded, unless ``errno`` is told, and a write wrote all it was to, unless ``result`` is.

>>> pwrite("a.db", 4096, at=0) == pwrite("a.db", 4096, at=ANY)
True
>>> fdatasync("a.db") == fdatasync("a.db", errno="EIO")
False
"""

from collections.abc import Iterable
from typing import Final, Protocol, cast

from tracefs.api.anything import ANY
from tracefs.api.call import UNKNOWN, WHOLE, Call

_OPENS: Final = frozenset({"openat", "openat2", "creat"})
_RENAMES: Final = frozenset({"renameat", "renameat2"})

Flags = str | Iterable[str]
"""``"O_RDWR|O_CREAT"``, or the names by themselves; their order doesn't matter."""


def call(
    name: str,
    path: str | None = ANY,
    *,
    family: str = ANY,
    at: int | None = ANY,
    length: int | None = ANY,
    flags: Flags = ANY,
    to: str | None = ANY,
    errno: str | None = None,
) -> Call:
    """Return a call that has no constructor of its own here, as ``call("fchmod", "a.db")``."""
    return Call(
        name,
        path,
        family=family,
        offset=at,
        length=length,
        flags=_flags(flags),
        target=to,
        errno=errno,
    )


def unknown(
    path: str | None = ANY,
    *,
    family: str = ANY,
    at: int | None = ANY,
    length: int | None = ANY,
    reason: str | None = ANY,
    errno: str | None = ANY,
) -> Call:
    """Return a call that nobody could name; no other constructor's equals such a one."""
    return Call(UNKNOWN, path, family=family, offset=at, length=length, reason=reason, errno=errno)


def pwrite(
    path: str,
    length: int,
    *,
    at: int,
    result: int | None = WHOLE,
    synced_by: str | None = ANY,
    errno: str | None = None,
) -> Call:
    """``pwrite64`` of *length* bytes at offset *at*."""
    return _write("pwrite64", path, length, at, result, synced_by, errno)


def write(
    path: str,
    length: int,
    *,
    at: int | None = ANY,
    result: int | None = WHOLE,
    synced_by: str | None = ANY,
    errno: str | None = None,
) -> Call:
    """``write`` of *length* bytes; *at*: the file position that they went to."""
    return _write("write", path, length, at, result, synced_by, errno)


def pwritev2(
    path: str,
    length: int,
    *,
    at: int,
    result: int | None = WHOLE,
    flags: Flags = ANY,
    synced_by: str | None = ANY,
    errno: str | None = None,
) -> Call:
    """``pwritev2`` of *length* bytes in all at offset *at*, with RWF_* *flags*."""
    return _write("pwritev2", path, length, at, result, synced_by, errno, flags)


class _Writes(Protocol):
    def __call__(
        self,
        path: str,
        length: int,
        *,
        at: int | None = ANY,
        result: int | None = WHOLE,
        synced_by: str | None = ANY,
        errno: str | None = None,
    ) -> Call: ...


class _WritesAt(Protocol):
    def __call__(
        self,
        path: str,
        length: int,
        *,
        at: int,
        result: int | None = WHOLE,
        synced_by: str | None = ANY,
        errno: str | None = None,
    ) -> Call: ...


def _like_write(name: str) -> _Writes:
    def made(
        path: str,
        length: int,
        *,
        at: int | None = ANY,
        result: int | None = WHOLE,
        synced_by: str | None = ANY,
        errno: str | None = None,
    ) -> Call:
        return _write(name, path, length, at, result, synced_by, errno)

    return made


def _like_pwrite(name: str) -> _WritesAt:
    def made(
        path: str,
        length: int,
        *,
        at: int,
        result: int | None = WHOLE,
        synced_by: str | None = ANY,
        errno: str | None = None,
    ) -> Call:
        return _write(name, path, length, at, result, synced_by, errno)

    return made


writev: Final = _like_write("writev")
"""``writev`` of so many bytes in all."""
pwritev: Final = _like_pwrite("pwritev")
"""``pwritev`` of so many bytes in all."""
sendfile: Final = _like_write("sendfile")
"""``sendfile`` to a file."""
splice: Final = _like_write("splice")
"""``splice`` to a file."""
store: Final = _like_write("mmap")
"""Pages that stores through a shared mapping made dirty, as the kernel wrote them back."""


def copy_file_range(
    path: str,
    length: int,
    *,
    at: int | None = ANY,
    to: str | None = ANY,
    result: int | None = WHOLE,
    errno: str | None = None,
) -> Call:
    """``copy_file_range`` to *path*; *to* is where ``tracefs show`` has the file copied from."""
    return Call(
        "copy_file_range",
        path,
        family="write",
        offset=at,
        length=length,
        target=to,
        result=_result(result, errno),
        errno=errno,
    )


def fsync(path: str, *, errno: str | None = None) -> Call:
    """``fsync`` of a file."""
    return Call("fsync", path, family="sync", errno=errno)


def fdatasync(path: str, *, errno: str | None = None) -> Call:
    """``fdatasync`` of a file."""
    return Call("fdatasync", path, family="sync", errno=errno)


def msync(path: str, *, errno: str | None = None) -> Call:
    """``msync`` of a shared mapping of a file, with MS_SYNC."""
    return Call("msync", path, family="sync", errno=errno)


def fsyncdir(path: str = ".", *, datasync: bool = ANY, errno: str | None = None) -> Call:
    """``fsync`` of a directory, or ``fdatasync``, which is *datasync*."""
    return Call(
        "fsync",
        path,
        family="syncdir",
        also=frozenset({"fdatasync"}),
        datasync=datasync,
        errno=errno,
    )


def sync(*, errno: str | None = None) -> Call:
    """``sync`` of all filesystems."""
    return Call("sync", family="syncfs", errno=errno)


def syncfs(path: str = ANY, *, errno: str | None = None) -> Call:
    """``syncfs`` through a descriptor of *path*."""
    return Call("syncfs", path, family="syncfs", errno=errno)


def sync_file_range(
    path: str, length: int, *, at: int = ANY, flags: Flags = ANY, errno: str | None = None
) -> Call:
    """``sync_file_range``, which promises nothing."""
    return Call(
        "sync_file_range",
        path,
        family="range",
        length=length,
        offset=at,
        flags=_flags(flags),
        errno=errno,
    )


def open_(path: str, flags: Flags = ANY, *, created: bool = ANY, errno: str | None = None) -> Call:
    """Return what open(3) makes: ``openat``, or another system call that opens."""
    return _open("open", path, flags, created, errno, _OPENS)


def openat(path: str, flags: Flags = ANY, *, created: bool = ANY, errno: str | None = None) -> Call:
    """``openat``."""
    return _open("openat", path, flags, created, errno)


def openat2(
    path: str, flags: Flags = ANY, *, created: bool = ANY, errno: str | None = None
) -> Call:
    """``openat2``."""
    return _open("openat2", path, flags, created, errno)


def creat(path: str, flags: Flags = ANY, *, created: bool = ANY, errno: str | None = None) -> Call:
    """``creat``."""
    return _open("creat", path, flags, created, errno)


def close(path: str, *, errno: str | None = None) -> Call:
    """``close`` of one descriptor."""
    return Call("close", path, family="close", errno=errno)


def truncate(path: str, length: int, *, errno: str | None = None) -> Call:
    """``truncate`` by name."""
    return Call("truncate", path, family="truncate", length=length, errno=errno)


def ftruncate(path: str, length: int, *, errno: str | None = None) -> Call:
    """``ftruncate``."""
    return Call("ftruncate", path, family="truncate", length=length, errno=errno)


def fallocate(
    path: str, length: int, *, at: int = ANY, flags: Flags = ANY, errno: str | None = None
) -> Call:
    """``fallocate`` of *length* bytes from *at* on, with FALLOC_FL_* *flags*."""
    return Call(
        "fallocate",
        path,
        family="allocate",
        length=length,
        offset=at,
        flags=_flags(flags),
        errno=errno,
    )


def rename(old: str, new: str, *, flags: Flags = (), errno: str | None = None) -> Call:
    """``rename``, ``renameat``, or ``renameat2`` with these *flags*."""
    return _rename("rename", old, new, flags, errno, _RENAMES)


def renameat(old: str, new: str, *, flags: Flags = (), errno: str | None = None) -> Call:
    """``renameat``."""
    return _rename("renameat", old, new, flags, errno)


def renameat2(old: str, new: str, *, flags: Flags = ANY, errno: str | None = None) -> Call:
    """``renameat2`` with RENAME_* *flags*."""
    return _rename("renameat2", old, new, flags, errno)


def link(existing: str, new: str, *, errno: str | None = None) -> Call:
    """``link`` or ``linkat``."""
    return _name("link", new, existing, errno, "linkat")


def linkat(existing: str, new: str, *, errno: str | None = None) -> Call:
    """``linkat``."""
    return _name("linkat", new, existing, errno, family="link")


def symlink(contents: str, new: str, *, errno: str | None = None) -> Call:
    """``symlink`` or ``symlinkat``."""
    return _name("symlink", new, contents, errno, "symlinkat")


def symlinkat(contents: str, new: str, *, errno: str | None = None) -> Call:
    """``symlinkat``."""
    return _name("symlinkat", new, contents, errno, family="symlink")


def unlink(path: str, *, errno: str | None = None) -> Call:
    """``unlink`` or ``unlinkat``."""
    return _name("unlink", path, ANY, errno, "unlinkat")


def unlinkat(path: str, *, errno: str | None = None) -> Call:
    """``unlinkat`` of a file."""
    return _name("unlinkat", path, ANY, errno, family="unlink")


def mkdir(path: str, *, errno: str | None = None) -> Call:
    """``mkdir`` or ``mkdirat``."""
    return _name("mkdir", path, ANY, errno, "mkdirat")


def mkdirat(path: str, *, errno: str | None = None) -> Call:
    """``mkdirat``."""
    return _name("mkdirat", path, ANY, errno, family="mkdir")


def rmdir(path: str, *, errno: str | None = None) -> Call:
    """``rmdir``, or ``unlinkat`` of a directory."""
    return _name("rmdir", path, ANY, errno, "unlinkat")


def lseek(
    path: str,
    offset: int,
    whence: Flags = "SEEK_SET",
    *,
    result: int | None = ANY,
    errno: str | None = None,
) -> Call:
    """``lseek``, as the seccomp witness alone sees it."""
    return Call(
        "lseek",
        path,
        family="seek",
        offset=offset,
        flags=_flags(whence),
        result=result,
        errno=errno,
    )


def mmap(path: str, length: int, *, at: int = ANY, errno: str | None = None) -> Call:
    """``mmap``, shared and writable, as the seccomp witness alone sees it."""
    return Call("mmap", path, family="map", length=length, offset=at, errno=errno)


def _write(
    name: str,
    path: str,
    length: int,
    at: int | None,
    result: int | None,
    synced_by: str | None,
    errno: str | None,
    flags: Flags = ANY,
) -> Call:
    return Call(
        name,
        path,
        family="write",
        offset=at,
        length=length,
        result=_result(result, errno),
        flags=_flags(flags),
        synced_by=synced_by,
        errno=errno,
    )


def _result(result: int | None, errno: str | None) -> int | None:
    """Return what a write returned: where it may have failed, that is nobody's business."""
    return ANY if result is WHOLE and errno is not None else result


def _open(
    name: str,
    path: str,
    flags: Flags,
    created: bool,
    errno: str | None,
    also: frozenset[str] = frozenset(),
) -> Call:
    return Call(
        name,
        path,
        family="open",
        flags=_flags(flags),
        created=created,
        errno=errno,
        also=also,
    )


def _rename(
    name: str,
    old: str,
    new: str,
    flags: Flags,
    errno: str | None,
    also: frozenset[str] = frozenset(),
) -> Call:
    return Call(name, old, family="rename", target=new, flags=_flags(flags), errno=errno, also=also)


def _name(
    name: str,
    path: str,
    target: str,
    errno: str | None,
    also: str | None = None,
    family: str | None = None,
) -> Call:
    return Call(
        name,
        path,
        family=family or name,
        target=target,
        errno=errno,
        also=frozenset() if also is None else frozenset({also}),
    )


def _flags(flags: Flags) -> tuple[str, ...]:
    if flags is ANY:
        return cast("tuple[str, ...]", ANY)
    names = flags.split("|") if isinstance(flags, str) else flags
    return tuple(name for name in names if name)
