"""Litmus programs on real filesystems."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from lacking import lacking
from litmus_text import Program
from reality.asking import CannotTryError, observe
from reality.filesystems import ALL
from reality.nudges import NUDGES
from reality.requests import Cut, Observation, Request, Work

USUAL = ("nothing", "metadata", "data, then metadata", "data begun, then metadata")
"""Nudges; each costs a mount for each program and filesystem."""


def seeds() -> range:
    """Return the seeds of programs by chance; ``REALITY_SEEDS=0-100`` asks for others."""
    first, _, stop = os.environ.get("REALITY_SEEDS", "300-306").partition("-")
    return range(int(first), int(stop))


@dataclass(frozen=True)
class Prepared:
    """A program as events, those of its beginning apart."""

    whole: Program
    beginning: int
    """How many events make the starting tree."""
    recording: Path

    @classmethod
    def of(cls, before: str, text: str, recording: Path) -> "Prepared":
        """Prepare *text*, which comes after *before*; bytes are kept in the folder *recording*."""
        program = Program()
        beginning = program.run(before)
        program.run(text)
        return cls(program, beginning, program.keep(recording))

    @property
    def end(self) -> int:
        """How many events there are after the beginning."""
        return len(self.whole.events) - self.beginning

    def points(self) -> list[int]:
        """Return how many events were done after each operation, none at first."""
        places = [place - self.beginning for place in self.whole.places]
        return [place for place in dict.fromkeys(places) if place >= 0]

    def work(self, cuts: Iterable[Cut]) -> Work:
        """Return what a worker is to do."""
        events = self.whole.events
        return Work(
            recording=os.fspath(self.recording),
            before=tuple(events[: self.beginning]),
            events=tuple(events[self.beginning :]),
            cuts=tuple(cuts),
        )


def everywhere(point: int) -> list[Cut]:
    """Return cuts at one point: with each nudge where many seeds are asked for, else with some."""
    nudges = NUDGES if "REALITY_SEEDS" in os.environ else USUAL
    return [Cut(point, nudge) for nudge in nudges]


def require(profile: str) -> None:
    """Skip the test where this filesystem can't be tried; in CI its programs must be there."""
    missing = ALL[profile].missing()
    if missing is not None:
        if "needs mkfs" in missing:
            lacking(missing)
        pytest.skip(missing)


def look(profile: str, works: Sequence[Work]) -> list[list[Observation]]:
    """Return what each cut of each work shows; skip where nothing can be mounted."""
    found: list[list[Observation]] = [[] for _ in works]
    try:
        for observation in observe(Request(profile, tuple(works))):
            found[observation.work].append(observation)
    except CannotTryError as error:
        if "loop" not in str(error) and "permitted" not in str(error):
            raise
        pytest.skip(f"cannot mount {profile} here: {error}")
    return found
