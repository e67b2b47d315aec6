"""The witness sees of a process what its own user may see of it, and no more."""

import ctypes
import os
import platform
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mounted_support import NOBODY, Run, act, outcome

from tracefs.witness.memory import Memory
from tracefs.witness.proc import ProcWitness
from tracefs.witness.stack import StackReader

pytestmark = pytest.mark.usefixtures("as_root")

_PR_SET_DUMPABLE = 4
_libc = ctypes.CDLL(None)


def look(tid: int) -> dict[str, Any]:
    """What each part of the witness finds out of a thread."""
    memory = outcome(Memory, tid)
    read = memory if isinstance(memory, str) else len(memory.read(memory.mappings[0].start, 16))
    witness = ProcWitness(platform.machine(), max_threads=4)
    seen = witness.look(tid)
    witness.close()
    frames, why = StackReader(platform.machine()).capture(tid)
    return {
        "read": read,
        "frames": len(frames),
        "why": why,
        "nr": seen.nr,
        "args": seen.args,
        "fd": seen.fd,
        "position": seen.position,
        "missing": seen.missing,
    }


def assert_nothing_seen(seen: dict[str, Any]) -> None:
    assert seen["read"] in {"EACCES", "EPERM"}
    assert (seen["frames"], seen["nr"], seen["args"]) == (0, -1, ())
    assert (seen["fd"], seen["position"]) == (None, None)
    assert seen["why"] is not None
    assert seen["missing"] is not None


@contextmanager
def waiting(user: int, program: str = "cat") -> Iterator[int]:
    """A process that waits in a read."""
    process = subprocess.Popen(
        [program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        user=user,
        group=user,
        extra_groups=[],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"x\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"x\n"
    try:
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def test_its_own_user_sees_a_process(tmp_path: Path) -> None:
    """What the others can't see is there to be seen."""
    with waiting(NOBODY) as pid:
        seen = act(tmp_path, look, pid, user=NOBODY)
    assert seen["read"] == 16
    assert seen["nr"] >= 0
    assert seen["frames"] > 0 or platform.machine() != "x86_64"


def test_a_process_of_another_user(tmp_path: Path) -> None:
    with waiting(0) as pid:
        assert_nothing_seen(act(tmp_path, look, pid, user=NOBODY))


def test_a_program_that_runs_as_its_owner(tmp_path: Path) -> None:
    """Started by the same user, and yet of another: its set-user-ID bit makes it root's."""
    tmp_path.chmod(0o755)
    place = Path("/tmp") / f"setuid{os.getpid()}"
    shutil.copy(shutil.which("cat") or "cat", place)
    try:
        place.chmod(0o4755)
        with waiting(NOBODY, str(place)) as pid:
            status = Path(f"/proc/{pid}/status").read_text()
            if f"Uid:\t{NOBODY}\t0\t" not in status:
                pytest.skip("set-user-ID bits have no effect here")
            assert_nothing_seen(act(tmp_path, look, pid, user=NOBODY))
    finally:
        place.unlink()


def look_at_hidden() -> dict[str, Any]:
    ready, hidden = os.pipe()
    pid = os.fork()
    if pid == 0:
        _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        os.write(hidden, b"x")
        signal.pause()
    os.read(ready, 1)
    try:
        return look(pid)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_process_that_may_not_be_read(tmp_path: Path) -> None:
    assert_nothing_seen(act(tmp_path, look_at_hidden, user=NOBODY))


def test_recordings_are_for_their_owner_alone(traced_run: Callable[..., Run]) -> None:
    """Whatever the umask; also what is beside the journal."""
    before = os.umask(0)
    try:
        run = traced_run(["sh", "-c", "echo text > f"], "--payload")
    finally:
        os.umask(before)
    assert run.returncode == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in run.recording.iterdir()}
    expected = {"journal.jsonl": 0o600, "payload.bin": 0o600, "start.jsonl": 0o600, "start": 0o700}
    assert modes == expected
    assert stat.S_IMODE(run.recording.stat().st_mode) == 0o700
