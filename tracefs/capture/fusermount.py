"""Mounting through fusermount3, the set-user-ID helper of libfuse (fusermount3(1))."""

import os
import re
import shutil
import socket
import subprocess
from typing import Final

from tracefs.capture.mounts import find
from tracefs.errors import MountError, SetupError

# Waits until the server is gone, then unmounts what it served, told by its device number: another
# mount may be there by then. fusermount3's own auto_unmount gives up where it is not root: it
# looks at the mount first, which fails with EACCES (libfuse 3.14).
_WATCH: Final = """
read -r device || exit 0
read -r _
grep -q "^[0-9]* [0-9]* $device " /proc/self/mountinfo && exec "$1" -u -q -z -- "$2"
"""
_MTAB: Final = "/etc/mtab"
_NOT_YOURS: Final = re.compile("no write access to mountpoint|not owned by user")
"""Of directories of others (``check_perm`` in libfuse's util/fusermount.c)."""


class HelperMount:
    """A mount that is taken away when this process ends, however it ends."""

    def __init__(self, mountpoint: bytes, options: list[str]) -> None:
        """Mount at *mountpoint*; MountError with the helper's own words when it can't be done."""
        self._mountpoint = mountpoint
        _require_mtab()
        # Before there is a mount: where it can't be started, nothing is left to clean up.
        self._watch = subprocess.Popen(
            ["sh", "-c", _WATCH, "sh", helper_path(), mountpoint],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            # A signal to the server's group is not meant for what cleans up after it.
            start_new_session=True,
        )
        try:
            self.device: int = _mount(mountpoint, options)
            mount = find(mountpoint)
            self.number = None if mount is None else mount.device
            """Major and minor device number of the mount; None: it was gone at once."""
            assert self._watch.stdin is not None
            self._watch.stdin.write(f"{_spelt(self.number)}\n".encode())
            self._watch.stdin.flush()
        except BaseException:
            self._end_watch()
            raise

    def release(self) -> None:
        """Unmount, if nobody has done so, and let the watch go.

        Where that fails the watch stays: it unmounts once this process is gone.
        """
        mount = find(self._mountpoint)
        if mount is not None and mount.device == self.number:
            try:
                unmount(self._mountpoint, lazy=True)
            except (MountError, OSError):
                return
        self._end_watch()

    def _end_watch(self) -> None:
        self._watch.kill()
        self._watch.communicate()


def _mount(mountpoint: bytes, options: list[str]) -> int:
    """Let the helper mount; return the FUSE device."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        done = subprocess.run(
            [helper_path(), "-o", ",".join(options), "--", mountpoint],
            env={**os.environ, "_FUSE_COMMFD": str(theirs.fileno())},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            check=False,
        )
        theirs.close()
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    if not fds:
        words = "; ".join(done.stderr.decode(errors="replace").split("\n")).strip("; ")
        raise MountError(
            f"cannot mount at {os.fsdecode(mountpoint)}: {words or 'no reason given'}",
            repair=(
                "without root, trace a directory that is yours"
                if _NOT_YOURS.search(words)
                else "tracefs doctor"
            ),
        )
    os.set_inheritable(fds[0], False)
    return fds[0]


def _require_mtab() -> None:
    """Refuse to mount what could not be unmounted.

    For users without privileges fusermount3 looks there for what is theirs to unmount
    (``unmount_fuse`` in libfuse's util/fusermount.c).

    Raises:
        SetupError: there is none.
    """
    if os.geteuid() != 0 and not _lists_mounts(_MTAB):
        raise SetupError(
            f"{_MTAB} is missing or empty: fusermount3 can't unmount without",
            repair=f"as root: ln -sf /proc/self/mounts {_MTAB}",
        )


def _lists_mounts(path: str) -> bool:
    """Return whether the file at *path* lists any mount."""
    try:
        with open(path, "rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


def _spelt(device: tuple[int, int] | None) -> str:
    """Return a device as mountinfo spells it; of none: what no mount has."""
    return "0:-1" if device is None else f"{device[0]}:{device[1]}"


def is_installed() -> bool:
    """Whether there is a helper."""
    return _find() is not None


def helper_path() -> str:
    """Return the helper's path; SetupError when it is not installed."""
    found = _find()
    if found is None:
        raise SetupError(
            "fusermount3 is not installed",
            repair="apt install fuse3 (Fedora: dnf install fuse3, Arch: pacman -S fuse3)",
        )
    return found


def unmount(mountpoint: bytes, *, lazy: bool = False) -> None:
    """Unmount; MountError with the helper's own words when it is still mounted then."""
    done = subprocess.run(
        [helper_path(), "-u", *(["-z"] if lazy else []), "--", mountpoint],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd="/",
    )
    if done.returncode != 0 and find(mountpoint) is not None:
        where = os.fsdecode(mountpoint)
        reason = done.stderr.decode(errors="replace").strip().rpartition(": ")[2]
        raise MountError(
            f"cannot unmount {where}: {reason or 'no reason given'}",
            repair=f"stop what uses it (fuser -vm {where}), or tracefs umount --force {where}",
        )


def _find() -> str | None:
    return shutil.which("fusermount3") or shutil.which("fusermount3", path="/usr/bin:/bin:/sbin")
