"""Programs that give way to others with traced files open.

exec closes O_CLOEXEC descriptors, and so sends FLUSH, while it holds the lock that
/proc/<tid>/syscall takes: a server that looked at its caller in FLUSH would never answer.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mounted_support import Pair, Run, calls, get, journal, outcome

from tracefs import events

FORKING = """
import os
for number in range(50):
    if (child := os.fork()) == 0:
        fd = os.open(f"f{number % 5}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        os.pwrite(fd, b"x" * 4096, 4096 * number)
        os.execv("/bin/true", ["true"])
    assert os.waitpid(child, 0)[1] == 0
"""


def test_exec_closes_descriptors_of_traced_files(traced_run: Callable[..., Run]) -> None:
    run = traced_run([sys.executable, "-c", FORKING])
    assert (run.returncode, run.stderr) == (0, "")
    assert len(journal(run.recording, events.Flush)) == 50
    assert [call.call for call in calls(run.recording, "write")] == ["pwrite64"] * 50


def open_while_running(flags: int) -> Any:
    shutil.copy("/bin/sleep", "program")
    with subprocess.Popen(["./program", "20"]) as running:
        result = outcome(os.open, "program", flags)
        running.kill()
    return result, get("program") == get("/bin/sleep"), running.returncode


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_WRONLY | os.O_TRUNC, os.O_RDONLY | os.O_TRUNC])
def test_a_running_program_is_neither_written_nor_emptied(pair: Pair, flags: int) -> None:
    assert pair.same(open_while_running, flags) == ("ETXTBSY", True, -signal.SIGKILL)


REPEATING = """
import os, sys
left = int(sys.argv[1])
fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o644)
os.set_inheritable(fd, False)
os.pwrite(fd, b"x" * 4096, 4096 * left)
os.fdatasync(fd)
if left:
    os.execv(sys.executable, [sys.executable, "-S", sys.argv[2], str(left - 1), sys.argv[2]])
"""


def test_a_program_that_lies_in_the_directory_runs_itself_anew(
    traced_run: Callable[..., Run],
) -> None:
    program = "import sys; open('again.py', 'w').write(sys.argv[1])"
    script = f'{sys.executable} -c "$1" "$2" && {sys.executable} again.py 15 again.py'
    run = traced_run(["sh", "-c", script, "sh", program, REPEATING])
    assert (run.returncode, run.stderr) == (0, "")
    assert [call.call for call in calls(run.recording, "sync")] == ["fdatasync"] * 16


THREADED = """
import os, threading
def write(fd, number):
    while True:
        os.pwrite(fd, b"t" * 4096, 4096 * number)
for _ in range(15):
    if (child := os.fork()) == 0:
        started = threading.Barrier(5)
        for number in range(4):
            fd = os.open("f", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            def work(fd=fd, number=number):
                os.pwrite(fd, b"t" * 4096, 4096 * number)
                started.wait()
                write(fd, number)
            threading.Thread(target=work, daemon=True).start()
        started.wait()
        os.execv("/bin/true", ["true"])
    assert os.waitpid(child, 0)[1] == 0
"""


def test_exec_in_a_program_whose_threads_write(traced_run: Callable[..., Run]) -> None:
    run = traced_run([sys.executable, "-c", THREADED])
    assert (run.returncode, run.stderr) == (0, "")
    assert len(journal(run.recording, events.Flush)) == 60
    assert len(journal(run.recording, events.Write)) >= 60


SPAWNING = """
import os, subprocess
fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o644)
for number in range(30):
    os.pwrite(fd, b"x" * 4096, 4096 * number)
    subprocess.run(["true"], check=True, close_fds=number % 2 == 0)
os.close(fd)
"""


def test_spawning_with_traced_files_open(traced_run: Callable[..., Run]) -> None:
    run = traced_run([sys.executable, "-c", SPAWNING])
    assert (run.returncode, run.stderr) == (0, "")
    assert {call.call for call in calls(run.recording, "write")} == {"pwrite64"}


EXITING = """
import os
for number in range(30):
    if (child := os.fork()) == 0:
        fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o644)
        os.pwrite(fd, b"x" * 4096, 0)
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
print("done")
"""


def test_programs_killed_with_traced_files_open(traced_run: Callable[..., Run]) -> None:
    run = traced_run([sys.executable, "-c", EXITING])
    assert (run.returncode, run.stdout) == (0, "done\n")
    assert len(journal(run.recording, events.Release)) == 30


def test_exec_beside_direct_asynchronous_writes(
    traced_run: Callable[..., Run], tmp_path: Path
) -> None:
    # exec waits for them with the lock held that a look at who wrote takes.
    program = tmp_path / "aio_exec"
    source = Path(__file__).with_name("aio_exec.c")
    subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-o", program, source], check=True)
    for number in range(5):
        shutil.rmtree(tmp_path / "rec", ignore_errors=True)
        run = traced_run([str(program), f"file{number}"])
        assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")
        writes = journal(run.recording, events.Write)
        assert sum(write.result for write in writes) == 2 * 64 * 4096
        synchronous = [write for write in writes if write.seen and write.seen.nr >= 0][:64]
        assert [write.offset for write in synchronous] == [4096 * page for page in range(64)]
