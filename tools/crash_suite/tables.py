"""The results as tables of a page."""

from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import Final

from bench.markdown import number, table

from crash_suite.judging import Result

BEGIN: Final = "<!-- crash-suite: begin -->"
END: Final = "<!-- crash-suite: end -->"
_WIDTH: Final = 118
"""Characters in a line of a page."""
_HEAD: Final = ("case", "profile", "expected", "found", "states", "failing", "s", "states/s")


def page(results: Iterable[Result]) -> str:
    """Return the tables: those that must fail, those that must pass, and how to see a failure.

    Of two results of a case under the same profile the later one counts.
    """
    latest = {(one.case, one.profile, one.deep): one for one in results}
    passing = [one for one in latest.values() if one.expected == "kept"]
    failing = [one for one in latest.values() if one.expected != "kept"]
    parts = ["### Must fail", rows(failing), "### Must pass", rows(passing), repeats(failing)]
    return "\n\n".join(part for part in parts if part)


def rows(results: Sequence[Result]) -> str:
    """Return one table."""
    return table(_HEAD, [_row(one) for one in results])


def repeats(results: Iterable[Result]) -> str:
    """Return, of each case in which something was found, how to see it."""
    return "\n".join(
        fill(
            f"- {one.title}, {failure}: `python tools/crash_suite --only {one.case} --keep DIR`",
            _WIDTH,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for one in results
        for failure in one.failures
    )


def put_into(text: str, tables: str) -> str:
    """Return a page's text with the tables in place of those that it has.

    Raises:
        ValueError: It has no place for them.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} ... {END} in the page")
    return f"{before}{begin}\n\n{tables}\n\n{end}{after}"


def _row(one: Result) -> tuple[str, ...]:
    found = ", ".join(sorted(one.found)) or "kept"
    return (
        one.title,
        f"{one.profile}{' --deep' if one.deep else ''}",
        one.expected,
        found if one.wrong is None else f"**{found}**",
        str(one.states),
        str(sum(one.found.values())),
        number(one.seconds),
        number(one.a_second),
    )
