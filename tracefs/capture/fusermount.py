"""Mounting through fusermount3, the set-user-ID helper of libfuse (fusermount3(1))."""

import os
import shutil
import socket
import subprocess

from tracefs.errors import MountError, SetupError


class HelperMount:
    """A mount that the helper makes, and takes away when this process ends, however it ends.

    With ``auto_unmount`` the helper stays and waits for its socket to close.
    """

    def __init__(self, mountpoint: bytes, options: list[str]) -> None:
        """Mount at *mountpoint*; MountError with the helper's own words when it can't be done."""
        helper = helper_path()
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [helper, "-o", ",".join(["auto_unmount", *options]), "--", mountpoint],
                env={**os.environ, "_FUSE_COMMFD": str(theirs.fileno())},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd="/",
            )
        assert self._process.stderr is not None
        _, fds, _, _ = socket.recv_fds(self._ours, 1, 1, socket.MSG_CMSG_CLOEXEC)
        if not fds:
            words = self._process.stderr.read().decode(errors="replace").strip()
            self._ours.close()
            self._process.wait()
            raise MountError(
                f"cannot mount at {os.fsdecode(mountpoint)}: {words or 'no reason given'}",
                repair="tracefs doctor",
            )
        self.device: int = fds[0]
        self._process.stderr.close()

    def release(self) -> None:
        """Let the helper go, once the mount has ended."""
        self._ours.close()
        self._process.wait()


def helper_path() -> str:
    """Return the helper's path; SetupError when it is not installed."""
    found = shutil.which("fusermount3") or shutil.which("fusermount3", path="/usr/bin:/bin:/sbin")
    if found is None:
        raise SetupError(
            "fusermount3 is not installed",
            repair="apt install fuse3 (Fedora: dnf install fuse3, Arch: pacman -S fuse3)",
        )
    return found


def unmount(mountpoint: bytes, *, lazy: bool = False) -> None:
    """Unmount; MountError with the helper's own words when it can't be done."""
    done = subprocess.run(
        [helper_path(), "-u", *(["-z"] if lazy else []), "--", mountpoint],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd="/",
    )
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().removeprefix("fusermount3: ")
        raise MountError(words or f"cannot unmount {os.fsdecode(mountpoint)}")
