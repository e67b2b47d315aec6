"""The answer of ``tracefs stats`` as text."""

from collections.abc import Iterator
from typing import Final

from tracefs.report.frame import calls, completeness, plural
from tracefs.report.quote import printable
from tracefs.report.stats import Latency, StatsReport, UnsyncedReport
from tracefs.report.strace import error_name
from tracefs.report.unsynced import Waiting

_BAR: Final = 40
"""Signs of the longest bar."""


def render(report: StatsReport, *, histograms: bool = False) -> Iterator[str]:
    """Yield the lines for *report*; *histograms*: with a bar for each doubling of sync times."""
    yield f"# {completeness(report.trace)}; {calls(report.trace)}"
    yield from _calls(report)
    yield from _syncs(report.syncs)
    if histograms:
        for row in report.syncs or ():
            yield from _bars(row)
    yield from _rewrites(report)
    yield from _unsynced(report.unsynced)


def _calls(report: StatsReport) -> Iterator[str]:
    yield ""
    yield "calls                    count   failed"
    for row in report.calls:
        yield f"  {row.call:<18} {row.count:>9} {row.failed:>8}"
    yield ""
    yield f"bytes written: {report.bytes_written}"
    if report.unplaced_writes:
        writes = plural(report.unplaced_writes, "write")
        yield f"  {writes} without a known place: not counted below"


def _syncs(syncs: tuple[Latency, ...] | None) -> Iterator[str]:
    yield ""
    if syncs is None:
        yield "sync times: not in the text (strace -T)"
        return
    if not syncs:
        yield "sync times: there was no sync that succeeded"
        return
    yield "sync times (us)          count       p50       p90       p99       max"
    for row in syncs:
        times = (row.p50_ns, row.p90_ns, row.p99_ns, row.max_ns)
        columns = "".join(f" {_microseconds(time):>9}" for time in times)
        yield f"  {row.call:<18} {row.count:>9}{columns}"
    yield "  percentiles are rounded up by at most 3.1 %"


def _bars(row: Latency) -> Iterator[str]:
    """Yield one histogram; every call that there was has a sign, however few they are."""
    yield ""
    yield f"{row.call}, time in us"
    most = max(bucket.count for bucket in row.buckets)
    for bucket in row.buckets:
        low, high = _microseconds(bucket.below_ns // 2), _microseconds(bucket.below_ns)
        bar = "#" * -(-bucket.count * _BAR // most)
        yield f"  {low:>11} - {high:>11}  {bucket.count:>9}  {bar}".rstrip()


def _microseconds(nanoseconds: int) -> str:
    """Return them with one decimal; a forged journal's times have more digits than a float."""
    whole, tenth = divmod((abs(nanoseconds) + 50) // 100, 10)
    return f"{'-' if nanoseconds < 0 else ''}{whole}.{tenth}"


def _rewrites(report: StatsReport) -> Iterator[str]:
    rewrites = report.rewrites
    yield ""
    yield f"pages written more than once: {rewrites.pages}"
    for row in rewrites.top:
        yield f"  {printable(row.path)}, page {row.page}: {row.writes} times"
    yield from _more(rewrites.pages - len(rewrites.top))
    if rewrites.not_followed:
        yield f"  limit reached: {plural(rewrites.not_followed, 'page write')} not followed"


def _unsynced(report: UnsyncedReport) -> Iterator[str]:
    yield ""
    closes = plural(report.closes, "close")
    yield f"closes with unsynced bytes: {report.closes_with_unsynced} of {closes}"
    for close in report.at_close:
        yield f"  call {close.call}, {printable(close.path)}: {plural(close.bytes, 'byte')}"
    yield from _more(report.closes_with_unsynced - len(report.at_close))
    files = plural(report.files_at_end, "file")
    yield f"unsynced at the end: {plural(report.bytes_at_end, 'byte')} in {files}"
    for file in report.at_end:
        deleted = " (deleted)" if file.deleted else ""
        yield f"  {printable(file.path)}: {plural(file.bytes, 'byte')}{deleted}{_lost(file)}"
    yield from _more(report.files_at_end - len(report.at_end))
    if report.not_followed:
        writes = plural(report.not_followed, "write")
        yield f"  limit reached: {writes} not followed, so these are lower bounds"
    if report.uncertain_syncs:
        syncs = plural(report.uncertain_syncs, "sync")
        yield f"  {syncs} beside too many concurrent writes to tell what was covered"


def _lost(file: Waiting) -> str:
    if file.failed is None:
        return ""
    how = f"failed with {error_name(file.errno)}" if file.errno else "lost them"
    return (
        f"; {file.lost} of them perhaps lost for good: {file.sync} (call {file.failed}) {how}, "
        "and no later sync writes them again"
    )


def _more(number: int) -> Iterator[str]:
    if number > 0:
        yield f"  ... and {number} more (--top N shows more)"
