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
from typing import Final

from msgspec import Struct

from tracefs.crash.asking import PLACE
from tracefs.crash.functions import Function
from tracefs.crash.materialise import make
from tracefs.crash.search import Found
from tracefs.crashes import Answer, Checked
from tracefs.errors import RecordingError
from tracefs.persistence.image import Bytes

LEVELS: Final = 2
"""So deep: the recovery of a crash of a recovery is crashed, and no further."""
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
        if done.returncode:
            said = done.stderr.decode(errors="backslashreplace").strip().splitlines()
            return f"the recovery ended with {done.returncode}: {said[-1] if said else 'no word'}"
        return self._function(directory, acks)


def placed(command: str, directory: str) -> str:
    """Return *command* with the directory in its place."""
    return command.replace(PLACE, shlex.quote(directory))


def both(recovery: str, check: str) -> str:
    """Return a command for sh that recovers a directory, and asks *check* if that went well."""
    return f"( {recovery}\n) && ( {check}\n)"


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
    words = [sys.executable, "-P", "-m", "tracefs", "run", "-q", "--payload"]
    command = ["sh", "-c", placed(recovery.command, state)]
    with subprocess.Popen(
        [*words, "--dir", state, "-o", recording, "--", *command],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            output, _ = process.communicate(timeout=recovery.limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise RecordingError(f"a recovery did not end within {recovery.limit_s:g} s") from None
    if process.returncode:
        said = output.decode(errors="backslashreplace").strip().splitlines()
        last = said[-1] if said else "no word"
        raise RecordingError(f"a recovery that is recorded ended with {process.returncode}: {last}")
    return Path(recording)
