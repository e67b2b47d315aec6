"""Descriptors and processes run out: the program goes on, or is told in one line why not."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fault_support import await_end, is_mounted, tracefs
from mounted_support import PATIENCE_S, TRACEFS, Guard, Run

PIDS = Path("/sys/fs/cgroup/pids")
"""Control groups of version 1; see `limited` for version 2."""

# Opens files until that fails, and closes them one by one.
HOARDER = """
import os
fds = []
try:
    while True:
        fds.append(os.open(f"f{len(fds)}", os.O_RDWR | os.O_CREAT, 0o644))
except OSError as error:
    print(error.strerror)
for fd in fds:
    os.close(fd)
"""


def test_closing_never_fails_for_want_of_a_descriptor(traced_run: Callable[..., Run]) -> None:
    run = traced_run([sys.executable, "-S", "-c", HOARDER], most_files=90)

    assert (run.returncode, run.stdout, run.stderr) == (0, "Too many open files\n", "")


# Syncs where no thread can be started: the stack of one of Python's doesn't fit into the address
# space, and there is no descriptor left by which the standby could say that it has ended.
SYNCER = """
import os, resource, sys, threading
import trio
from tracefs.capture import _standby
from tracefs.capture.inodes import Node
from tracefs.capture.loop import Loop
from tracefs.capture.syncer import Syncer

async def main(loop, fd):
    size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + (4 << 20),) * 2)
    try:
        threading.Thread(target=int).start()
    except RuntimeError:
        print("no thread")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    if _standby.begin(fd, False, 0) == _standby.NONE:
        print("no standby")
    print(await Syncer(loop).sync(Node(2, (1, 2, 0)), fd, datasync=False))

threading.stack_size(64 << 20)
loop = Loop()
trio.run(main, loop, os.open(sys.argv[1], os.O_RDWR | os.O_CREAT), instruments=[loop])
"""


def test_a_sync_for_which_there_is_no_thread_is_made_all_the_same(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SYNCER, str(tmp_path / "f")],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip

    assert (done.stdout, done.stderr) == ("no thread\nno standby\n0\n", "")


@contextmanager
def limited(most: int) -> Iterator[Path]:
    """Yield a control group in which there may be *most* processes at once."""
    base = PIDS if PIDS.is_dir() else Path("/sys/fs/cgroup")
    group = base / f"tracefs-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / "pids.max").write_text(str(most))
        yield group
    finally:
        while left := (group / "cgroup.procs").read_text().split():
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    await_end(os.pidfd_open(int(pid)))
        group.rmdir()


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("kind", ["run", "mount"])
@pytest.mark.parametrize("most", range(1, 7))
def test_too_few_processes(tmp_path: Path, guard: Guard, kind: str, most: int) -> None:
    """At whichever it stops: one line and its repair, and nothing is left mounted."""
    source, mountpoint = tmp_path / "src", tmp_path / "mnt"
    for directory in (source, mountpoint):
        directory.mkdir()
        guard.watch(directory)
    output = ["-o", str(tmp_path / "rec")]
    if kind == "mount":
        command = ["mount", "--background", *output, str(source), str(mountpoint)]
    else:
        command = ["run", "-q", "--dir", str(source), *output, "--", "true"]
    with limited(most) as group:
        done = subprocess.run(
            ["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh", *TRACEFS, *command],
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        if not done.returncode and kind == "mount":
            assert tracefs("umount", mountpoint).returncode == 0

    said = done.stderr.splitlines()
    assert said or not done.returncode
    assert all(line.startswith(("tracefs: ", "  repair: ")) for line in said)
    assert done.returncode in (0, 125 if kind == "run" else 3)
    if done.returncode:
        assert "Resource temporarily unavailable" in said[0]
    assert not is_mounted(mountpoint)
    assert not is_mounted(source)
