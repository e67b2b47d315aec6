"""The answer of ``tracefs crash`` as text: the verdict, each failure, what it rests on."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from tracefs.crashes import Change, CrashReport, Failure, Loss
from tracefs.findings import Verdict
from tracefs.report import crash_coverage as rests
from tracefs.report import crash_words as words
from tracefs.report.frame import plural
from tracefs.report.quote import printable
from tracefs.report.style import PLAIN, Style

_WIDTH: Final = 100
_COLOURS: Final = {Verdict.KEPT: "green", Verdict.BROKEN: "red", Verdict.UNKNOWN: "yellow"}
_SHOWN: Final = 5
"""Failures of one class that are written out."""
_DROPPED: Final = 5
_KEPT: Final = 3
"""Changes that are written out of what a failure drops and keeps."""


def lines(report: CrashReport, *, style: Style = PLAIN) -> Iterator[str]:
    """Yield the lines of *report*, without newlines: the verdict first, the next step last."""
    word = str(report.verdict)
    first, *more = _wrapped(f"{word}: {rests.headline(report)}", "")
    yield style.paint(word, _COLOURS[report.verdict]) + first.removeprefix(word)
    yield from more
    yield from _wrapped(f"check: {printable(report.check)}", "")
    for reason in report.reasons:
        yield from _wrapped(f"unknown because: {printable(reason)}", "")
    yield from _failures(report, style)
    if report.redundant:
        yield ""
        yield style.paint("syncs taken out, one at a time", "bold")
        for one in sorted(report.redundant, key=lambda one: not one.redundant):
            yield from _wrapped(rests.redundant(one, report), "  ")
    yield ""
    yield style.paint("coverage", "bold")
    for line in rests.coverage(report):
        yield from _wrapped(line, "  ")
    for spot in report.coverage.blind:
        yield from _wrapped(rests.blind(spot), "    ")
    yield f"  {rests.pace(report)}"
    steps = list(rests.next_steps(report))
    if steps:
        yield ""
        yield style.paint("next", "bold")
        for step in steps:
            yield from _whole(step, "  ")


def _failures(report: CrashReport, style: Style) -> Iterator[str]:
    shown = words.calls(report)
    number = 0
    for losses in (words.COUNTS, (Loss.CREATION,), (Loss.CHECKER,)):
        found = [one for one in words.in_order(report.failures) if one.loss in losses]
        for failure in found[:_SHOWN]:
            number += 1
            yield ""
            colour = "red" if losses is words.COUNTS else "yellow"
            heading = f"{number}. {words.lost(failure)}, {printable(failure.where)}"
            yield from (style.paint(line, colour) for line in _wrapped(heading, ""))
            if failure.loss in words.APART:
                yield from _wrapped(words.APART[failure.loss], "   ")
            # Of the calls of a recovery the report has no list.
            yield from _block(report, failure, {} if failure.within else shown)
        if more := found[_SHOWN:]:
            states = plural(sum(one.states for one in more), "state")
            yield ""
            yield f"... and {plural(len(more), 'failure')} more, {states} (--format json has all)"


def _block(report: CrashReport, failure: Failure, shown: dict[int, str]) -> Iterator[str]:
    indent = "   "
    yield from _wrapped(words.checker(failure), indent)
    if failure.within:
        yield from _wrapped(words.recovery(failure), indent)
    yield from _wrapped(f"the power fails {words.moment(report, failure, shown)}", indent)
    if not failure.dropped:
        yield f"{indent}{words.NOTHING_LOST}"
    yield from _changes("drop", failure.dropped, _DROPPED)
    yield from _changes("keep", failure.kept, _KEPT)
    if failure.loss is not Loss.CHECKER:
        yield from _wrapped(words.weakest(failure), indent)
    if (repair := words.repair(failure)) is not None:
        yield from _wrapped(f"repair: {repair}", indent)
    stands = f"state {printable(failure.id)}{words.stands_for(failure)}"
    yield f"{indent}{stands}: {words.show(report, failure)}"


def _changes(verb: str, changes: Sequence[Change], most: int) -> Iterator[str]:
    for one in changes[:most]:
        yield from _wrapped(f"{verb} {words.change(one)}", "   ")
    if len(changes) > most:
        yield f"   {verb} {len(changes) - most} more (--format json has all)"


def _wrapped(line: str, indent: str) -> Iterator[str]:
    """Yield *line* in as many lines as it needs; those that go on stand deeper than any other."""
    yield from textwrap.wrap(
        line, _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}    ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _whole(line: str, indent: str) -> Iterator[str]:
    """Yield *line* wrapped, or in one if a command is in it, which is to be copied."""
    if "tracefs crash " in line:
        yield f"{indent}{line}"
    else:
        yield from _wrapped(line, indent)
