"""Contracts over a trace: arguments, the worst verdict, traces cut short, checkers that fail."""

from collections.abc import Iterator, Sequence

import pytest

from tracefs.check import check
from tracefs.contracts import BUILT_IN, find
from tracefs.contracts.base import Judge, Settings
from tracefs.errors import RecordingError, UsageError
from tracefs.events import FORMAT, VERSION, Header
from tracefs.findings import ContractResult, Finding, Severity, TraceSummary, Verdict
from tracefs.trace.call import Call, TraceItem

PAGE = 4096


class Recorded:
    """A trace held in memory."""

    def __init__(
        self, items: Sequence[TraceItem], *, why: str | None = None, page_size: int = PAGE
    ) -> None:
        self._items = items
        self._why = why
        self._read = 0
        self.header = Header(
            format=FORMAT,
            version=VERSION,
            tool="tests",
            source="data",
            started="2024-01-01T00:00:00+00:00",
            start_ns=0,
            clock="monotonic",
            kernel="6.1",
            machine="x86_64",
            mode="cached",
            page_size=page_size,
            block_size=4096,
            witness="proc",
            command=None,
            operations=(),
        )

    def items(self) -> Iterator[TraceItem]:
        for item in self._items:
            self._read += 1
            yield item

    def summary(self) -> TraceSummary:
        return TraceSummary(
            complete=self._why is None,
            calls=self._read,
            unknown_calls=0,
            incomplete_because=self._why,
        )


def program(length: int = PAGE, *, sync: bool = True, count: int = 1) -> list[TraceItem]:
    """Open a file, write its page 0 and sync it, *count* times."""
    calls: list[tuple[str, str, dict[str, object]]] = [
        ("openat", "open", {"flags": ("O_RDWR", "O_CREAT"), "size": 4 * PAGE})
    ]
    for _ in range(count):
        where: dict[str, object] = {"offset": 0, "length": length, "result": length, "position": 0}
        calls.append(("pwrite64", "write", where))
        if sync:
            calls.append(("fdatasync", "sync", {"position": 0, "datasync": True}))
    calls.append(("close", "close", {}))
    return [
        Call(
            index=index,
            call=name,
            family=family,
            known_by="proc",
            path="a.db",
            start_ns=10 * index + 1,
            end_ns=10 * index + 6,
            tid=7,
            ino=2,
            handle=1,
            **fields,  # type: ignore[arg-type]
        )
        for index, (name, family, fields) in enumerate(calls)
    ]


class Fixed:
    """A contract that answers with one verdict, or fails at one of its steps."""

    def __init__(
        self,
        id: str,  # noqa: A002 - the contract's own word
        verdict: Verdict = Verdict.KEPT,
        *,
        fails: str = "",
    ) -> None:
        self.id = id
        self.rules = (f"{id}-rule",)
        self.fed = 0
        self._verdict = verdict
        self._fails = fails

    def start(self, header: Header, settings: Settings) -> Judge:  # noqa: ARG002
        self._fail("start")
        self.settings = settings
        return self

    def feed(self, item: TraceItem, /) -> None:  # noqa: ARG002
        self.fed += 1
        if self.fed == 2:
            self._fail("feed")

    def finish(self, *, complete: bool, why: str | None) -> ContractResult:  # noqa: ARG002
        self._fail("finish")
        found = Finding(
            rule=self.rules[0],
            severity=Severity.ERROR,
            verdict=self._verdict,
            call=0,
            path=None,
            page=None,
            message="m",
            repair="r",
        )
        findings = () if self._verdict is Verdict.KEPT else (found,)
        return ContractResult(id=self.id, verdict=self._verdict, findings=findings)

    def _fail(self, step: str) -> None:
        if self._fails == step:
            raise ZeroDivisionError("oops")


def test_a_correct_program_is_kept() -> None:
    result = check(Recorded(program()), ["page-write"])
    assert result.verdict is Verdict.KEPT
    assert [each.id for each in result.contracts] == ["page-write"]
    assert result.trace == TraceSummary(complete=True, calls=4, unknown_calls=0)


def test_a_wrong_program_is_broken() -> None:
    result = check(Recorded(program(sync=False)), ["page-write"])
    assert result.verdict is Verdict.BROKEN


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [("kept kept", "kept"), ("kept unknown", "unknown"), ("broken unknown kept", "broken")],
)
def test_the_worst_verdict_counts(verdicts: str, worst: str) -> None:
    contracts = [Fixed(f"c{at}", Verdict(each)) for at, each in enumerate(verdicts.split())]
    result = check(Recorded(program()), contracts)
    assert result.verdict == worst
    assert [each.verdict for each in result.contracts] == verdicts.split()
    assert {each.fed for each in contracts} == {4}


