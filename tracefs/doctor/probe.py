"""Tries what only trying can tell; run as ``python -m tracefs.doctor.probe``, prints JSON.

A process of its own, because unshare(CLONE_NEWUSER) is refused to a process with threads, because
each attempt changes the process that makes it, and because a broken extension may crash it. Each
attempt is made in a forked child, in namespaces that end with it: nobody else ever sees a mount.
"""

import contextlib
import ctypes
import errno
import importlib
import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from tracefs.doctor.attempts import Attempt, Module, Probed

# <linux/sched.h>, <linux/mount.h>; numbers of <asm/unistd.h> that all architectures share
_CLONE_NEWNS: Final = 0x00020000
_CLONE_NEWUSER: Final = 0x10000000
_MS_NOSUID: Final = 2
_MS_NODEV: Final = 4
_MS_REC: Final = 0x4000
_MS_PRIVATE: Final = 1 << 18
_NR_FSOPEN: Final = 430
_NR_FSCONFIG: Final = 431
_NR_FSMOUNT: Final = 432
_FSCONFIG_SET_STRING: Final = 1
_FSCONFIG_CMD_CREATE: Final = 6

_DEVICE: Final = "/dev/fuse"
_MODULES: Final = (
    "msgspec",
    "trio",
    "pyfuse3",
    "tracefs.capture._request",
    "tracefs.capture._standby",
)

_READY: Final = b"ready"

_libc: Final = ctypes.CDLL(None, use_errno=True)


class _FailedError(Exception):
    """A step failed with an error number."""


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    """Name the step that an OSError inside belongs to."""
    try:
        yield
    except OSError as error:
        raise _FailedError(name, error.errno or errno.EIO) from error


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _syscall(*arguments: int | bytes | None) -> int:
    """Make a system call that the C library has no wrapper for."""
    words = [ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) for a in arguments]
    return _checked(_libc.syscall(*words))


def _mount(
    source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None
) -> None:
    _checked(_libc.mount(source, target, kind, ctypes.c_ulong(flags), data))


