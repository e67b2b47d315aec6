"""What an answer about crashes rests on, in sentences, for every format."""

from collections.abc import Iterator
from typing import Final

from tracefs.crashes import Blind, CrashReport, Loss, Redundant
from tracefs.findings import Verdict
from tracefs.report.crash_words import COUNTS, in_order, listed, show
from tracefs.report.frame import plural
from tracefs.report.quote import printable

_DIGITS: Final = 6
"""Up to so many a number is written out, above as a power of ten."""


def headline(report: CrashReport) -> str:
    """Return what follows the verdict: how many states fail, of how many, under which profiles."""
    explored = report.coverage.explored
    if not explored:
        return f"no state was explored, under {listed(report.profiles)}"
    failing = _states(report, *COUNTS)
    if failing:
        kinds = sum(one.loss in COUNTS for one in report.failures)
        text = f"{failing} of {plural(explored, 'state')} fail, {plural(kinds, 'failure')} in all,"
    else:
        known = "no" if report.verdict is not Verdict.BROKEN else "a"
        text = f"{known} state fails of {explored} that were explored,"
    text += f" under {listed(report.profiles)}"
    if creation := _states(report, Loss.CREATION):
        text += f"; {creation} before the first acknowledgement, not counted"
    if unanswered := _states(report, Loss.CHECKER):
        text += f"; no answer on {unanswered}"
    return text


def coverage(report: CrashReport) -> Iterator[str]:
    """Yield what was looked at and what was not; never nothing."""
    covered = report.coverage
    yield (
        f"{plural(covered.points, 'crash point')}; {plural(covered.explored, 'state')} explored of "
        f"{_possible(covered.possible)} that {listed(report.profiles)} may leave"
    )
    yield (
        f"{plural(covered.generated, 'state')} made by the {printable(report.strategy)} strategy, "
        f"seed {report.seed}; not asked about twice: {covered.same_operations} with the same "
        f"operations, {covered.same_content} with the same content"
    )
    if covered.left:
        yield f"left unexplored: {plural(covered.left, 'state')} (--max-states or --time ended it)"
    if report.recovered:
        yield f"crashes of the recovery: {plural(report.recovered, 'state')} explored"
    yield f"acknowledgements in the recording: {len(report.acks)}"
    if covered.blind:
        yield f"blind spots: {len(covered.blind)}"
    else:
        yield "blind spots: none known"


def blind(one: Blind) -> str:
    """Return what the recording doesn't show, and whether it matters."""
    where = "" if one.path is None else f" on {printable(one.path)}"
    times = "once" if one.count == 1 else f"{one.count} times"
    matters = "a state may be missing" if one.harmless is None else printable(one.harmless)
    return f"{printable(one.kind)}{where}, {times}: {printable(one.reason)}; {matters}"


def redundant(one: Redundant, report: CrashReport) -> str:
    """Return what taking a sync out changed, as a claim that is bounded."""
    call = printable(one.shown) if one.call is None else f"call {one.call} {printable(one.shown)}"
    source = "" if one.source is None else f" ({printable(one.source)})"
    explored = f"{plural(one.states, 'state')} under {listed(report.profiles)}"
    if one.redundant is None:
        return f"{call}{source}: not known, not all states were explored"
    if one.redundant:
        alone = "" if one.together else ", but more does without the redundant ones before it, too"
        return f"{call}{source}: nothing more fails without it in {explored}{alone}"
    return f"{call}{source}: needed, {one.failed} of {explored} fail without it"


def pace(report: CrashReport) -> str:
    """Return how long it took."""
    took = f"took {report.seconds:.1f} s, {report.states_a_second:.0f} states a second"
    return f"{took}; its checkers {report.checker_seconds:.1f} s, all processes together"


def next_steps(report: CrashReport) -> Iterator[str]:
    """Yield what to do now, the most useful first."""
    first = next(iter(in_order(report.failures)), None)
    if first is not None:
        yield f"look at a failing state: {show(report, first)}"
    if any(one.repairs for one in report.failures):
        yield "put in the sync that is proposed, record again, and ask again"
    if any(one.loss is Loss.CHECKER for one in report.failures):
        yield "mend the checker, or give it more time (--timeout): it gave no word on some states"
    if report.coverage.left:
        yield "explore the rest: a greater --max-states or --time"
    if any(one.harmless is None for one in report.coverage.blind):
        yield "record without what makes the blind spots, if the program can do so"
    if not report.acks:
        yield (
            "nothing was acknowledged, so only corruption can be found: let the program say what "
            "is durable, with mkdir .ack:TEXT or tracefs run --ack-stdout"
        )
    if report.verdict is Verdict.KEPT:
        if report.strategy != "deep":
            yield "--deep tries more states, torn sectors among them"
        if not report.redundant:
            yield "--find-redundant looks for syncs without which the same holds"


def _states(report: CrashReport, *losses: Loss) -> int:
    return sum(one.states for one in report.failures if one.loss in losses)


def _possible(power: float) -> str:
    """Return the number of states that are possible, from its power of ten."""
    return f"at most 10^{power:.1f}" if power > _DIGITS else f"at most {round(10**power):,}"
