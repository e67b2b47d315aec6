"""The answer of `tracefs crash` held to what was expected."""

from collections import Counter
from typing import Final

from msgspec import Struct

from crash_suite.cases import Expected
from tracefs.crashes import CrashReport, Failure, Loss
from tracefs.findings import Verdict

_UNCOUNTED: Final = frozenset({Loss.CREATION})
"""Found without a word: the program had promised nothing yet."""


class Result(Struct, frozen=True, kw_only=True):
    """One exploration of one case."""

    case: str
    title: str
    profile: str
    deep: bool
    expected: str
    states: int
    """Explored."""
    found: dict[Loss, int]
    """Failing states."""
    seconds: float
    a_second: float
    """States."""
    wrong: str | None
    """In what it is not as expected; None: it is."""
    failures: tuple[str, ...] = ()
    """One for each kind of loss: what, how to see it again."""


def judge(case: str, title: str, expected: Expected, report: CrashReport) -> Result:
    """Return the result that *report* is."""
    counts: Counter[Loss] = Counter()
    for failure in report.failures:
        counts[failure.loss] += failure.states
    return Result(
        case=case,
        title=title,
        profile=expected.profile,
        deep=expected.deep,
        expected=shown(expected),
        states=report.coverage.explored,
        found=dict(counts),
        seconds=report.seconds,
        a_second=report.states_a_second,
        wrong=_wrong(expected, report, frozenset(counts)),
        failures=tuple(_firsts(report.failures)),
    )


def shown(expected: Expected) -> str:
    """Return the expectation in words."""
    if not expected.must:
        return "kept"
    return ", ".join(sorted(expected.must))


def _wrong(expected: Expected, report: CrashReport, found: frozenset[Loss]) -> str | None:
    if not expected.must and report.verdict is not Verdict.KEPT:
        first = next((one for one in report.failures if one.loss in found), None)
        reason = "; ".join(report.reasons) if first is None else f"{first.id}: {first.answer.said}"
        return f"false alarm: {report.verdict.value}, {reason}"
    if surplus := found - expected.must - expected.may - _UNCOUNTED:
        return f"not to be found: {', '.join(sorted(surplus))}"
    missing = expected.must - found
    if missing:
        return f"not found: {', '.join(sorted(missing))}"
    return None


def _firsts(failures: tuple[Failure, ...]) -> list[str]:
    """Return one line for the first failure of each kind of loss."""
    seen: dict[Loss, str] = {}
    for one in failures:
        seen.setdefault(
            one.loss, f"{one.loss.value}, state {one.id} ({one.where}): {one.answer.said}"
        )
    return list(seen.values())
