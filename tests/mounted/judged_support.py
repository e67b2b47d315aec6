"""What a built-in contract says of a recording, in words that tests can compare."""

from pathlib import Path

from mounted_support import calls

from tracefs.check import check
from tracefs.findings import ContractResult, Severity, Verdict
from tracefs.journal.reader import JournalReader
from tracefs.trace import Trace


def judge(recording: Path, contract: str, *, paths: tuple[str, ...] = ()) -> ContractResult:
    """Return what *contract* says of the files *paths*; of all, without any."""
    with JournalReader(recording) as reader:
        (result,) = check(Trace(reader), [contract], paths=paths).contracts
    return result


def errors(recording: Path, result: ContractResult) -> set[str]:
    """Return ``RULE CALL(PATH)`` of each error; of one that is unknown ``RULE? CALL(PATH)``."""
    found = {call.index: call.call for call in calls(recording)}
    return {
        _told(each.rule, each.verdict, each.call, each.path, found)
        for each in result.findings
        if each.severity is Severity.ERROR
        # What is only counted has no call.
        and (each.call is not None or each.verdict is Verdict.UNKNOWN)
    }


def _told(
    rule: str, verdict: Verdict, call: int | None, path: str | None, found: dict[int, str]
) -> str:
    doubt = "?" if verdict is Verdict.UNKNOWN else ""
    return f"{rule}{doubt}" + ("" if call is None else f" {found[call]}({path})")


def advice(result: ContractResult) -> set[str]:
    """Return the rules of all advice."""
    return {each.rule for each in result.findings if each.severity is Severity.ADVICE}
