"""Filesystems that only answer, mounted for as long as needed and surely gone afterwards."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

_SERVER = Path(__file__).with_name("noop.py")
_PATIENCE_S = 10


class BenchError(Exception):
    """Something can't be measured: one clear line."""


def noop_mount(mount_point: Path, prefix: Sequence[str] = ()) -> AbstractContextManager[None]:
    """Mount the no-op filesystem of pyfuse3; as `mount` does."""
    return mount([*prefix, sys.executable, str(_SERVER)], mount_point)


@contextmanager
def mount(server_command: Sequence[str], mount_point: Path) -> Iterator[None]:
    """Mount at *mount_point*, an empty directory.

    Args:
        server_command: a server that takes the mount point as its last argument, and says
            ``ready``.
        mount_point: where.

    Raises:
        BenchError: It can't be mounted.
    """
    command = [*server_command, str(mount_point)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        if server.stdout.readline() != "ready\n":
            raise BenchError(f"a filesystem that only answers can't be mounted at {mount_point}")
        yield
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


def _end(server: subprocess.Popen[str], mount_point: Path) -> None:
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
        if server.stdout is not None:
            server.stdout.close()


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
