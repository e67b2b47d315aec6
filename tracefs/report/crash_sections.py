"""The parts of the HTML page about crashes; `tracefs.report.crash_html` puts them together."""

from collections.abc import Iterable
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET

from tracefs.crashes import Change, CrashReport, Failure, Loss, Point
from tracefs.findings import Verdict
from tracefs.report import crash_coverage as rests
from tracefs.report import crash_words as words
from tracefs.report.elements import add, table
from tracefs.report.frame import plural
from tracefs.report.quote import printable


class Mark(NamedTuple):
    """How a point looks: told apart by colour, by shape and by sign."""

    name: str
    sign: str
    meaning: str


GOOD: Final = Mark("good", "\N{CHECK MARK}", "all states explored here are good")
BAD: Final = Mark("bad", "\N{MULTIPLICATION SIGN}", "a state fails")
APART: Final = Mark("apart", "!", "fails without counting, or the checker gave no answer")
NONE: Final = Mark("none", "\N{EN DASH}", "no state was explored here")
_OPEN: Final = 50
"""Up to so many points their table is not folded away."""
_VERDICTS: Final = {Verdict.KEPT: GOOD, Verdict.BROKEN: BAD, Verdict.UNKNOWN: APART}


def mark(report: CrashReport, point: Point) -> Mark:
    """Return how *point* looks."""
    if not point.failed:
        return GOOD if point.states else NONE
    losses = {one.loss for one in report.failures if one.id in point.failures}
    # A failure that isn't in the report counts until the opposite is known.
    return APART if losses and losses.isdisjoint(words.COUNTS) else BAD


def point_name(point: Point) -> str:
    """Return ``step 4, after call 17 …``."""
    call = "" if point.call is None else f"call {point.call} "
    return f"step {point.number}, after {call}{printable(point.shown)}"


def point_result(point: Point) -> str:
    """Return ``14 of 20 states fail``."""
    return f"{point.failed} of {plural(point.states, 'state')} fail"


def anchors(report: CrashReport, point: Point) -> tuple[str, ...]:
    """Return the ids of the elements that show the failures of *point*."""
    found = enumerate(words.in_order(report.failures), 1)
    return tuple(f"failure-{number}" for number, one in found if one.id in point.failures)


def verdict(main: ET.Element, report: CrashReport) -> None:
    """Add the answer: the verdict, the check, why it is unknown."""
    looks = _VERDICTS[report.verdict]
    title = add(main, "h1")
    word = add(title, "span", f"{looks.sign} {report.verdict}", class_=looks.name)
    word.tail = f": {rests.headline(report)}"
    asked = add(main, "p", "check: ")
    add(asked, "code", printable(report.check)).tail = " on states of "
    add(asked, "code", printable(report.recording))
    _list(main, (f"unknown because: {printable(reason)}" for reason in report.reasons))


def timeline(main: ET.Element) -> None:
    """Add the place for the timeline; the script fills and shows it."""
    section = add(main, "section", id="timeline", hidden="hidden", aria_labelledby="timeline-title")
    add(section, "h2", "When the power fails", id="timeline-title")
    signs = (f"{one.sign} {one.meaning}" for one in (GOOD, BAD, APART, NONE))
    keys = "Click a point, or move with the arrow keys; Escape shows all failures."
    add(section, "p", f"{'; '.join(signs)}. {keys}", class_="legend")
    add(
        section, "div", id="strip", role="listbox", aria_orientation="horizontal",
        aria_labelledby="timeline-title",
    )  # fmt: skip
    add(section, "div", id="chosen", role="status")
    add(section, "button", "Show all failures", id="all", type="button", hidden="hidden")


def failures(main: ET.Element, report: CrashReport) -> None:
    """Add each failure, those that count first."""
    section = add(main, "section", aria_labelledby="failures-title")
    add(section, "h2", "Failures", id="failures-title")
    if not report.failures:
        add(section, "p", f"None in {plural(report.coverage.explored, 'state')} explored.")
    shown = words.calls(report)
    for number, failure in enumerate(words.in_order(report.failures), 1):
        _failure(section, report, failure, f"failure-{number}", {} if failure.within else shown)


