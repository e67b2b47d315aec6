"""Many threads with many files each, under a low limit of descriptors."""

import subprocess
import sys
from pathlib import Path

import pytest
from mounted_support import PATIENCE_S, TRACEFS, Guard, journal

from tracefs.events import Notice
from tracefs.syscalls import numbers

LSEEK = numbers("x86_64")["lseek"]
THREADS, FILES, LIMIT = 30, 8, 256
PROGRAM = f"""
import os, resource, threading
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], flush=True)
shared = [os.open("f", os.O_RDWR | os.O_CREAT) for _ in range({FILES})]
together = threading.Barrier({THREADS})
def seek():
    for fd in shared:
        os.lseek(fd, 512, os.SEEK_SET)
    together.wait()
threads = [threading.Thread(target=seek) for _ in range({THREADS})]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize("kind", ["-S -n", "-n"], ids=["soft", "hard"])
def test_no_call_is_unknown_for_want_of_descriptors(
    tmp_path: Path, guard: Guard, kind: str
) -> None:
    directory = tmp_path / "src"
    directory.mkdir()
    guard.watch(directory)
    limited = ["sh", "-c", f'ulimit {kind} {LIMIT}; exec "$@"', "sh"]
    done = subprocess.run(
        [*limited, *TRACEFS, "run", "-q", "--witness=seccomp", "-o", tmp_path / "rec", "--",
         sys.executable, "-SP", "-c", PROGRAM],
        cwd=directory, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{LIMIT}\n", "the command's own limit is as it was"
    seeks = [notice for notice in journal(tmp_path / "rec", Notice) if notice.seen.nr == LSEEK]
    assert [notice.seen.missing for notice in seeks if notice.seen.missing] == []
    assert len(seeks) == THREADS * FILES
