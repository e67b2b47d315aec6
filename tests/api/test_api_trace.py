"""A recording as a test asks about it."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tracefs import Trace
from tracefs.api import ANY, Call, IncompleteError, close, fdatasync, openat, pwrite, unknown
from tracefs.errors import RecordingError, UsageError
from tracefs.events import AnyEvent, Flush, Header, Mark, Notice, Open, Rename, Sighting, Write
from tracefs.findings import Verdict
from tracefs.journal.reader import JournalReader
from tracefs.journal.writer import JournalWriter

GOLDEN = Path(__file__).parent.parent / "data" / "page-write-v3.jsonl"
PWRITE = Sighting(nr=18, args=(3, 0, 4096, 0, 0, 0), fd=3, pid=7)


@pytest.fixture
def header() -> Header:
    with JournalReader(GOLDEN) as reader:
        return msgspec.structs.replace(reader.header, version=3)


def written(folder: Path, header: Header, events: Iterable[AnyEvent], *, end: bool = True) -> Path:
    """Return a recording of *events*, made by the real writer."""
    lost: list[str] = []
    writer = JournalWriter(folder, header, on_failure=lost.append)
    for event in events:
        writer.event(event)
    if end:
        writer.close(10**18, "unmounted")
    assert not lost
    return folder


def opened(path: str, fh: int = 1) -> Open:
    return Open(start_ns=1, end_ns=2, tid=7, path=path, ino=100 + fh, fh=fh, flags=2)


def page(fh: int = 1, **fields: Any) -> Write:
    given: dict[str, Any] = {"offset": 0, "size": 4096, "result": 4096, "seen": PWRITE} | fields
    return Write(start_ns=3, end_ns=4, tid=7, ino=100 + fh, fh=fh, **given)


def test_the_calls_of_a_recording() -> None:
    trace = Trace(GOLDEN)
    assert trace.calls() == [
        openat("pages.db"), pwrite("pages.db", 4096, at=4096), fdatasync("pages.db"),
        close("pages.db"),
    ]  # fmt: skip
    assert list(trace) == trace.calls()
    assert [call.index for call in trace] == [0, 1, 2, 3]
    assert (len(trace), trace.complete, trace.incomplete_because) == (4, True, None)
    assert (trace.outside, trace.marks, trace.page_size) == (0, (), 4096)


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ("write", ["pwrite64"]),
        (("write", "sync"), ["pwrite64", "fdatasync"]),
        ("pwrite", ["pwrite64"]),
        (["pwrite64", "close"], ["pwrite64", "close"]),
        ("fsync", []),
        ((), []),
    ],
)
def test_families_and_names_choose(only: str | tuple[str, ...], names: list[str]) -> None:
    assert [call.name for call in Trace(GOLDEN).calls(only=only)] == names


@pytest.mark.parametrize(
    ("only", "message"),
    [
        ("pwritee", "There is no call or family 'pwritee'; did you mean 'pwrite'"),
        ("fdatasnyc", "did you mean 'fdatasync'"),
        (("write", "writes"), "did you mean 'write'"),
        ("zzzz", "There is no call or family 'zzzz'."),
        ("read", "There is no call or family 'read'"),
    ],
)
def test_a_name_that_is_none_is_refused(only: str | tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Trace(GOLDEN).calls(only=only)


def test_paths_choose() -> None:
    trace = Trace(GOLDEN)
    assert len(trace.calls("*.db")) == len(trace.calls("pages.db")) == 4
    assert trace.calls("*.wal") == []
    assert len(trace.calls(pid=4242)) == 4
    assert trace.calls(pid=1) == []


def test_what_nobody_could_name_is_there_when_it_may_be_what_is_asked_for(
    tmp_path: Path, header: Header
) -> None:
    seen = Sighting(missing="gone")
    trace = Trace(written(tmp_path / "r", header, [opened("a.db"), page(seen=seen)]))
    expected = [unknown("a.db", family="write")]
    assert trace.calls(only="pwrite") == trace.calls(only="write") == expected
    assert trace.calls(only="fdatasync") == []
    assert trace.calls(only="pwrite") != [pwrite("a.db", 4096, at=0)]


def test_what_only_the_request_names_is_there_when_it_may_be_what_is_asked_for(
    tmp_path: Path, header: Header
) -> None:
    moved = Rename(start_ns=1, end_ns=2, tid=7, path="b.db", old="a.db", ino=101)
    bare = msgspec.structs.replace(header, witness="none")
    trace = Trace(written(tmp_path / "r", bare, [moved]))
    (call,) = trace.calls()
    assert (call.name, call.path) == ("rename", "a.db")
    assert trace.calls(only="renameat2") == [call]
    assert trace.calls(only="linkat") == []


def test_a_file_that_is_not_known_may_be_any(tmp_path: Path, header: Header) -> None:
    trace = Trace(written(tmp_path / "r", header, [page(fh=9)]))
    assert trace.calls("*.db") == [pwrite(ANY, 4096, at=0)]
    assert trace.calls("*.db") != [pwrite("a.db", 4096, at=0)]


def test_an_incomplete_recording_gives_no_list_unasked(tmp_path: Path, header: Header) -> None:
    trace = Trace(written(tmp_path / "r", header, [opened("a.db"), page()], end=False))
    assert not trace.complete
    assert "no footer" in str(trace.incomplete_because)
    for ask in (trace.calls, lambda: list(trace), lambda: len(trace)):
        with pytest.raises(IncompleteError, match="no footer"):
            ask()
    assert trace.calls(only="write", allow_incomplete=True) == [pwrite("a.db", 4096, at=0)]
    assert "# incomplete: no footer" in trace.text()
    assert trace.check("page-write").verdict is not Verdict.KEPT


@pytest.mark.parametrize("only", ["seek", "lseek", ("write", "mmap"), "syncfs"])
def test_what_nobody_was_notified_of_is_no_empty_list(
    tmp_path: Path, header: Header, only: str | tuple[str, ...]
) -> None:
    heard = msgspec.structs.replace(header, notified=("lseek", "mmap", "sync", "syncfs"))
    assert isinstance(Trace(written(tmp_path / "heard", heard, [])).calls(only=only), list)
    trace = Trace(written(tmp_path / "unheard", header, []))
    with pytest.raises(IncompleteError, match="isn't notified of it") as raised:
        trace.calls(only=only)
    assert raised.value.__notes__ == [f"repair: {raised.value.repair}"]
    assert trace.calls(only=only, allow_incomplete=True) == []


def test_paths_are_relative_to_the_root(tmp_path: Path, header: Header) -> None:
    events: list[AnyEvent] = [
        opened("t1/a.db", 1),
        opened("t1/sub/b.db", 2),
        opened("t10/a.db", 3),
        page(1),
        page(3),
        Rename(start_ns=5, end_ns=6, tid=7, old="t1/a.db", path="t2/x", ino=101),
        Rename(start_ns=5, end_ns=6, tid=7, old="t2/x", path="t2/y", ino=101),
    ]
    trace = Trace(written(tmp_path / "r", header, events), root="t1")
    assert [(call.path, call.target) for call in trace] == [
        ("a.db", None), ("sub/b.db", None), ("a.db", None), ("a.db", "../t2/x"),
    ]  # fmt: skip
    assert trace.outside == 3
    assert [call.index for call in trace] == [0, 1, 3, 5]
    assert '"a.db", "../t2/x"' in trace.text()
    assert trace.check("page-write").trace.calls == 4


def test_sections_lie_between_marks(tmp_path: Path, header: Header) -> None:
    header = msgspec.structs.replace(header, version=4)
    mark = Mark(start_ns=3, end_ns=3, tid=7, text="load")
    later = Mark(start_ns=5, end_ns=5, tid=7, text="save")
    events: list[AnyEvent] = [
        opened("a.db"), page(), mark, page(offset=4096, seen=_at(4096)), later,
        Flush(start_ns=6, end_ns=7, tid=7, ino=101, fh=1),
    ]  # fmt: skip
    trace = Trace(written(tmp_path / "r", header, events))
    assert trace.marks == ("load", "save")
    assert trace.section("load").calls() == [pwrite("a.db", 4096, at=4096)]
    assert trace.section("save").calls() == [close("a.db")]
    assert len(trace) == 4
    with pytest.raises(UsageError, match=r"no mark 'lode'.*'load', 'save'"):
        trace.section("lode")


def _at(offset: int) -> Sighting:
    return msgspec.structs.replace(PWRITE, args=(3, 0, 4096, offset, 0, 0))


def test_a_trace_is_judged() -> None:
    result = Trace(GOLDEN).check("page-write", without=["synced"], paths=["*.db"])
    assert result.verdict is Verdict.KEPT
    assert result.contracts[0].without == ("synced",)
    with pytest.raises(UsageError, match="no contract 'page-wrote'"):
        Trace(GOLDEN).check("page-wrote")


def test_the_text_is_that_of_show() -> None:
    command = [sys.executable, "-m", "tracefs", "show", str(GOLDEN)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert Trace(GOLDEN).text() == shown.stdout.rstrip("\n")


def test_a_missing_recording_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="there is no recording"):
        Trace(tmp_path / "none")


def test_nothing_is_left_open(tmp_path: Path, header: Header) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    trace = Trace(written(tmp_path / "r", header, [opened("a.db")]))
    before = count()
    trace.calls()
    with pytest.raises(UsageError):
        trace.check("page-wrote")
    trace.text()
    assert count() == before


def test_values_of_a_notice_are_there(tmp_path: Path, header: Header) -> None:
    header = msgspec.structs.replace(header, witness="seccomp", notified=("lseek",))
    seen = Sighting(nr=8, args=(3, 8192, 0, 0, 0, 0), fd=3, pid=7, position=0, fd_flags=2)
    notice = Notice(start_ns=1, end_ns=2, tid=7, seen=seen, path="a.db")
    (call,) = Trace(written(tmp_path / "r", header, [notice])).calls()
    assert isinstance(call, Call)
    assert (call.name, call.offset, call.position, call.flags) == ("lseek", 8192, 0, ("SEEK_SET",))
