"""Filesystems mounted for as long as needed, and surely gone afterwards."""

import os
import re
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

_PATIENCE_S = 10


class BenchError(Exception):
    """Something can't be measured: one clear line."""


@contextmanager
def mount(command: Sequence[str], mount_point: Path) -> Iterator[int]:
    """Run a server until the end of the context; yield its process id when it has mounted.

    Args:
        command: the server; it stays in the foreground.
        mount_point: where it mounts, a directory.

    Raises:
        BenchError: It doesn't mount.
    """
    with TemporaryFile() as said:
        try:
            server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
            )
        except OSError as error:
            raise BenchError(f"{command[0]}: {error.strerror}") from error
        try:
            if not _mounted(server, mount_point):
                raise BenchError(f"{mount_point} can't be mounted: {_words(command, said)}")
            yield server.pid
        finally:
            _end(server, mount_point)


def connection(mount_point: Path) -> Path | None:
    """Return the control folder of what is mounted at *mount_point*; None: nothing is.

    Read from mountinfo and not by stat(2), which would ask a server that may not answer.
    """
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            fields = line.split()
            if _plain(fields[4]) == str(mount_point):
                return Path("/sys/fs/fuse/connections", fields[2].partition(":")[2])
    return None


def _plain(field: str) -> str:
    """Return a mountinfo path without its octal escapes (proc_pid_mountinfo(5))."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)


def _mounted(server: subprocess.Popen[bytes], mount_point: Path) -> bool:
    """Wait until *server* has mounted; False: it has ended, or has not mounted in time."""
    deadline = time.monotonic() + _PATIENCE_S
    exited = os.pidfd_open(server.pid)
    try:
        with open("/proc/self/mountinfo", "rb") as mounts:
            changes = select.poll()
            # The kernel reports a change of the mounts as an error (proc_pid_mounts(5)).
            changes.register(mounts, select.POLLERR | select.POLLPRI)
            changes.register(exited, select.POLLIN)
            while connection(mount_point) is None:
                left_ms = (deadline - time.monotonic()) * 1000
                if left_ms <= 0 or server.poll() is not None:
                    return False
                changes.poll(left_ms)
    finally:
        os.close(exited)
    return True


def _words(command: Sequence[str], said: IO[bytes]) -> str:
    said.seek(0)
    last = said.read().decode(errors="replace").strip().splitlines()[-1:]
    return last[0] if last else f"{' '.join(command)} says nothing"


def _end(server: subprocess.Popen[bytes], mount_point: Path) -> None:
    """Unmount and wait; end the connection of a server that can't be ended so."""
    try:
        if not _unmount(mount_point):
            _abort(mount_point)
            server.kill()
        server.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        _abort(mount_point)
        server.kill()
        server.wait()
    finally:
        _unmount(mount_point, lazy=True)


def _abort(mount_point: Path) -> None:
    """Let every held request fail; without fusectl mounted, killing the server has to do."""
    control = connection(mount_point)
    if control is not None:
        with suppress(OSError):
            (control / "abort").write_text("1")


def _unmount(mount_point: Path, *, lazy: bool = False) -> bool:
    """Return whether nothing is mounted there any more; umount(8) refuses while it is in use."""
    if connection(mount_point) is None:
        return True
    umount = ["umount"] if os.geteuid() == 0 else ["fusermount3", "-u"]
    # The two programs have different letters for the same.
    option = ["-l" if os.geteuid() == 0 else "-z"] if lazy else []
    done = subprocess.run(
        [*umount, *option, str(mount_point)],
        capture_output=True,
        check=False,
        timeout=_PATIENCE_S,
    )
    return done.returncode == 0
