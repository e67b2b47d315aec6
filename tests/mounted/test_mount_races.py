"""Somebody changes the source past the mount while a program works in the mount.

The test's own process may do that: it never touches the mount.
"""

import contextlib
import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mounted_support import NOBODY, Mount, act, calls, get, outcome, put

SECRET = b"the secret of root"
LOOKS = 80


@contextlib.contextmanager
def again_and_again(change: Callable[[int], None]) -> Iterator[None]:
    """Let a thread call *change* with 0, 1, 2 … as long as this lasts."""
    over = threading.Event()

    def work() -> None:
        number = 0
        while not over.is_set():
            with contextlib.suppress(OSError):
                change(number)
            number += 1

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


def use(name: str) -> set[bytes]:
    """Do everything to a name, again and again; return all that was read."""
    read = set()
    for number in range(LOOKS):
        for flags in (os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREAT, os.O_RDWR | os.O_TRUNC):
            fd = outcome(os.open, name, flags | os.O_NONBLOCK, 0o666)
            if isinstance(fd, str):
                assert fd != "ENOTCONN"
                continue
            with contextlib.suppress(OSError):
                if stat.S_ISREG(os.fstat(fd).st_mode):
                    read.add(os.read(fd, 100))
                    os.write(fd, b"written")
                    os.fchmod(fd, 0o644)
                    os.ftruncate(fd, 3)
            os.close(fd)
        for call, args in (
            (os.truncate, (name, 5)), (os.chmod, (name, 0o666)), (os.utime, (name,)),
            (os.setxattr, (name, "user.a", b"b")), (os.listxattr, (name,)), (os.listdir, (".",)),
            (os.rename, (name, "other")), (os.unlink, ("other",)), (os.rmdir, (name,)),
            (os.mkdir, ("made",)), (os.rmdir, ("made",)), (os.readlink, (name,)),
            (os.link, (name, f"link{number}")), (os.unlink, (f"link{number}",)),
        ):  # fmt: skip
            with contextlib.suppress(OSError):
                call(*args)
    return read


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("user", [None, NOBODY], ids=["root", "nobody"])
def test_a_name_that_becomes_something_else_all_the_time(
    mounted: Mount, tmp_path: Path, user: int | None
) -> None:
    """Nothing outside is reached, and no FIFO or device keeps the server waiting."""
    outside = tmp_path / "outside"
    outside.mkdir()
    outside.chmod(0o755)
    (outside / "secret").write_bytes(SECRET)
    (outside / "secret").chmod(0o600)
    before = (outside / "secret").stat()
    inside = mounted.source / "d"
    inside.mkdir()
    inside.chmod(0o777)
    name = inside / "x"

    def change(number: int) -> None:
        with contextlib.suppress(IsADirectoryError, PermissionError):
            name.unlink(missing_ok=True)
        if name.is_dir():
            name.rmdir()
        kind = number % 6
        if kind == 0:
            name.write_bytes(b"harmless")
        elif kind == 1:
            # As nobody; root itself may follow a link to where it likes.
            name.symlink_to(outside / "secret" if user else "/dev/null")
        elif kind == 2:
            os.mkfifo(name, 0o666)
        elif kind == 3:
            name.mkdir()
        elif kind == 4:
            os.mknod(name, stat.S_IFCHR | 0o666, os.makedev(1, 7))
        else:
            name.symlink_to("/dev/null")

    with again_and_again(change):
        read = act(mounted.mountpoint / "d", use, "x", user=user)
    assert not any(SECRET in data for data in read)
    after = (outside / "secret").stat()
    assert (after.st_mode, after.st_uid, after.st_size, after.st_mtime_ns, after.st_nlink) == (
        before.st_mode, before.st_uid, before.st_size, before.st_mtime_ns, 1,
    )  # fmt: skip
    assert (outside / "secret").read_bytes() == SECRET


def sizes() -> list[int]:
    with os.scandir(".") as entries:
        return [entry.stat().st_size for entry in entries]


def read_x() -> bytes | str:
    return outcome(get, "x")


@pytest.mark.usefixtures("as_root")
def test_a_file_of_root_with_the_name_and_number_of_a_listed_one(mounted: Mount) -> None:
    """The kernel still believes what the listing said of the file that is gone."""
    inside = mounted.source / "d"
    inside.mkdir()
    inside.chmod(0o777)
    again = 0
    for _ in range(10):
        (inside / "x").write_bytes(b"for all")
        (inside / "x").chmod(0o666)
        before = (inside / "x").stat().st_ino
        assert act(mounted.mountpoint / "d", sizes, user=NOBODY) == [7]
        (inside / "x").unlink()
        fd = os.open(inside / "x", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        again += os.fstat(fd).st_ino == before
        os.write(fd, SECRET)
        os.close(fd)
        # What was there before may be read for a second; see the limits of the filesystem.
        assert act(mounted.mountpoint / "d", read_x, user=NOBODY) in {"EACCES", b"for all"}
        (inside / "x").unlink()
    if again == 0:
        pytest.skip("this filesystem gives numbers no second time")


def create_all(count: int) -> list[Any]:
    return [outcome(_create, f"f{number}") for number in range(count)]


def _create(name: str) -> int:
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    owner = os.fstat(fd).st_uid
    os.close(fd)
    return owner


@pytest.mark.usefixtures("as_root")
def test_a_file_that_another_makes_between_look_up_and_create(mounted: Mount) -> None:
    """The program sees what it would see without tracefs: it opens it, or may not."""
    inside = mounted.source / "d"
    inside.mkdir()
    inside.chmod(0o777)
    count = 400

    def change(number: int) -> None:
        fd = os.open(inside / f"f{number % count}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        os.write(fd, SECRET)
        os.close(fd)

    with again_and_again(change):
        seen = act(mounted.mountpoint / "d", create_all, count, user=NOBODY)
    assert set(seen) <= {NOBODY, "EACCES"}
    mounted.end()
    assert not [call for call in calls(mounted.recording, "open") if call.errno == errno.ESTALE]


HOLDER = """
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
sys.stdin.read()
"""


def open_leased() -> bytes:
    with open("leased", "rb") as file:
        return file.read()


def meanwhile() -> bytes:
    put("other", b"more")
    with open("other", "rb") as file:
        return file.read()


@pytest.mark.timeout(50)
def test_a_lease_past_the_mount_stops_its_own_opener_alone(mounted: Mount) -> None:
    (mounted.source / "leased").write_bytes(b"leased")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(mounted.source / "leased")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    waiting = threading.Thread(target=act, args=(mounted.mountpoint, open_leased))
    waiting.start()
    try:
        # The kernel gives up a lease by force after 45 s (lease-break-time), `act` after 30.
        for _ in range(20):
            assert act(mounted.mountpoint, meanwhile) == b"more"
    finally:
        holder.kill()
        holder.communicate()
        waiting.join()
