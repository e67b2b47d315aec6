"""A process of its own in a mount namespace of its own, where the mount covers the directory.

The process that is to become the command makes the namespace and the mount, and hands the FUSE
device to a server that stays outside (mount_namespaces(7), user_namespaces(7)). Nobody else sees
the mount, the server cannot meet it, and it is gone with the last process inside.
"""

import errno
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Final, NoReturn, TypeAlias

from tracefs.capture.mounts import find
from tracefs.capture.syscalls import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MS_NODEV,
    MS_NOSUID,
    keep_mounts_here,
    mount,
    unshare,
)
from tracefs.pathtext import printable

Execute: TypeAlias = Callable[[list[bytes]], NoReturn]
"""Runs a command in place of the process that it is called in."""

_GO: Final = b"g"
_FEW_FILES: Final = 20_000
_NOT_FOUND: Final = 127
_NOT_RUN: Final = 126


class PrivateMount:
    """A forked process that holds the mount and waits for the word to run the command."""

    def __init__(
        self,
        directory: bytes,
        argv: list[bytes],
        arm: Callable[[], None],
        execute: Execute,
    ) -> None:
        """Fork, and mount over *directory* in the child's namespace; *argv* is to run there.

        *arm* is called in the child, last of all before *execute* runs *argv*.

        Raises:
            OSError: this machine doesn't allow it; nothing is left behind.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _hold(theirs, directory, argv, arm, execute)
        theirs.close()
        self._channel = ours
        answer, fds, _, _ = socket.recv_fds(ours, 256, 1)
        if not fds:
            os.waitpid(self.pid, 0)
            ours.close()
            error = int(answer or b"0")
            raise OSError(error, os.strerror(error))
        self.device: int = fds[0]
        os.set_inheritable(self.device, False)
        self.namespace, *number = map(int, answer.split())
        """Inode number of the mount namespace."""
        self.number = (number[0], number[1]) if number else None
        """Major and minor device number of the mount; None: it is not listed."""

    def go(self) -> None:
        """Run the command in the process."""
        self._channel.send(_GO)
        self._channel.close()

    def abandon(self) -> None:
        """End the process without running anything."""
        self._channel.close()
        os.waitpid(self.pid, 0)


def _hold(
    channel: socket.socket,
    directory: bytes,
    argv: list[bytes],
    arm: Callable[[], None],
    execute: Execute,
) -> NoReturn:
    """Be the child: mount, hand over the device, wait, become the command."""
    status = _NOT_RUN
    try:
        try:
            _enter()
            device = _mount_over(directory)
            namespace = os.stat("/proc/self/ns/mnt").st_ino
            mounted = find(directory)
        except OSError as error:
            channel.send(str(error.errno or 0).encode())
            os._exit(0)
        number = () if mounted is None else mounted.device
        socket.send_fds(channel, [b" ".join(b"%d" % one for one in (namespace, *number))], [device])
        os.close(device)
        if channel.recv(1) == _GO:
            become(argv, enter=return_to_cwd, arm=arm, execute=execute)
        status = 0
    finally:
        os._exit(status)


def _enter() -> None:
    """Take a mount namespace; without the privilege, inside a user namespace of the same ids."""
    try:
        unshare(CLONE_NEWNS)
    except PermissionError:
        uid, gid = os.geteuid(), os.getegid()
        unshare(CLONE_NEWUSER | CLONE_NEWNS)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    keep_mounts_here()


def all_ours(directory: bytes) -> bool:
    """Whether every file below *directory* has our user and group, as far as a quick look tells.

    A user namespace of one id can't write to others, whatever their mode allows: their ids have
    no name in it (HAS_UNMAPPED_ID in fs/namei.c). False too when there are too many to look at.
    """
    ours = (os.geteuid(), os.getegid())
    seen = 0
    for path, directories, files in os.walk(directory):
        for name in (b".", *directories, *files):
            try:
                info = os.lstat(os.path.join(path, name))
            except OSError:
                return False
            seen += 1
            if (info.st_uid, info.st_gid) != ours or seen > _FEW_FILES:
                return False
    return True


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _mount_over(directory: bytes) -> int:
    """Mount over *directory*; return the FUSE device."""
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = (
        f"fd={device},rootmode=40000,user_id={os.geteuid()},group_id={os.getegid()},"
        "default_permissions"
    )
    # As root, others are let in: whoever the command becomes, it finds its own directory, and
    # nobody outside sees the mount. A user namespace has but one id.
    flags = 0
    if os.geteuid() == 0:
        options += ",allow_other"
    else:
        flags = MS_NOSUID | MS_NODEV
    mount("tracefs", directory, "fuse.tracefs", flags, options)
    return device


def return_to_cwd() -> None:
    """Walk the path of the working directory again, now through the mount."""
    os.chdir(os.getcwd())


def execute(argv: list[bytes]) -> NoReturn:
    """Run *argv* in place of this process; 127 when it isn't found, 126 when it can't be run."""
    name = os.fsdecode(argv[0])
    refused: OSError | None = None
    for path in _candidates(argv[0]):
        try:
            _execute(path, argv)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            refused = error
    if refused is None:
        _give_up(_NOT_FOUND, f"cannot run {name}: not found")
    _give_up(_NOT_RUN, f"cannot run {name}: {refused.strerror}")


def become(
    argv: list[bytes],
    *,
    enter: Callable[[], None],
    arm: Callable[[], None],
    execute: Execute = execute,
) -> NoReturn:
    """Have *execute* run *argv* in place of this process; 126 when *enter* fails with OSError.

    *arm* comes after *enter* and must not fail.
    """
    # Python ignores these from its start on (signal module); the command must not.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        enter()
    except OSError as error:
        _give_up(_NOT_RUN, f"cannot enter the working directory: {error.strerror}")
    arm()
    execute(argv)


def _candidates(name: bytes) -> list[bytes]:
    """Return where execvp(3) would look for *name*."""
    if b"/" in name:
        return [name]
    return [os.path.join(os.fsencode(directory), name) for directory in os.get_exec_path()]


def _execute(path: bytes, argv: list[bytes]) -> NoReturn:
    try:
        os.execv(path, argv)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        # execvp(3): a file without a recognised header is a shell script.
        os.execv("/bin/sh", [b"sh", path, *argv[1:]])


def _give_up(status: int, why: str) -> NoReturn:
    print(f"tracefs: {printable(why)}", file=sys.stderr, flush=True)
    os._exit(status)
