"""What of a test's recording survives a power failure."""

import os
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from tracefs.crash.choice import choose, require
from tracefs.crash.examination import examine
from tracefs.crash.in_process import Function
from tracefs.crash.question import LIMIT_S, MOST_IN_PYTHON, Question
from tracefs.errors import TracefsError, UsageError
from tracefs.findings import Verdict
from tracefs.persistence.profiles import chosen
from tracefs.persistence.promises import Rules
from tracefs.persistence.strategies import Strategy
from tracefs.report.crash_text import lines

AnyCheck = str | Function
"""A command with ``{dir}``, the name of a ready checker, or a function."""


class Crash(Struct, frozen=True):
    """What a test asks about crashes."""

    profiles: tuple[Rules, ...]
    check: AnyCheck | None = None
    """None: each state must be as a ``kill -9`` could leave it."""


def asked(profiles: str | None, check: AnyCheck | None) -> Crash | None:
    """Return what a marker asks for.

    Raises:
        UsageError: there is no such profile or checker, or a checker and nothing to check.
    """
    if profiles is None:
        if check is not None:
            raise UsageError("check= is for crash states, so there must be crash= as well")
        return None
    if isinstance(check, str):
        require(check)
    return Crash(chosen(profiles), check)


def judge(crash: Crash, recording: Path, below: str) -> None:
    """Fail the test unless all states of *recording* are good, as far as *below* goes."""
    __tracebackhide__ = True
    try:
        report = examine(_question(crash, recording, below), lambda *_: None)
    except TracefsError as error:
        pytest.fail(f"unknown: crash states: {error}", pytrace=False)
    if report.verdict is not Verdict.KEPT:
        pytest.fail("\n".join(lines(report)), pytrace=False)


def _question(crash: Crash, recording: Path, below: str) -> Question:
    question = Question(
        folder=recording,
        profiles=crash.profiles,
        strategy=Strategy(),
        most_states=MOST_IN_PYTHON,
        jobs=os.cpu_count() or 1,
    )
    if crash.check is None:
        return question
    if not isinstance(crash.check, str):
        name = getattr(crash.check, "__name__", type(crash.check).__name__)
        return replace(question, check=name, function=crash.check, below=below)
    choice = choose(crash.check, LIMIT_S, below)
    return replace(question, check=choice.name, checker=choice.checker, transient=choice.transient)
