"""Which checker is meant: a command, or one that comes with tracefs."""

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from tracefs.crash import checkers
from tracefs.crash.asking import PLACE, Checker, command, ready
from tracefs.crash.functions import Function
from tracefs.crash.recovery import Recovered, both
from tracefs.errors import SetupError, UsageError


class Transient(Struct, frozen=True):
    """Files whose contents say nothing after a restart."""

    glob: str
    why: str


class Choice(Struct, frozen=True, kw_only=True):
    """A checker, and what it knows of its files."""

    checker: Checker
    name: str
    transient: tuple[Transient, ...] = ()


class Below:
    """A function that is asked about a directory within the state's."""

    def __init__(self, function: Function, below: str) -> None:
        self._function, self._below = function, below

    def __call__(self, directory: Path, acks: Sequence[str]) -> str | None:
        """Ask it."""
        return self._function(directory / self._below, acks)


def require(check: str) -> None:
    """Raise UsageError unless *check* is a command with ``{dir}``, or the name of a checker."""
    if PLACE not in check and checkers.find(check) is None:
        known = ", ".join(checkers.names())
        raise UsageError(
            f"the checker {check!r} has no {PLACE}, and is none of {known}",
            repair=f"--check '{check} {PLACE}'",
        )


def choose(check: str, limit_s: float, below: str = "", recovery: str | None = None) -> Choice:
    """Return the checker that *check* means, asked about the directory *below* within a state.

    With *recovery*, a command, that is done with the directory before it is asked.

    Raises:
        UsageError: there is none.
        SetupError: it lacks something.
    """
    require(check)
    found = checkers.find(check)
    if found is None:
        place = f"{PLACE}/{below}" if below else PLACE
        words = check if recovery is None else both(recovery, check)
        shell = command(words.replace(PLACE, place), limit_s, os.environ, os.getcwd())
        return Choice(checker=shell, name=check)
    lacks = found.lacks()
    if lacks is not None:
        raise SetupError(f"the checker {found.name} can't be used: {lacks}")
    function = found.ask if recovery is None else Recovered(found.ask, recovery)
    if below:
        function = Below(function, below)
    return Choice(
        checker=ready(function, limit_s, os.environ),
        name=found.name,
        transient=tuple(Transient(glob, why) for glob, why in found.transient),
    )
