"""Results for the tests of verdict formats: a few by hand, and any that hypothesis can think of."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tracefs.findings import (
    CheckResult,
    ContractResult,
    Finding,
    Severity,
    TraceSummary,
    Verdict,
    worst,
)
from tracefs.pathtext import to_text

WHOLE = TraceSummary(complete=True, calls=12, unknown_calls=0)
TORN = TraceSummary(complete=False, calls=3, unknown_calls=0, incomplete_because="no footer")

HELP = "Write whole pages,\nthen sync each."


def finding(
    rule: str = "synced",
    verdict: Verdict = Verdict.BROKEN,
    severity: Severity = Severity.ERROR,
    **fields: Any,
) -> Finding:
    """Return a finding of call 4 on pages.db; *fields* override."""
    known: dict[str, Any] = {
        "call": 4, "path": "pages.db", "page": 2, "message": "Expected a sync; saw none.",
        "repair": "Call fdatasync.", "source": "writer.c:12 in put",
    }  # fmt: skip
    return Finding(rule=rule, severity=severity, verdict=verdict, **(known | fields))


BROKEN = finding()
_NOWHERE: dict[str, Any] = {"call": None, "path": None, "page": None, "source": None}
UNKNOWN = finding("no-seek", Verdict.UNKNOWN, message="Nobody watched.", **_NOWHERE)
ADVICE = finding("idle-sync", severity=Severity.ADVICE, message="A sync without a write.")
NOTHING = finding("written", Verdict.UNKNOWN, message="Nothing was written.", **_NOWHERE)


def contract(
    *findings: Finding, verdict: Verdict | None = None, **fields: object
) -> ContractResult:
    """Return ``page-write`` with *findings*, from which its verdict follows if none is given."""
    known: dict[str, object] = {"id": "page-write"}
    counted = [each.verdict for each in findings if each.severity is Severity.ERROR]
    return ContractResult(
        findings=findings,
        verdict=verdict or worst(*counted),
        **(known | fields),  # type: ignore[arg-type]
    )


def result(*contracts: ContractResult, trace: TraceSummary = WHOLE) -> CheckResult:
    return CheckResult(
        verdict=worst(*(each.verdict for each in contracts)), contracts=contracts, trace=trace
    )


# ---------------------------------------------------------------- anything

patient = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""Results are large: making one takes as long as testing it."""

EVIL = (
    "\n", "\r\n", "%", "%0A", "::", "::error::", "##[error]", "]]>", "<&\"'>", "\x00", "\x1b[2J",
    "\x85", "\u2028", "\ufffe", "\U000e0001", "|", "`", "\\", "#", " # SKIP", "# TODO", "...",
    "---", "[a](1)", "{0}", "$(x)", "\u202e", "=1+1", ",", "é", "\ud800",
)  # fmt: skip

texts = st.lists(st.one_of(st.sampled_from(EVIL), st.text(max_size=8)), max_size=6).map("".join)
"""What a program may put into a name or a message; lone surrogates too."""

paths = st.one_of(st.binary(max_size=20).map(to_text), texts)

findings = st.builds(
    Finding,
    rule=st.one_of(st.sampled_from(("synced", "aligned", "written", "checker")), texts),
    severity=st.sampled_from(Severity),
    verdict=st.sampled_from((Verdict.BROKEN, Verdict.UNKNOWN)),
    call=st.none() | st.integers(0, 2**40),
    path=st.none() | paths,
    page=st.none() | st.integers(0, 2**40),
    message=texts,
    repair=texts,
    source=st.none() | texts | st.builds("{}:{} in {}".format, paths, st.integers(0, 9999), texts),
)

amounts = st.integers(0, 100).map(lambda quarters: quarters / 4)


@st.composite
def _contracts(draw: st.DrawFn, verdict: Verdict | None = None) -> ContractResult:
    found: list[Finding] = draw(st.lists(findings, max_size=14))
    decided = worst(*(each.verdict for each in found if each.severity is Severity.ERROR))
    if decided is Verdict.KEPT:
        decided = draw(st.sampled_from((Verdict.KEPT, Verdict.UNKNOWN)))
    rules = st.sampled_from([*(each.rule for each in found), "synced", "aligned"])
    return ContractResult(
        id=draw(st.one_of(st.just("page-write"), texts)),
        verdict=decided,
        findings=tuple(found),
        without=tuple(draw(st.lists(rules, max_size=1))),
        help=draw(st.none() | texts),
        points=draw(st.none() | amounts),
        rule_points=draw(st.dictionaries(rules, amounts, max_size=2)),
    )


@st.composite
def _results(draw: st.DrawFn) -> CheckResult:
    found = draw(st.lists(_contracts(), min_size=1, max_size=2, unique_by=lambda each: each.id))
    complete = draw(st.booleans())
    trace = TraceSummary(
        complete=complete,
        calls=draw(st.integers(0, 99)),
        unknown_calls=0,
        incomplete_because=None if complete else draw(st.none() | texts),
    )
    return result(*found, trace=trace)


results = _results()
