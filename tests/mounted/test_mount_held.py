"""A request that the source is slow to answer: others go on meanwhile, and nothing is left stuck.

The source holds a request until the test lets it go (``held_source.py``), so nothing here depends
on time: what must go on while it is held would else never come to its end.
"""

import os
import select
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from held_support import Held, mounted_over
from mounted_support import TRACEFS, Guard, Mount, act, calls, get, journal, outcome, put

from tracefs import events
from tracefs.capture import _standby

MANY = 150
"""More than pyfuse3 has tasks (99), and trio has threads (40), unless told."""


@pytest.fixture
def held(tmp_path: Path, guard: Guard) -> Iterator[Held]:
    held = Held(tmp_path, guard)
    yield held
    held.abandon()


@pytest.fixture
def mount(tmp_path: Path, held: Held, guard: Guard) -> Iterator[Mount]:
    mount = mounted_over(tmp_path, held, guard)
    yield mount
    # The source must answer again, or the server could not end.
    held.let_all_go()
    mount.abandon()


# Quick syncs first, so that the server expects the next one to be quick, too.
SYNCS = """
import os
quick = os.open("quick", os.O_RDWR | os.O_CREAT, 0o644)
for page in range(12):
    os.pwrite(quick, b"q" * 4096, page * 4096)
    os.fdatasync(quick)
slow = os.open("fsync-a", os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(slow, b"s" * 4096, 0)
os.fsync(slow)
print("synced")
"""


def work(name: str) -> Any:
    """Do a bit of everything with files of one's own."""
    put(name, b"x" * 9000)
    fd = os.open(name, os.O_RDWR)
    results: list[Any] = [
        os.pwrite(fd, b"y" * 4096, 4096),
        outcome(os.fdatasync, fd),
        outcome(os.fsync, fd),
    ]
    os.ftruncate(fd, 8192)
    os.close(fd)
    results += [get(name)[4095:4097], outcome(os.lstat, f"{name}-none")]
    directory = os.open(".", os.O_RDONLY)
    results.append(outcome(os.fsync, directory))
    os.unlink(name)
    return results


WORKED = [4096, None, None, b"xy", "ENOENT", None]


def syncs_of(mount: Mount, name: str) -> list[events.Fsync]:
    made = {
        event.ino
        for event in journal(mount.recording, events.Create)
        if event.path.partition(".")[0] == name
    }
    return [event for event in journal(mount.recording, events.Fsync) if event.ino in made]


def test_a_slow_sync_after_quick_ones_stalls_nobody(held: Held, mount: Mount) -> None:
    program = held.program(mount.mountpoint, SYNCS)
    held.await_held("fsync-a")
    for name in ("b", "c", "d"):
        assert act(mount.mountpoint, work, name) == WORKED
    assert program.process.poll() is None
    held.let_go("fsync-a")
    assert program.end() == (0, "synced\n")
    mount.end()
    held.end()
    assert [event.errno for event in syncs_of(mount, "fsync-a")] == [0]
    named = [call.call for call in calls(mount.recording, "sync") if call.path == "fsync-a"]
    assert named == ["fsync"]


def sync_beside(name: str) -> Any:
    """Sync a file by the standby until the wait is given up, then another one, in place."""
    fd, other = (os.open(each, os.O_RDWR | os.O_CREAT, 0o644) for each in (name, "b"))
    held = _standby.begin(fd, True, 1)
    # A patience that nobody would have: it ends at once, or the test hangs.
    answers = [_standby.begin(other, True, 1 << 40) for _ in range(3)]
    early = outcome(_standby.end, held)
    os.fsync(other)
    ended, _, _ = select.select([_standby.event(held)], [], [])
    return held <= _standby.RUNNING, answers, early, bool(ended), _standby.end(held)[0]