def syncs(main: ET.Element, report: CrashReport) -> None:
    """Add what taking out each sync changes, if that was asked."""
    if report.redundant:
        _listed(main, "Syncs taken out, one at a time", (
            rests.redundant(one, report)
            for one in sorted(report.redundant, key=lambda one: not one.redundant)
        ))  # fmt: skip


def coverage(main: ET.Element, report: CrashReport) -> None:
    """Add what the answer rests on."""
    section = _listed(main, "Coverage", (*rests.coverage(report), rests.pace(report)))
    if report.coverage.blind:
        add(section, "h3", "Blind spots")
        _list(section, map(rests.blind, report.coverage.blind))


def steps(main: ET.Element, report: CrashReport) -> None:
    """Add what to do now."""
    if found := list(rests.next_steps(report)):
        _listed(main, "Next", found)


def points(main: ET.Element, report: CrashReport) -> None:
    """Add all points as a table, for who has no script."""
    section = add(main, "section", aria_labelledby="points-title")
    title = "All crash points"
    add(section, "h2", title, id="points-title")
    folded = add(section, "details", **({"open": "open"} if len(report.points) <= _OPEN else {}))
    add(folded, "summary", plural(len(report.points), "point"))
    body = table(folded, title, "step", "after", "result", "failures")
    for point in report.points:
        row = add(body, "tr")
        looks = mark(report, point)
        add(row, "td", str(point.number))
        call = "" if point.call is None else f"call {point.call} "
        add(row, "td", f"{call}{printable(point.shown)}", class_="wide")
        add(row, "td", f"{looks.sign} {point_result(point)}", class_=looks.name)
        links = add(row, "td")
        for anchor in anchors(report, point):
            add(links, "a", anchor.removeprefix("failure-"), href=f"#{anchor}").tail = " "


def _failure(
    section: ET.Element, report: CrashReport, failure: Failure, name: str, shown: dict[int, str]
) -> None:
    looks = BAD if failure.loss in words.COUNTS else APART
    article = add(
        section, "article", id=name, class_=looks.name, aria_labelledby=f"{name}-title"
    )  # fmt: skip
    number = name.removeprefix("failure-")
    heading = f"{looks.sign} {number}. {words.lost(failure)}, {printable(failure.where)}"
    add(article, "h3", heading, id=f"{name}-title")
    if failure.loss in words.APART:
        add(article, "p", words.APART[failure.loss])
    facts = add(article, "dl")
    _fact(facts, "what it says", words.checker(failure))
    _fact(facts, "the power fails", words.moment(report, failure, shown))
    if failure.loss is not Loss.CHECKER:
        _fact(facts, "why it may be so", words.weakest(failure))
    if (repair := words.repair(failure)) is not None:
        _fact(facts, "repair", repair)
    add(facts, "dt", f"look at state {printable(failure.id)}{words.stands_for(failure)}")
    add(add(facts, "dd"), "code", words.show(report, failure))
    if not failure.dropped:
        add(article, "p", words.NOTHING_LOST)
    if failure.dropped or failure.kept:
        label = f"what failure {number} drops and keeps"
        body = table(article, label, "", "call", "of it", "source")
        for verb, changes in (("drop", failure.dropped), ("keep", failure.kept)):
            for change in changes:
                _change(body, verb, change)


def _change(body: ET.Element, verb: str, change: Change) -> None:
    row = add(body, "tr")
    add(row, "th", verb, scope="row")
    call = "" if change.call is None else f"{change.call} "
    add(row, "td", f"{call}{printable(change.shown)}", class_="wide")
    add(row, "td", words.part(change), class_="wide")
    add(row, "td", "not known" if change.source is None else printable(change.source))


def _fact(facts: ET.Element, name: str, value: str) -> None:
    add(facts, "dt", name)
    add(facts, "dd", value)


def _listed(main: ET.Element, title: str, lines: Iterable[str]) -> ET.Element:
    section = add(main, "section")
    add(section, "h2", title)
    _list(section, lines)
    return section


def _list(parent: ET.Element, lines: Iterable[str]) -> None:
    found = list(lines)
    if found:
        items = add(parent, "ul")
        for line in found:
            add(items, "li", line)
