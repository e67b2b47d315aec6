"""A crash while the damage of an earlier one is being repaired.

A state's recovery is recorded like any run, and what a crash may leave of it is explored in turn.
"""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from tracefs.crash.asking import PLACE, SHELL_CANNOT
from tracefs.crash.functions import Function
from tracefs.crash.materialise import make
from tracefs.crash.search import Found
from tracefs.crashes import Answer, Checked
from tracefs.errors import RecordingError
from tracefs.persistence.image import Bytes
from tracefs.trials import limit
from tracefs.trials.ended import How, last_line, look

LEVELS: Final = 2
"""So deep: the recovery of a crash of a recovery is crashed, and no further."""
_BOTH: Final = """( {recovery}
); status=$?
case $status in
0) ;;
126 | 127) exit $status ;;
*) echo "the recovery ended with $status" >&2; exit 1 ;;
esac
( {check}
)"""
_PATIENCE_S: Final = 60.0
"""Seconds that the trace itself gets."""
_FEWER: Final = 3
"""A level further down, one state of so many is recovered."""


class Recovery(Struct, frozen=True, kw_only=True):
    """How states are recovered."""

    command: str
    """For sh, in which ``{dir}`` stands for the state's directory."""
    states: int
    """How many recoveries of one recording are recorded."""
    limit_s: float
    """Seconds that one gets."""
    levels: int = LEVELS

    @property
    def deeper(self) -> "Recovery | None":
        """How states of the recovery are recovered; None: not at all."""
        if self.levels <= 1:
            return None
        return Recovery(
            command=self.command,
            states=max(1, self.states // _FEWER),
            limit_s=self.limit_s,
            levels=self.levels - 1,
        )


class Recovered:
    """A function that is asked about a directory after its recovery; can be pickled."""

    def __init__(self, function: Function, command: str) -> None:
        self._function, self._command = function, command

    def __call__(self, directory: Path, acks: Sequence[str]) -> str | None:
        """Recover, and ask."""
        done = subprocess.run(
            ["sh", "-c", placed(self._command, str(directory))],
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode in SHELL_CANNOT:
            raise OSError("the recovery can't be executed, or is not there")
        if done.returncode:
            said = done.stderr.decode(errors="backslashreplace").strip().splitlines()
            return f"the recovery ended with {done.returncode}: {said[-1] if said else 'no word'}"
        return self._function(directory, acks)


def placed(command: str, directory: str) -> str:
    """Return *command* with the directory in its place."""
    return command.replace(PLACE, shlex.quote(directory))


def both(recovery: str, check: str) -> str:
    """Return a command for sh that recovers a directory, and asks *check* if that went well.

    A recovery that a signal ends has failed: it is a part of what is under test.
    """
    return _BOTH.format(recovery=recovery, check=check)


def worth_it(answered: Sequence[tuple[Found, Answer]], most: int) -> list[Found]:
    """Return up to *most* good states, spread over the run; a bad one has failed already."""
    good = sorted(
        (found for found, answer in answered if answer.checked is Checked.GOOD),
        key=lambda found: found.state.point,
    )
    if len(good) <= most:
        return good
    return [good[place * (len(good) - 1) // max(1, most - 1)] for place in range(most)]


def record(found: Found, source: Bytes, workplace: str, recovery: Recovery) -> Path:
    """Make the state, and record its recovery; return the recording's folder.

    Raises:
        RecordingError: the recovery did not end well, or could not be recorded.
    """
    folder = tempfile.mkdtemp(prefix="recovery-", dir=workplace)
    state, recording = os.path.join(folder, "state"), os.path.join(folder, "recovery.trace")
    make(found.image, source, state)
    report, output = Path(folder, "report"), Path(folder, "output")
    # Inside the trace somebody ends all that the recovery starts, so that the mount can end.
    watched = [
        sys.executable, "-I", "-S", limit.__file__, str(recovery.limit_s), "1",
        str(report), str(output), "sh", "-c", placed(recovery.command, state),
    ]  # fmt: skip
    words = [sys.executable, "-P", "-m", "tracefs", "run", "-q", "--payload"]
    log = Path(folder, "log")
    with open(log, "wb") as said:
        code = _run([*words, "--dir", state, "-o", recording, "--", *watched], said, recovery)
    ended = look(report)
    if code is None or (ended is not None and ended.how in (How.LATE, How.LEFT)):
        raise RecordingError(f"a recovery did not end within {recovery.limit_s:g} s")
    if code:
        last = last_line(output) or last_line(log) or "no word"
        raise RecordingError(f"a recovery that is recorded ended with {code}: {last}")
    return Path(recording)


def _run(words: list[str], said: BinaryIO, recovery: Recovery) -> int | None:
    """Run a trace; return its exit status, None if it had to be killed."""
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
    ) as process:
        try:
            return process.wait(recovery.limit_s + _PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None
