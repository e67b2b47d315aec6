"""System calls that Python does not offer, for recording alone; others: `tracefs.filecalls`."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tracefs.filecalls import require_success

_libc: Final = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUSER: Final = 0x10000000
MS_NOSUID: Final = 1 << 1
MS_NODEV: Final = 1 << 2
MS_REC: Final = 1 << 14
MS_SLAVE: Final = 1 << 19
PR_SET_CHILD_SUBREAPER: Final = 36
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_SECUREBITS: Final = 28
_PR_GET_SECUREBITS: Final = 27
_SECBIT_NO_SETUID_FIXUP: Final = 1 << 2
_AT_EMPTY_PATH: Final = 0x1000
_STATX_BTIME: Final = 0x800
# struct statx (linux/stat.h): stx_mask first, stx_btime at byte 80.
_STATX_SIZE: Final = 256
_BTIME: Final = struct.Struct("=qI")


def kernel_version() -> tuple[int, ...]:
    """Return the kernel's version, as far as it is a number (uname(2)): (6, 1)."""
    parts = os.uname().release.split("-")[0].split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())


def unshare(flags: int) -> None:
    """Leave shared namespaces (unshare(2))."""
    require_success(_libc.unshare(flags))


def mount(source: str, target: bytes, kind: str, flags: int, data: str) -> None:
    """Mount a filesystem (mount(2))."""
    require_success(
        _libc.mount(source.encode(), target, kind.encode(), ctypes.c_ulong(flags), data.encode()),
        target,
    )


def keep_mounts_here() -> None:
    """Stop mounts of this namespace from reaching others; theirs still reach it.

    Were it cut off (MS_PRIVATE), it would hold on to mounts that end elsewhere
    (mount_namespaces(7)).
    """
    require_success(_libc.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_SLAVE), None), b"/")


def become_subreaper() -> None:
    """Adopt orphaned descendants (PR_SET_CHILD_SUBREAPER in prctl(2))."""
    require_success(_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def end_with_parent(signal: int) -> None:
    """Get *signal* when the thread that made this process ends (prctl(2): PR_SET_PDEATHSIG)."""
    require_success(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal)))


def birth_time_ns(fd: int) -> int | None:
    """Return when the file was made, in nanoseconds; None: not known (stx_btime in statx(2))."""
    buffer = ctypes.create_string_buffer(_STATX_SIZE)
    if _libc.statx(fd, b"", _AT_EMPTY_PATH, _STATX_BTIME, buffer) != 0:
        return None
    (mask,) = struct.unpack_from("=I", buffer)
    if not mask & _STATX_BTIME:
        return None
    seconds, nanoseconds = _BTIME.unpack_from(buffer, 80)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


def keep_capabilities() -> bool:
    """Let root keep its capabilities whatever its ids become; return whether that is allowed.

    SECBIT_NO_SETUID_FIXUP (capabilities(7)), of this thread and those that it starts.
    """
    bits = _libc.prctl(_PR_GET_SECUREBITS, 0, 0, 0, 0)
    if bits < 0:
        return False
    wanted = ctypes.c_ulong(bits | _SECBIT_NO_SETUID_FIXUP)
    return bool(_libc.prctl(_PR_SET_SECUREBITS, wanted, 0, 0, 0) == 0)


@contextmanager
def making_as(uid: int, gid: int) -> Iterator[None]:
    """Let what this thread makes belong to *uid* and *gid* (setfsuid(2)).

    After `keep_capabilities`, since the directory may be closed to them alone.

    Raises:
        OSError: this user namespace has no such ids.
    """
    own_uid, own_gid = os.geteuid(), os.getegid()
    try:
        _libc.setfsgid(ctypes.c_uint(gid))
        _libc.setfsuid(ctypes.c_uint(uid))
        # They return what was set before, whether they could set it or not; -1 sets nothing.
        now = _libc.setfsuid(ctypes.c_uint(-1)), _libc.setfsgid(ctypes.c_uint(-1))
        if (now[0] & 0xFFFFFFFF, now[1] & 0xFFFFFFFF) != (uid, gid):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        yield
    finally:
        _libc.setfsuid(ctypes.c_uint(own_uid))
        _libc.setfsgid(ctypes.c_uint(own_gid))