def test_while_a_sync_is_held_others_are_waited_for_in_place(held: Held, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        done = pool.submit(act, held.source, sync_beside, "fsync-a")
        held.await_all("held fsync-a", "fsync b")
        held.let_go("fsync-a")
        assert done.result() == (True, [0, 0, 0], "EAGAIN", True, 0)


# Each its own file: the kernel locks a file while it is synced (fuse_fsync in fs/fuse/file.c).
MANY_SYNCS = """
import os, sys, threading
def sync(number):
    fd = os.open(f"fsync-a.{number}", os.O_RDWR | os.O_CREAT, 0o644)
    os.pwrite(fd, b"s" * 4096, 0)
    os.fsync(fd)
threads = [threading.Thread(target=sync, args=(number,)) for number in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("synced")
"""


def test_many_slow_syncs_stall_nobody(held: Held, mount: Mount) -> None:
    program = held.program(mount.mountpoint, MANY_SYNCS, str(MANY))
    held.await_held("fsync-a", MANY)
    assert act(mount.mountpoint, work, "b") == WORKED
    held.let_go("fsync-a")
    assert program.end() == (0, "synced\n")
    mount.end()
    held.end()
    assert [event.errno for event in syncs_of(mount, "fsync-a")] == [0] * MANY


def test_callers_killed_in_a_sync_leave_nothing_stuck(held: Held, mount: Mount) -> None:
    program = held.program(mount.mountpoint, MANY_SYNCS, str(MANY))
    held.await_held("fsync-a", MANY)
    program.process.kill()
    assert act(mount.mountpoint, work, "b") == WORKED
    held.let_go("fsync-a")
    assert program.end()[0] == -signal.SIGKILL
    assert act(mount.mountpoint, work, "c") == WORKED
    mount.end()
    held.end()
    # They were done, though nobody waited any more.
    assert [event.errno for event in syncs_of(mount, "fsync-a")] == [0] * MANY


TRUNCATES = {
    "truncate": 'os.truncate("truncate-a", 10)',
    "ftruncate": "os.ftruncate(fd, 10)",
    "O_TRUNC": 'os.close(os.open("truncate-a", os.O_WRONLY | os.O_TRUNC))',
}
TRUNCATING = """
import os
fd = os.open("truncate-a", os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, b"t" * 4096, 0)
{}
print(os.fstat(fd).st_size)
"""


@pytest.mark.parametrize("how", TRUNCATES)
def test_cutting_off_a_large_file_stalls_nobody(how: str, held: Held, mount: Mount) -> None:
    program = held.program(mount.mountpoint, TRUNCATING.format(TRUNCATES[how]))
    held.await_held("truncate-a")
    assert act(mount.mountpoint, work, "b") == WORKED
    held.let_go("truncate-a")
    size = 0 if how == "O_TRUNC" else 10
    assert program.end() == (0, f"{size}\n")
    mount.end()
    held.end()
    cut = [one for one in journal(mount.recording, events.Setattr) if one.path == "truncate-a"]
    assert [(one.size, one.errno) for one in cut] == [(size, 0)]


BLOCKED = {
    "write": """
import os
fd = os.open("write-a", os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, b"w" * 4096, 0)
""",
    "read": """
import os
fd = os.open("read-a", os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, b"r" * 4096, 0)
os.close(fd)
print(os.pread(os.open("read-a", os.O_RDONLY), 4096, 0))
""",
    "open": """
import os
fd = os.open("open-a", os.O_RDWR | os.O_CREAT, 0o644)
os.close(fd)
os.open("open-a", os.O_RDONLY)
""",
}


KINDS: dict[str, type[events.Write | events.Read | events.Open]] = {
    "write": events.Write,
    "read": events.Read,
    "open": events.Open,
}


@pytest.mark.parametrize("operation", BLOCKED)
def test_a_caller_killed_in_another_call_leaves_nothing_stuck(
    operation: str, held: Held, mount: Mount
) -> None:
    program = held.program(mount.mountpoint, BLOCKED[operation])
    held.await_held(f"{operation}-a")
    program.process.kill()
    held.let_go(f"{operation}-a")
    assert program.end()[0] == -signal.SIGKILL
    assert act(mount.mountpoint, work, "b") == WORKED
    mount.end()
    held.end()
    (created,) = (
        event.ino
        for event in journal(mount.recording, events.Create)
        if event.path == f"{operation}-a"
    )
    done = journal(mount.recording, KINDS[operation])
    assert [event.errno for event in done if event.ino == created][-1:] == [0]


INTERRUPTED = """
import os, signal
fd = os.open("fsync-a", os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, b"s" * 4096, 0)
try:
    os.fsync(fd)
    print("synced")  # Python looks at signals once the call has returned
except KeyboardInterrupt:
    print("interrupted")
os.pwrite(fd, b"t" * 4096, 4096)
os.fsync(fd)
"""


def test_ctrl_c_in_a_held_sync_is_heard_after_it(held: Held, mount: Mount) -> None:
    program = held.program(mount.mountpoint, INTERRUPTED)
    held.await_held("fsync-a")
    program.process.send_signal(signal.SIGINT)
    assert act(mount.mountpoint, work, "b") == WORKED
    held.let_go("fsync-a")
    assert program.end() == (0, "interrupted\n")
    mount.end()
    held.end()
    assert [event.errno for event in syncs_of(mount, "fsync-a")] == [0, 0]


def test_ctrl_c_reaches_a_command_whose_sync_is_held(tmp_path: Path, held: Held) -> None:
    recording = tmp_path / "run"
    command = [*TRACEFS, "run", "--dir", str(held.source), "-q", "-o", str(recording), "--"]
    program = held.command([*command, sys.executable, "-S", "-c", INTERRUPTED], held.source)
    held.await_held("fsync-a")
    # As a terminal sends it, to the command and to those who watch it.
    os.killpg(program.process.pid, signal.SIGINT)
    held.let_go("fsync-a")
    assert program.end() == (0, "interrupted\n")
    held.end()
    assert [event.errno for event in journal(recording, events.Fsync)] == [0, 0]
