"""The server is killed while programs write: what they were told, the journal has."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import watchdog
from mounted_support import PATIENCE_S, Guard, Mount, Run, journal

from tracefs import events
from tracefs.journal.reader import JournalReader

# Reports each write that has succeeded in one write of its own: file, page.
WRITER = """
import os, sys
name = sys.argv[1]
fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
page = 0
try:
    while True:
        os.pwrite(fd, b"%08d" % page * 512, page * 4096)
        os.write(1, f"{name} {page}\\n".encode())
        page += 1
except OSError as error:
    os.write(1, f"{name} error {error.errno}\\n".encode())
"""


def test_the_journal_holds_what_programs_were_told(tmp_path: Path, guard: Guard) -> None:
    for name in ("src", "mnt"):
        (tmp_path / name).mkdir()
    mount = Mount(tmp_path / "src", tmp_path / "mnt", tmp_path / "rec", guard)
    reading, writing = os.pipe()
    writers = [
        subprocess.Popen(
            [sys.executable, "-S", "-c", WRITER, name], cwd=mount.mountpoint, stdout=writing
        )
        for name in ("a", "b", "c")
    ]
    os.close(writing)
    with open(reading, "rb") as reports:
        lines = [reports.readline() for _ in range(3000)]
        os.kill(mount.server, signal.SIGKILL)
        lines += reports.readlines()
    for writer in writers:
        assert writer.wait(PATIENCE_S) == 0
    said = [line.split() for line in lines]
    assert sum(words[1] == b"error" for words in said) == 3
    told = {(words[0].decode(), int(words[1])) for words in said if words[1] != b"error"}
    assert len(told) >= 2997

    names = {event.ino: event.path for event in journal(mount.recording, events.Create)}
    written = {
        (names[event.ino], event.offset // 4096)
        for event in journal(mount.recording, events.Write)
        if event.errno == 0 and event.result == event.size == 4096
    }
    assert told <= written
    assert len(written - told) <= 3  # done, and not yet told
    for name, page in told:
        with open(mount.source / name, "rb") as file:
            assert os.pread(file.fileno(), 4096, page * 4096) == b"%08d" % page * 512

    _, words = mount.process.communicate(timeout=PATIENCE_S)
    assert (mount.process.returncode, words) == (
        3,
        "Ctrl-C ends it.\ntracefs: the server ended unexpectedly (signal 9)\n",
    )
    await_unmounted(mount.mountpoint)
    with JournalReader(mount.recording) as reader:
        assert sum(1 for _ in reader.events()) > len(told)
        assert not reader.ending.complete


def await_unmounted(mountpoint: Path) -> None:
    """Return once nothing is mounted there; mountinfo tells of changes by poll(2) (proc(5))."""
    with open("/proc/self/mountinfo", "rb") as mounts:
        poller = select.poll()
        poller.register(mounts, select.POLLPRI)
        while watchdog.connections(str(mountpoint)):
            assert poller.poll(PATIENCE_S * 1000), "left mounted"


# Kills its own server, which its parent has started, half-way.
KILLER = """
import os, signal
def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]
def is_server(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        words = file.read().split(bytes(1))
        return b"tracefs.capture.server" in words
(server,) = filter(is_server, children(os.getppid()))
fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o644)
for page in range(200):
    if page == 100:
        os.kill(server, signal.SIGKILL)
    try:
        os.pwrite(fd, b"x" * 4096, page * 4096)
    except OSError as error:
        print("error", page, error.errno)
        break
    print("told", page)
"""


def test_a_run_whose_server_is_killed_ends_and_says_so(
    traced_run: Callable[..., Run], tmp_path: Path
) -> None:
    run = traced_run([sys.executable, "-c", KILLER])
    assert "the server ended unexpectedly (signal 9)" in run.stderr
    *told, last = run.stdout.splitlines()
    assert last.split()[0] == "error"
    written = {event.offset // 4096 for event in journal(run.recording, events.Write)}
    assert {int(line.split()[1]) for line in told} <= written
    assert run.returncode != 0
    assert not watchdog.connections(str(tmp_path / "src"))
    assert os.listdir(tmp_path / "src") == ["f"]
