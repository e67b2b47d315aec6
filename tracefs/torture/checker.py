"""The user's own checker, asked about a directory when the command has ended.

What went wrong with the checker itself is told from what it says: only an exit status of its own
says that something is bad.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from tracefs.tortures import Checked
from tracefs.trials.ended import How, last_line
from tracefs.trials.watched import run_watched

PLACE: Final = "{dir}"
_SHELL_CANNOT: Final = frozenset({126, 127})
"""What sh(1) ends with where a command can't be executed, or found."""


class Answer(Struct, frozen=True, kw_only=True):
    """What the checker said."""

    checked: Checked
    said: str | None = None
    """The last line that it printed; what happened to it; None: all is good."""


def ask(
    check: str, directory: Path, folder: Path, limit_s: float, told: Mapping[str, str]
) -> Answer:
    """Ask *check* about *directory*; all children of this process end with it.

    Args:
        check: command for sh, in which ``{dir}`` stands for *directory*.
        directory: as the command left it.
        folder: gets what it prints, as ``check.txt``.
        limit_s: seconds that it gets.
        told: variables for its environment.
    """
    command = check.replace(PLACE, shlex.quote(str(directory)))
    output = folder / "check.txt"
    ended = run_watched(
        ["sh", "-c", command], limit_s, report=folder / ".check", output=output, told=told
    )
    if ended.how is How.LATE or ended.status is None:
        return Answer(checked=Checked.LATE, said=f"it did not end within {limit_s:g} s")
    checked = _by_status(ended.status)
    return Answer(checked=checked, said=None if checked is Checked.GOOD else last_line(output))


def _by_status(status: int) -> Checked:
    if status == 0:
        return Checked.GOOD
    if status in _SHELL_CANNOT:
        return Checked.NOT_STARTED
    return Checked.CRASHED if status > 128 else Checked.BAD
