"""Reports about crashes as text: each kind of answer, and what no answer may leave out."""

from pathlib import Path

import crash_reports as samples
import pytest
from syrupy.assertion import SnapshotAssertion

from tracefs.crashes import CrashReport, Loss
from tracefs.findings import Verdict
from tracefs.report.crash_text import lines
from tracefs.report.style import Style

WIDTH = 100


@pytest.mark.parametrize("name", samples.ALL)
def test_each_kind_of_answer(name: str, snapshot: SnapshotAssertion) -> None:
    assert "\n".join(lines(samples.ALL[name])) == snapshot


@pytest.mark.parametrize("report", samples.ALL.values(), ids=samples.ALL)
def test_the_verdict_comes_first_and_coverage_always(report: CrashReport) -> None:
    first, *more = lines(report)
    assert first.startswith(f"{report.verdict}: ")
    at = more.index("coverage")
    assert f"{report.coverage.explored} state" in more[at + 1]
    assert any(line.strip().startswith("blind spots: ") for line in more[at:])


@pytest.mark.parametrize("report", samples.ALL.values(), ids=samples.ALL)
def test_only_commands_and_long_words_are_wider_than_a_terminal(report: CrashReport) -> None:
    wide = [line for line in lines(report) if len(line) > WIDTH]
    assert all("tracefs crash " in line for line in wide)


def test_nothing_hostile_reaches_a_terminal() -> None:
    shown = list(lines(samples.HOSTILE))
    assert all(line.isprintable() for line in shown)
    assert not any(line.startswith("kept") for line in shown)


def test_colour_is_all_that_colour_adds() -> None:
    plain = list(lines(samples.BROKEN))
    coloured = list(lines(samples.BROKEN, style=Style(colour=True)))
    assert coloured[0].startswith("\x1b[31mbroken\x1b[0m: ")
    for code in ("31", "1", "0"):
        coloured = [line.replace(f"\x1b[{code}m", "") for line in coloured]
    assert coloured == plain


def test_what_does_not_count_is_not_called_a_failure() -> None:
    text = " ".join(line.strip() for line in lines(samples.HUNG))
    assert text.startswith("unknown: no state fails of 312")
    assert "1 before the first acknowledgement, not counted; no answer on 3" in text
    assert text.index(str(Loss.CREATION)) < text.index("1. ") < text.index("2. ")


def test_nothing_explored_is_said() -> None:
    covered = samples.COVERED.__class__(
        points=0, possible=0.0, generated=0, same_operations=0, same_content=0, explored=0, left=0,
        blind=(),
    )  # fmt: skip
    first = next(lines(samples.report(Verdict.UNKNOWN, coverage=covered)))
    assert first == "unknown: no state was explored, under ext4-ordered, xfs and btrfs"


def test_the_reference_shows_an_answer_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/crash.md").read_text("utf-8")
    assert "\n".join(["```text", *lines(samples.BROKEN), "```"]) in page
