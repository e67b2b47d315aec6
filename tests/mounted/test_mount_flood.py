"""Threads that write as fast as they can, and all else that the server has to do meanwhile."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mounted_support import PATIENCE_S, Guard, Mount, Run, journal

from tracefs.events import Unlink, Write
from tracefs.journal.reader import JournalReader

pytestmark = pytest.mark.alone

FLOOD = """
import mmap, os, sys, threading
page = mmap.mmap(-1, 4096)
page.write(b"x" * 4096)
over = threading.Event()
begun = threading.Barrier(5)
def flood(number):
    fd = os.open(f"flood{number}", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, page, 0)
    begun.wait()
    try:
        while not over.is_set():
            os.pwrite(fd, page, 0)
    except OSError:
        pass  # the mount is gone
threads = [threading.Thread(target=flood, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
begun.wait()
"""
BESIDE = """
direct = os.open("direct", os.O_RDWR | os.O_CREAT | os.O_DIRECT)
for number in range(30):
    fd = os.open("name", os.O_RDWR | os.O_CREAT)
    os.write(fd, bytes(4 << 20))
    os.close(fd)
    os.truncate("name", 0)            # frees much: in a thread of the server's
    os.unlink("name")
    os.pwrite(direct, page, 0)        # looked at from a thread
over.set()
for thread in threads: thread.join()
print("done")
"""


def test_what_needs_a_task_or_a_thread_is_served_beside_a_flood(
    traced_run: Callable[..., Run],
) -> None:
    run = traced_run([sys.executable, "-c", FLOOD + BESIDE])
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")
    with JournalReader(run.recording) as reader:
        lines = list(reader.events())
    ends = [number for number, event in enumerate(lines) if isinstance(event, Unlink)]
    assert len(ends) == 30
    between = lines[ends[0] : ends[-1]]
    flood = [event for event in between if isinstance(event, Write) and event.size == 4096]
    assert len(flood) > len(ends), "there was no flood"


def test_a_mount_ends_beside_a_flood(tmp_path: Path, guard: Guard) -> None:
    for name in ("src", "mnt"):
        (tmp_path / name).mkdir()
    mount = Mount(tmp_path / "src", tmp_path / "mnt", tmp_path / "rec", guard)
    try:
        with subprocess.Popen(
            [sys.executable, "-c", FLOOD + "print('flooding', flush=True)"],
            cwd=mount.mountpoint,
            stdout=subprocess.PIPE,
            text=True,
        ) as flooding:
            assert flooding.stdout is not None
            assert flooding.stdout.readline() == "flooding\n"
            os.kill(mount.server, signal.SIGTERM)
            assert mount.process.wait(PATIENCE_S) == 3, "files were open"
            assert flooding.wait(PATIENCE_S) == 0
    finally:
        mount.abandon()
    assert journal(mount.recording, Write)
