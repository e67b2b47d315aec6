"""Figures of a trace: each against a case where the answer is known."""

import errno
import itertools
from typing import Any

import pytest
from report_support import PAGE, START_NS, call, close, fdatasync, pwrite
from syrupy.assertion import SnapshotAssertion

from tracefs.events import Injected
from tracefs.findings import TraceSummary
from tracefs.report.durability import Durability
from tracefs.report.jsonline import line
from tracefs.report.rewrites import PageCount, PageWrites
from tracefs.report.stats import Stats, StatsReport
from tracefs.report.stats_text import render
from tracefs.report.unsynced import RECENT_LIMIT, Unsynced
from tracefs.trace.call import Call

OPEN = call("openat", "open", flags=("O_RDWR", "O_CREAT"), created=True)


def report(*calls: Call, top: int = 10) -> StatsReport:
    numbered = [
        Call(**({f: getattr(c, f) for f in c.__struct_fields__} | {"index": i}))
        for i, c in enumerate(calls)
    ]
    stats = Stats(PAGE, top)
    stats.add_all(numbered)
    return stats.report(TraceSummary(complete=True, calls=len(calls), unknown_calls=0))


def test_a_page_written_and_synced_leaves_nothing() -> None:
    figures = report(OPEN, pwrite(0), fdatasync(start_ns=START_NS + 168_000), close())
    assert figures.bytes_written == PAGE
    assert figures.rewrites.pages == 0
    assert figures.unsynced.closes_with_unsynced == 0
    assert figures.unsynced.bytes_at_end == 0


def test_unsynced_bytes_at_a_close_and_at_the_end() -> None:
    figures = report(OPEN, pwrite(0), pwrite(100), close())
    assert [(c.call, c.path, c.bytes) for c in figures.unsynced.at_close] == [
        (3, "pages.db", PAGE + 100)
    ]
    assert figures.unsynced.bytes_at_end == PAGE + 100


def test_a_failed_write_or_sync_changes_nothing() -> None:
    failed = pwrite(0, errno=errno.ENOSPC, result=None)
    figures = report(failed, pwrite(0), fdatasync(errno=errno.EIO, result=None), close())
    assert figures.unsynced.bytes_at_end == PAGE
    assert figures.bytes_written == PAGE
    assert {c.call: (c.count, c.failed) for c in figures.calls} == {
        "pwrite64": (2, 1),
        "fdatasync": (1, 1),
        "close": (1, 0),
    }
    assert figures.syncs == ()


LATER = START_NS + 10**9
LOST = Injected(rule="fsync:error=EIO:mode=ext4-data", kind="lost")


def _retried(*again: Call, **failed: Any) -> StatsReport:
    """Return the figures of two pages, a sync that fails, *again*, and a sync that succeeds."""
    first = fdatasync(start_ns=LATER, end_ns=LATER + 5, **failed)
    last = fdatasync(start_ns=LATER + 20, end_ns=LATER + 25)
    return report(OPEN, pwrite(0), pwrite(PAGE), first, *again, last, close())


def test_a_sync_after_a_failed_one_saves_nothing_of_what_that_lost() -> None:
    figures = _retried(errno=errno.EIO, result=None)
    (left,) = figures.unsynced.at_end
    assert (left.bytes, left.lost, left.failed) == (2 * PAGE, 2 * PAGE, 3)
    assert "\n".join(render(figures)).endswith(
        "pages.db: 8192 bytes; 8192 of them perhaps lost for good: fdatasync (call 3) failed with "
        "EIO, and no later sync writes them again"
    )
    assert figures.unsynced.closes_with_unsynced == 1


def test_what_is_written_again_can_be_synced_again() -> None:
    again = pwrite(100, 100, start_ns=LATER + 10, end_ns=LATER + 12)
    (left,) = _retried(again, errno=errno.EIO, result=None).unsynced.at_end
    assert (left.bytes, left.lost) == (2 * PAGE - 100, 2 * PAGE - 100)