def attempt(act: Callable[[], str]) -> Attempt:
    """Run *act*, which returns the name of its last step, in a child; return how far it came."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        _run_in_child(act, into)
    os.close(into)
    with os.fdopen(out, "rb") as answer:
        raw = answer.read()
    os.waitpid(child, 0)
    if not raw:
        return Attempt("the probe itself", errno.EIO)
    return msgspec.json.decode(raw, type=Attempt)


def _run_in_child(act: Callable[[], str], into: int) -> None:
    """Answer and exit; nothing may reach the code above, which belongs to the parent."""
    try:
        try:
            result = Attempt(act())
        except _FailedError as failed:
            result = Attempt(*failed.args)
        os.write(into, msgspec.json.encode(result))
    finally:
        os._exit(0)


def _enter_user_namespace() -> None:
    """Enter a new user namespace under the same ids (user_namespaces(7))."""
    uid, gid = os.geteuid(), os.getegid()
    maps = {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
    with _step("unshare(CLONE_NEWUSER)"):
        _checked(_libc.unshare(_CLONE_NEWUSER))
    # An AppArmor or SELinux policy may allow the namespace and refuse everything in it.
    with _step("write uid_map"):
        for name, content in maps.items():
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(content)


def _open_device() -> str:
    with _step(f"open {_DEVICE}"):
        os.close(os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC))
    return f"open {_DEVICE}"


def _fuse_device() -> tuple[int, dict[str, str]]:
    """Return an open device and the options of a mount with it.

    To be called where the mount is made: the kernel wants device and mount to be of one user
    namespace (fs/fuse/inode.c). mount(2) doesn't wait for a server's answer to FUSE_INIT.
    """
    with _step(f"open {_DEVICE}"):
        device = os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC)
    user, group = str(os.geteuid()), str(os.getegid())
    return device, {"fd": str(device), "rootmode": "40000", "user_id": user, "group_id": group}


def _mount_private(directory: str) -> str:
    """Mount in a new mount namespace, as ``tracefs run`` does."""
    with _step("unshare(CLONE_NEWNS)"):
        _checked(_libc.unshare(_CLONE_NEWNS))
    with _step("make mounts private"):
        _mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    device, options = _fuse_device()
    text = ",".join(f"{name}={value}" for name, value in options.items()).encode()
    with _step("mount"):
        _mount(b"tracefs-doctor", os.fsencode(directory), b"fuse", _MS_NOSUID | _MS_NODEV, text)
    os.close(device)
    return "mount"


def _mount_unattached() -> str:
    """Make a mount in this namespace, and attach it nowhere (fsmount(2), Linux 5.2)."""
    with _step("fsopen"):
        context = _syscall(_NR_FSOPEN, b"fuse", 0)
    device, options = _fuse_device()
    with _step("fsconfig"):
        for name, value in options.items():
            key_value = (name.encode(), value.encode())
            _syscall(_NR_FSCONFIG, context, _FSCONFIG_SET_STRING, *key_value, 0)
        _syscall(_NR_FSCONFIG, context, _FSCONFIG_CMD_CREATE, None, None, 0)
    with _step("fsmount"):
        os.close(_syscall(_NR_FSMOUNT, context, 0, 0))
    os.close(device)
    return "fsmount"


def _mount_in_user_namespace(directory: str) -> str:
    _enter_user_namespace()
    return _mount_private(directory)


def _look(prepare: Callable[[], None]) -> str:
    """Read a sibling's system call: as the server, which is no ancestor of the traced program.

    *prepare* is run by the sibling first.
    """
    blocked, release = os.pipe()
    ready, is_ready = os.pipe()
    sibling = os.fork()
    if sibling == 0:
        os.close(release)
        _run_in_child(lambda: _wait_to_be_looked_at(prepare, is_ready, blocked), is_ready)
    os.close(is_ready)
    try:
        prepared = os.read(ready, 4096)
        if prepared != _READY:
            failed = msgspec.json.decode(prepared, type=Attempt)
            raise _FailedError(failed.step, failed.errno)
        looked = attempt(lambda: _read_syscall(sibling))
    finally:
        os.close(release)
        os.waitpid(sibling, 0)
    if not looked.worked:
        raise _FailedError(looked.step, looked.errno)
    return looked.step


def _wait_to_be_looked_at(prepare: Callable[[], None], ready: int, blocked: int) -> str:
    prepare()
    os.write(ready, _READY)
    os.read(blocked, 1)
    return "wait"


def _read_syscall(pid: int) -> str:
    with _step("read /proc/PID/syscall"), open(f"/proc/{pid}/syscall", "rb") as file:
        file.read()
    return "read /proc/PID/syscall"


def _module(name: str) -> Module:
    try:
        version: str | None = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = None
    try:
        importlib.import_module(name)
    except Exception as error:  # noqa: BLE001  # an extension may raise anything while it loads
        return Module(name, version, f"{type(error).__name__}: {error}".splitlines()[0])
    return Module(name, version)


def _loaded_libfuse() -> str | None:
    """Return the version of the libfuse3 in this process, the one pyfuse3 was linked against."""
    with open("/proc/self/maps", "rb") as maps:
        paths = {
            line.split(maxsplit=5)[-1].rstrip(b"\n") for line in maps if b"/libfuse3.so" in line
        }
    for path in paths:
        library = ctypes.CDLL(os.fsdecode(path))
        library.fuse_pkgversion.restype = ctypes.c_char_p
        version: bytes = library.fuse_pkgversion()
        return version.decode("ascii", "replace")
    return None


def probe() -> Probed:
    """Try everything; the calling process must have no threads."""
    with tempfile.TemporaryDirectory(prefix="tracefs-doctor-") as directory:
        mount = attempt(lambda: _mount_private(directory))
        mount_userns = attempt(lambda: _mount_in_user_namespace(directory))
    return Probed(
        open_device=attempt(_open_device),
        mount=mount,
        mount_userns=mount_userns,
        mount_seen=attempt(_mount_unattached),
        look=attempt(lambda: _look(lambda: None)),
        look_userns=attempt(lambda: _look(_enter_user_namespace)),
        # Last: what they load may start threads.
        modules=tuple(_module(name) for name in _MODULES),
        libfuse=_loaded_libfuse(),
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(probe()))
