"""What tracefs writes itself, judged by the contracts that come with it."""

from pathlib import Path

from journal_samples import HEADER

from tracefs.api import Trace
from tracefs.cli.main import main
from tracefs.events import Statfs
from tracefs.findings import Verdict
from tracefs.journal.writer import JournalWriter

SAMPLE = Path(__file__).parents[1] / "data" / "page-write-v5.jsonl"


def test_a_journal_only_grows(traced_dir: Path, trace: Trace) -> None:
    writer = JournalWriter(traced_dir / "r", HEADER, on_failure=print)
    for time in range(3):
        writer.event(Statfs(start_ns=time, end_ns=time, tid=1))
    writer.close(9, "unmounted")
    result = trace.check("append-only-log")
    assert result.verdict is Verdict.KEPT
    # A line is not synced: docs/development/decisions.md says why.
    assert {each.rule for each in result.contracts[0].findings} == {"synced-at-end"}


def test_a_verdict_replaces_the_last_one_whole(traced_dir: Path, trace: Trace) -> None:
    file = traced_dir / "verdict.json"
    for _ in range(2):
        main(["check", str(SAMPLE), "--format", "json", "-o", str(file)])
    # After a power failure the verdict before this one will do.
    result = trace.check("atomic-replace", without=("directory-synced",))
    assert result.verdict is Verdict.KEPT
    assert len(trace.calls(only=("rename",))) == 2