def test_a_write_beside_the_failed_sync_may_be_lost_with_it() -> None:
    beside = pwrite(2 * PAGE, start_ns=LATER + 4, end_ns=LATER + 12)
    assert _retried(beside, errno=errno.EIO, result=None).unsynced.bytes_at_end == 3 * PAGE


def test_what_is_cut_off_is_not_lost() -> None:
    cut = call("ftruncate", "truncate", length=100, start_ns=LATER + 10)
    assert _retried(cut, errno=errno.EIO, result=None).unsynced.bytes_at_end == 100


def test_an_interrupted_sync_has_lost_nothing() -> None:
    assert _retried(errno=errno.EINTR, result=None).unsynced.bytes_at_end == 0


def test_a_sync_that_claims_success_and_has_lost_its_data_is_told_of() -> None:
    figures = _retried(injected=(LOST,))
    assert figures.unsynced.at_end[0].lost == 2 * PAGE
    assert "fdatasync (call 3) lost them, and no later sync" in "\n".join(render(figures))


def test_a_sync_that_was_only_said_to_be_done_loses_nothing() -> None:
    pretended = Injected(rule="fsync:retval=0", kind="retval")
    assert _retried(injected=(pretended,)).unsynced.bytes_at_end == 0


def test_lost_ranges_count_until_they_are_gone() -> None:
    unsynced = Unsynced(range_limit=2)
    for start in (0, 10, 20):
        unsynced.write(7, pwrite(0), start, start + 5)
    unsynced.failed(fdatasync(start_ns=LATER, end_ns=LATER + 5, errno=errno.EIO))
    unsynced.write(7, pwrite(0, start_ns=LATER + 10), 40, 45)
    assert unsynced.not_followed == 2
    unsynced.forget(7)
    unsynced.write(7, pwrite(0), 0, 5)
    assert unsynced.not_followed == 2


def test_a_sync_that_began_before_the_write_was_answered_does_not_cover_it() -> None:
    write = pwrite(0, start_ns=10, end_ns=30)
    earlier = pwrite(PAGE, start_ns=1, end_ns=2)
    figures = report(earlier, write, fdatasync(start_ns=20, end_ns=40))
    assert figures.unsynced.bytes_at_end == PAGE


def test_times_that_are_not_known_are_not_told() -> None:
    stats = Stats(PAGE, 9, lasting=False)
    stats.add_all([pwrite(0), fdatasync()])
    figures = stats.report(TraceSummary(complete=True, calls=2, unknown_calls=0))
    assert figures.syncs is None
    assert "sync times: not in the text (strace -T)" in list(render(figures, histograms=True))


def test_o_dsync_needs_no_sync() -> None:
    figures = report(pwrite(0), pwrite(0, 100, synced_by="O_DSYNC"), close())
    assert figures.unsynced.bytes_at_end == PAGE - 100


@pytest.mark.parametrize(
    ("after", "left"),
    [
        (call("ftruncate", "truncate", length=100), 100),
        (call("openat", "open", flags=("O_WRONLY", "O_TRUNC")), 0),
        (call("openat", "open", flags=("O_WRONLY",)), PAGE),
        (call("sync", "syncfs", path=None, ino=None, result=0, start_ns=START_NS + 10**9), 0),
        (fdatasync(ino=8, start_ns=START_NS + 10**9), PAGE),
        (OPEN, 0),
    ],
)
def test_what_ends_waiting(after: Call, left: int) -> None:
    assert report(pwrite(0), after).unsynced.bytes_at_end == left


def test_a_cut_range_does_not_come_back_with_an_overlapping_sync() -> None:
    cut = call("ftruncate", "truncate", length=100)
    figures = report(pwrite(0, start_ns=10, end_ns=30), cut, fdatasync(start_ns=20, end_ns=40))
    assert figures.unsynced.bytes_at_end == 100


def test_a_deleted_file_is_said_to_be_deleted() -> None:
    figures = report(pwrite(0), call("unlink", "unlink"))
    assert figures.unsynced.at_end[0].deleted


