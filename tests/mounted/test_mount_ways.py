"""The quicker ways and the plain ones: what a program sees, and what is recorded, is the same."""

from collections.abc import Callable

import pytest
from mounted_support import Run, journal

from tracefs.events import Flush, Fsync, Release, Write

PROGRAM = """
import os, threading
def work(number):
    fd = os.open(f"pages{number}", os.O_RDWR | os.O_CREAT)
    for page in range(50):
        os.pwrite(fd, bytes([number + 1]) * 4096, page * 4096)
        if page % 10 == 0:
            os.fdatasync(fd)
    os.close(fd)
threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
"""Four threads, each 50 pages, 5 syncs and a close."""


@pytest.mark.parametrize("plain", ["", "loop", "shortcut", "loop,shortcut"])
def test_a_program_runs_and_is_recorded_all_ways(
    plain: str, traced_run: Callable[..., Run]
) -> None:
    run = traced_run(["python3", "-c", PROGRAM], env={"TRACEFS_PLAIN": plain})
    assert run.returncode == 0, run.stderr
    counts = {kind: len(journal(run.recording, kind)) for kind in (Write, Fsync, Flush)}
    assert counts == {Write: 200, Fsync: 20, Flush: 4}
    # Nobody waits for a RELEASE: those that still queue when the mount ends with the program are
    # never sent (fuse_abort_conn in fs/fuse/dev.c).
    assert len(journal(run.recording, Release)) <= 4
