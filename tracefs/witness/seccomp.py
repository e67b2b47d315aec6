"""seccomp user notification (seccomp_unotify(2)): the few calls that it needs.

A process that installs a filter hands its listener to a supervisor. A call that the filter marks
then stops at its entry, before it holds any lock, until the supervisor lets it go on.
"""

import ctypes
import errno
import fcntl
import os
import struct
from mmap import mmap
from typing import Final, NamedTuple

_libc: Final = ctypes.CDLL(None, use_errno=True)

_SECCOMP: Final = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER: Final = 1
_SPEC_ALLOW: Final = 1 << 2
_NEW_LISTENER: Final = 1 << 3
_WAIT_KILLABLE_RECV: Final = 1 << 5
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_GET_NO_NEW_PRIVS: Final = 39

_RECV: Final = 0xC0502100
_SEND: Final = 0xC0182101
_ID_VALID: Final = 0x40082102
_SET_FLAGS: Final = 0x40082104
_SYNC_WAKE_UP: Final = 1
_CONTINUE: Final = 1

# struct seccomp_notif: id, pid, flags, then struct seccomp_data; struct seccomp_notif_resp.
_NOTIF: Final = struct.Struct("=QIIiIQ6Q")
_RESPONSE: Final = struct.Struct("=QqiI")
_NUMBER: Final = struct.Struct("=Q")
SIZE: Final = _NOTIF.size
_ZEROS: Final = bytes(SIZE)
SLOTS: Final = 16
_STRIDE: Final = 128
_LONG: Final = 1536
"""Bytes; sixteen places 128 bytes apart of this length fit on a page of 4096."""

NOT_KILLABLE: Final = (
    "this kernel (before 5.19) doesn't let a stopped call wait killably: a signal can repeat one"
)
NO_SYNC_WAKE_UP: Final = (
    "this kernel (before 6.6) wakes the witness on any processor: a notice costs several times more"
)


class Stopped(NamedTuple):
    """A call that has stopped at its entry."""

    id: int
    """Names the notification; 0 is a valid one."""
    tid: int
    """Thread id in the supervisor's pid namespace; 0: not visible there."""
    nr: int
    architecture: int
    """AUDIT_ARCH_* of linux/audit.h."""
    pc: int
    """Address behind the system call instruction."""
    args: tuple[int, ...]


class _Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def forbid_new_privileges() -> None:
    """Make setuid programs run as the caller, for good (PR_SET_NO_NEW_PRIVS in prctl(2)).

    Raises:
        OSError: the kernel doesn't know it.
    """
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise _error()


def has_no_new_privileges() -> bool:
    """Return whether setuid programs run as the caller here."""
    return bool(_libc.prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)


def install(machine: str, code: bytes) -> tuple[int, tuple[str, ...]]:
    """Put a filter on this thread and all that it starts; return the listener and what is degraded.

    Without CAP_SYS_ADMIN it has to give up new privileges first: no_new_privs.

    Raises:
        OSError: EBUSY: a listener is there already; ENOSYS, EINVAL: the kernel can't.
    """
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.addressof(buffer))
    wanted = _NEW_LISTENER | _SPEC_ALLOW
    try:
        return _set_filter(machine, wanted | _WAIT_KILLABLE_RECV, program), ()
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return _set_filter(machine, wanted, program), (NOT_KILLABLE,)


def wake_in_place(listener: int) -> bool:
    """Have the supervisor woken on the caller's processor; return whether the kernel can do it."""
    done = _libc.ioctl(listener, ctypes.c_ulong(_SET_FLAGS), ctypes.c_ulong(_SYNC_WAKE_UP))
    return bool(done == 0)


def slots(page: mmap) -> list[memoryview]:
    """Return places on *page* to receive calls into, one for each call that is at hand.

    Each is over 1 KiB long, and they overlap: the kernel fills the first `SIZE` bytes alone, and
    fcntl.ioctl passes a buffer of that length on as it is. So another process that shares the page
    knows each call from the moment on that this one has it.
    """
    whole = memoryview(page)
    return [whole[_STRIDE * slot : _STRIDE * slot + _LONG] for slot in range(SLOTS)]


def receive(listener: int, slot: memoryview) -> Stopped:
    """Wait for a call, into a place from `slots`.

    Raises:
        OSError: ENOENT: it is gone already, or nobody is left who could call.
    """
    slot[:SIZE] = _ZEROS
    fcntl.ioctl(listener, _RECV, slot)
    return last_received(slot)


def last_received(slot: memoryview) -> Stopped:
    """Return what was received there last."""
    number, tid, _, nr, architecture, pc, *args = _NOTIF.unpack_from(slot)
    return Stopped(number, tid, nr, architecture, pc, tuple(args))


def let_go(listener: int, number: int) -> bool:
    """Let a stopped call go on; False: its caller was killed, and the call never is made."""
    return _respond(listener, _RESPONSE.pack(number, 0, 0, _CONTINUE))


def refuse(listener: int, number: int, error: int) -> bool:
    """Let a stopped call fail with errno *error* instead; False: as in `let_go`."""
    return _respond(listener, _RESPONSE.pack(number, 0, -error, 0))


def still_waits(listener: int, number: int) -> bool:
    """Return whether a call that was received has not been answered, and its caller lives."""
    try:
        _ask(listener, _ID_VALID, _NUMBER.pack(number))
    except FileNotFoundError:
        return False
    return True


def _respond(listener: int, response: bytes) -> bool:
    try:
        _ask(listener, _SEND, response)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EINPROGRESS):
            raise
        return error.errno != errno.ENOENT
    return True


def _ask(listener: int, request: int, argument: bytes) -> None:
    """Make an ioctl that a signal may keep from being begun, which fcntl.ioctl doesn't repeat."""
    while True:
        try:
            fcntl.ioctl(listener, request, argument)
        except InterruptedError:
            continue
        return


def _set_filter(machine: str, flags: int, program: _Program) -> int:
    number = _SECCOMP.get(machine)
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    arguments = (number, _SET_MODE_FILTER, flags, ctypes.byref(program))
    listener: int = _libc.syscall(*arguments)
    if listener < 0 and ctypes.get_errno() == errno.EACCES:
        forbid_new_privileges()
        listener = _libc.syscall(*arguments)
    if listener < 0:
        raise _error()
    return listener


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