def test_pages_written_more_than_once() -> None:
    figures = report(pwrite(0), pwrite(0), pwrite(0), pwrite(8292), pwrite(8192), top=1)
    assert figures.rewrites.pages == 2
    assert figures.rewrites.top == (PageCount(writes=3, path="pages.db", page=0),)


def test_a_new_file_with_an_old_inode_number_is_another_file() -> None:
    assert report(pwrite(0), OPEN, pwrite(0)).rewrites.pages == 0


def test_writes_without_a_place_are_counted_as_such() -> None:
    figures = report(call("write", "write", result=5))
    assert (figures.unplaced_writes, figures.bytes_written) == (1, 5)


def test_ranges_beyond_the_limit_are_counted_and_told() -> None:
    unsynced = Unsynced(range_limit=1)
    for start in (0, 10, 20):
        unsynced.write(7, pwrite(0), start, start + 5)
    assert (unsynced.waiting(7), unsynced.not_followed) == (5, 2)
    unsynced.sync(fdatasync(start_ns=START_NS + 10**9))
    unsynced.write(7, pwrite(0), 0, 5)
    assert unsynced.not_followed == 2


def test_a_sync_beside_too_many_writes_is_uncertain() -> None:
    unsynced = Unsynced()
    for i in range(RECENT_LIMIT):
        unsynced.write(7, pwrite(0, end_ns=START_NS + 1000 + i), i, i + 1)
    unsynced.sync(fdatasync(start_ns=START_NS))
    assert unsynced.uncertain == 1


def test_figures_of_a_small_trace(snapshot: SnapshotAssertion) -> None:
    clock = itertools.count(START_NS, 1_000_000)
    calls = [
        OPEN,
        *(pwrite(i % 3 * PAGE, start_ns=next(clock), end_ns=next(clock)) for i in range(5)),
        fdatasync(start_ns=next(clock), end_ns=next(clock)),
        pwrite(100, start_ns=next(clock), end_ns=next(clock), path="new\nline.db"),
        call("write", "write", result=5),
        close(path="new\nline.db"),
        close(),
        call("unlink", "unlink"),
    ]
    figures = report(*calls, top=2)
    assert "\n".join(render(figures)) == snapshot(name="text")
    assert line(figures) == snapshot(name="json")
    assert "\n".join(render(report())) == snapshot(name="nothing recorded")


def test_limits_are_told(snapshot: SnapshotAssertion) -> None:
    stats = Stats(PAGE, 1)
    stats._pages = PageWrites(PAGE, top=1, limit=1)
    stats._durability = Durability(Unsynced(range_limit=1))
    for offset in (0, 0, 8192):
        stats.add(pwrite(offset))
    stats._durability.unsynced.uncertain = 1
    summary = TraceSummary(complete=False, calls=3, unknown_calls=1, incomplete_because="no footer")
    assert "\n".join(render(stats.report(summary))) == snapshot


def test_a_time_of_any_number_of_digits_is_printed() -> None:
    """A forged journal has one; a float would overflow."""
    figures = report(OPEN, pwrite(0), fdatasync(start_ns=0, end_ns=10**400), close())
    assert f"{10**397}.0" in "\n".join(render(figures))


def test_histograms_are_drawn_when_asked_for() -> None:
    slow = fdatasync(start_ns=START_NS, end_ns=START_NS + 3_000_000)
    figures = report(OPEN, *(fdatasync(index=index) for index in range(3)), slow)
    assert "time in us" not in "\n".join(render(figures))
    lines = "\n".join(render(figures, histograms=True)).splitlines()
    at = lines.index("fdatasync, time in us")
    assert [line.split("  ")[-1] for line in lines[at + 1 : at + 3]] == ["#" * 40, "0"]
    assert lines[at + 1].split()[:4] == ["32.8", "-", "65.5", "3"]
    assert figures.syncs is not None
    assert sum(bucket.count for bucket in figures.syncs[0].buckets) == 4
