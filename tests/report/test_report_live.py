"""How a recording is while it is being made."""

import pytest
from report_support import PAGE, START_NS, call, close, fdatasync, pwrite
from syrupy.assertion import SnapshotAssertion

from tracefs.findings import Finding, Severity, Verdict
from tracefs.report.durability import Durability
from tracefs.report.live import FileNow, Live, Now, lines
from tracefs.report.unsynced import Unsynced
from tracefs.trace.call import Call


def after(*calls: Call, top: int = 9) -> Now:
    live = Live()
    for one in calls:
        live.take(one)
    return live.now(top)


def finding(number: int) -> Finding:
    return Finding(
        rule="synced", severity=Severity.ERROR, verdict=Verdict.BROKEN, call=number,
        path="pages.db", page=None, message="", repair="",
    )  # fmt: skip


RUN = (
    pwrite(0, index=0), fdatasync(index=1), pwrite(PAGE, index=2),
    pwrite(0, index=3, ino=8, path="a\x1b[2J"), fdatasync(index=4, errno=5, result=None),
    call("unknown", "read", index=5, ino=None), close(index=6),
)  # fmt: skip


def test_files_are_counted_each_by_itself() -> None:
    now = after(*RUN)
    assert now.files == (
        FileNow(path="pages.db", calls=5, bytes=2 * PAGE, syncs=2, waiting=PAGE),
        FileNow(path="a\x1b[2J", calls=1, bytes=PAGE, syncs=0, waiting=PAGE),
    )
    assert (now.calls, now.unknown, now.failed, now.syncs) == (7, 1, 1, 2)
    assert (now.waiting, now.p50_ns, now.max_ns) == (2 * PAGE, 45_000, 45_000)


def test_an_inode_number_that_comes_again_is_another_file() -> None:
    made = call("openat", "open", created=True, path="new")
    [file] = after(pwrite(0), made).files
    assert (file.path, file.bytes, file.waiting) == ("new", 0, 0)


def test_bytes_of_a_write_without_a_known_place_may_wait() -> None:
    append = call("write", "write", result=10)
    assert "not synced: at least 4096 bytes" in list(lines(after(pwrite(0), append)))
    assert "not synced: 4096 bytes" in list(lines(after(pwrite(0))))


def test_a_sync_that_took_no_time_has_succeeded() -> None:
    shown = list(lines(after(fdatasync(start_ns=START_NS, end_ns=START_NS))))
    assert shown[1].startswith("1 sync, the latest: half within 0 us")


def test_the_rate_is_that_of_the_program() -> None:
    live = Live()
    live.take(pwrite(0, start_ns=START_NS))
    assert live.now(1).calls_a_second == 0
    for number in range(1, 101):
        live.take(pwrite(0, start_ns=START_NS + number * 1_000_000))
    assert live.now(1).calls_a_second == 1000
    assert live.now(1).calls_a_second == 0


def test_what_could_not_be_followed_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracefs.report.live._MOST_FILES", 1)
    live = Live()
    live._durability = Durability(Unsynced(range_limit=2))
    for page, ino in ((0, 7), (2, 8), (4, 7)):
        live.take(pwrite(page * PAGE, ino=ino))
    shown = list(lines(live.now(1)))
    assert "not synced: at least 8192 bytes" in shown
    assert shown[-1] == "and at least 1 more file"


def test_what_is_shown(snapshot: SnapshotAssertion) -> None:
    live = Live()
    for one in RUN:
        live.take(one)
    found = tuple(map(finding, range(7)))
    shown = [*lines(live.now(1, found, behind=True)), "", *lines(live.now(9, ended=True))]
    assert "\n".join(shown) == snapshot
