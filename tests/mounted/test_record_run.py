"""``run()``: a command's calls, and a caller that notices nothing of how that is done."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fault_support import ending, is_mounted
from mounted_support import Guard, act

from tracefs import run
from tracefs.api import Trace
from tracefs.errors import MountError, RecordingError

SEEKS = (
    "import os; f = os.open('a', os.O_RDWR | os.O_CREAT); os.lseek(f, 4096, 0); os.write(f, b'x')"
)


@pytest.fixture
def base(tmp_path: Path, guard: Guard) -> Path:
    """The directory "one" in it is to be traced."""
    (tmp_path / "one").mkdir()
    guard.watch(tmp_path / "one")
    return tmp_path


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def _seek(base: Path) -> tuple[list[str], list[str], tuple[str, ...]]:
    done = run(python(SEEKS), "one", keep="kept", page_size=512)
    assert (done.returncode, done.stdout, done.stderr, done.failed) == (0, None, None, None)
    assert done.recording == base / "kept"
    within = [repr(call) for call in done.trace.calls("a", only=("seek", "write"))]
    plain = run(python(SEEKS), "one", witness="proc")
    by_proc = plain.trace.calls("a", only="seek", allow_incomplete=True)
    return within, [repr(call) for call in by_proc], done.notices


def test_it_sees_every_seek(base: Path) -> None:
    seen, by_proc, notices = act(base, _seek, base)
    assert seen == ['lseek("a", 4096)', 'write("a", 1, at=4096)']
    assert by_proc == []
    assert notices == ()
    assert ending(base / "kept").complete
    assert Trace(base / "kept").page_size == 512


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["sh", "-c", "exit 3"], 3),
        (["sh", "-c", "kill -9 $$"], 128 + signal.SIGKILL),
        (["no-such-command-at-all"], 127),
        (["/dev/null"], 126),
    ],
)
def test_its_status(command: list[str], status: int, base: Path) -> None:
    assert act(base, _status, command) == status


def _status(command: list[str]) -> int:
    return run(command, "one", capture_output=True).returncode


def _capture() -> tuple[str | None, str | None, str | None]:
    script = "printf 'out \\377'; echo err >&2; cat; pwd >&2; echo $1"
    done = run(
        ["sh", "-c", script, "sh", os.fsdecode(b"\xff")], "one", capture_output=True, cwd="."
    )
    return done.stdout, done.stderr, str(done.trace.header.command)


def test_what_it_says_is_kept(base: Path) -> None:
    out, err, command = act(base, _capture)
    assert out == "out \\xff\\xff\n"
    assert err == f"err\n{base}\n"
    assert "\\\\xff" in str(command)


def _leave_a_process() -> list[str]:
    done = run(["sh", "-c", "(read x; echo hello > late) < pipe & echo go > pipe"], "one")
    return [repr(call) for call in done.trace.calls("late", only="write")]


def test_what_it_leaves_running_is_waited_for(base: Path) -> None:
    os.mkfifo(base / "one" / "pipe")
    assert act(base, _leave_a_process) == ['write("late", 6, at=0)']


def _run_beside_a_child() -> tuple[int, int, bool]:
    """Run a command between the start and the collection of a child of ours that has ended."""
    ours = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 7"], {})
    os.waitid(os.P_PID, ours, os.WEXITED | os.WNOWAIT)
    handler = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(run(["true"], "one").returncode))
    thread.start()
    thread.join()
    _, status = os.waitpid(ours, 0)
    return (
        found[0],
        os.waitstatus_to_exitcode(status),
        signal.signal(signal.SIGTERM, handler) == signal.SIG_IGN,
    )


def test_the_caller_s_children_and_signals_are_its_own(base: Path) -> None:
    assert act(base, _run_beside_a_child) == (0, 7, True)


def _time_out() -> tuple[bool, bool]:
    try:
        run(["sh", "-c", "echo begun > begun; exec sleep 1000"], "one", timeout=1.5)
    except subprocess.TimeoutExpired:
        return True, is_mounted(Path("one").absolute())
    return False, False


def test_one_that_takes_too_long_is_killed(base: Path) -> None:
    assert act(base, _time_out) == (True, False)


def complaint(call: Callable[[], object]) -> str:
    try:
        call()
    except (ValueError, MountError, RecordingError) as error:
        return f"{type(error).__name__}: {error}"
    return "done"


def _refuse() -> list[str]:
    return [
        complaint(lambda: run([], "one")),
        complaint(lambda: run(["true"], "one", witness="ptrace")),
        complaint(lambda: run(["true"], "nowhere")),
        complaint(lambda: run(["true"], "one", keep="one/inside")),
        complaint(lambda: run(["true"], "one", keep=".")),
    ]


def test_what_cannot_be_done_is_said(base: Path) -> None:
    command, witness, nowhere, inside, full = act(base, _refuse)
    assert command == "ValueError: no command to run"
    assert witness.startswith("ValueError: there is no witness 'ptrace'")
    assert nowhere.startswith("MountError")
    assert nowhere.endswith("no such directory")
    assert inside.startswith("RecordingError")
    assert full.startswith("RecordingError")
    assert full.endswith("it exists and is not empty")