def test_an_incomplete_trace_is_never_kept() -> None:
    result = check(Recorded(program(), why="the footer is missing"), ["page-write"])
    assert result.verdict is Verdict.UNKNOWN
    (finding,) = result.contracts[0].findings
    assert (finding.rule, finding.call) == ("complete-trace", None)
    assert "the footer is missing" in finding.message


def test_an_incomplete_trace_can_be_broken() -> None:
    result = check(Recorded(program(length=10), why="cut"), ["page-write"])
    assert result.verdict is Verdict.BROKEN
    assert [each.rule for each in result.contracts[0].findings] == ["full-page"]


@pytest.mark.parametrize("fails", ["start", "feed", "finish"])
@pytest.mark.parametrize("complete", [True, False])
def test_a_checker_that_fails_is_unknown_and_alone(fails: str, complete: bool) -> None:
    contracts = [Fixed("good"), Fixed("bad", fails=fails), Fixed("other", Verdict.BROKEN)]
    result = check(Recorded(program(), why=None if complete else "cut"), contracts)
    good, bad, other = result.contracts
    assert (bad.id, bad.verdict) == ("bad", Verdict.UNKNOWN)
    (finding,) = bad.findings
    assert finding.rule == "checker"
    assert "ZeroDivisionError: oops" in finding.message
    assert good.verdict is (Verdict.KEPT if complete else Verdict.UNKNOWN)
    assert other.verdict is Verdict.BROKEN
    assert [each.fed for each in contracts[::2]] == [4, 4]


def test_a_checker_that_failed_is_fed_no_more() -> None:
    contract = Fixed("bad", fails="feed")
    check(Recorded(program()), [contract])
    assert contract.fed == 2


def test_a_trace_that_cannot_be_read_is_no_failure_of_a_checker() -> None:
    class Torn(Recorded):
        def items(self) -> Iterator[TraceItem]:
            yield from program()
            raise RecordingError("torn")

    with pytest.raises(RecordingError, match="torn"):
        check(Torn([]), ["page-write"])


def test_a_contract_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match=r"no contract 'page-wrote'; did you mean page-write\?"):
        check(Recorded([]), ["page-wrote"])


def test_no_contract_at_all() -> None:
    with pytest.raises(UsageError, match="No contract"):
        check(Recorded([]), [])


def test_a_rule_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="no rule 'sinked' to leave out; known: positional-write"):
        check(Recorded([]), ["page-write"], without=["synced", "sinked"])


@pytest.mark.parametrize("rule", ["written", "complete-trace", "checker"])
def test_what_makes_a_verdict_unknown_cannot_be_left_out(rule: str) -> None:
    with pytest.raises(UsageError):
        check(Recorded([]), ["page-write"], without=[rule])


@pytest.mark.parametrize("page_size", [0, -4096])
def test_a_page_size_that_is_not_possible(page_size: int) -> None:
    with pytest.raises(UsageError, match="page size"):
        check(Recorded([]), ["page-write"], page_size=page_size)
    with pytest.raises(RecordingError, match="page size"):
        check(Recorded([], page_size=page_size), ["page-write"])


def test_nothing_is_read_before_the_arguments_are_right() -> None:
    trace = Recorded(program())
    with pytest.raises(UsageError):
        check(trace, ["page-write"], without=["sinked"])
    assert trace.summary().calls == 0


def test_each_contract_gets_its_own_rules_left_out() -> None:
    first, second = Fixed("first"), Fixed("second")
    check(
        Recorded(program()),
        [first, second],
        page_size=512,
        without=["second-rule"],
        paths=["*.db"],
    )
    assert first.settings == Settings(page_size=512, paths=("*.db",))
    assert second.settings == Settings(page_size=512, without=("second-rule",), paths=("*.db",))


def test_the_page_size_is_the_headers_unless_another_is_asked_for() -> None:
    def verdict(page_size: int | None) -> Verdict:
        return check(
            Recorded(program(512), page_size=512), ["page-write"], page_size=page_size
        ).verdict

    assert (verdict(None), verdict(4096)) == (Verdict.KEPT, Verdict.BROKEN)


def test_findings_do_not_grow_with_the_trace() -> None:
    result = check(Recorded(program(length=10, count=1000)), ["page-write"])
    *listed, closing = result.contracts[0].findings
    assert len(listed) == 100
    assert "900 more" in closing.message


def test_built_in_contracts_are_found_by_their_own_names() -> None:
    assert {name: find(name).id for name in BUILT_IN} == {name: name for name in BUILT_IN}
