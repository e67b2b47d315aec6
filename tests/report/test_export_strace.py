"""Strace's text, read by who reads that of strace itself."""

import re
import tempfile
from collections.abc import Iterable

import pytest
from hypothesis import given
from inline_snapshot import snapshot
from msgspec.structs import replace
from report_support import HEADER, PAGE, START_NS, call, close, fdatasync, pwrite
from test_export_formats import NAMES, exported, opened

from tracefs.events import Injected
from tracefs.pathtext import to_text
from tracefs.report.export_strace import UNSEEN, Strace
from tracefs.strace.text import open_text
from tracefs.trace.call import Call

SYNCS = "".join(
    f"12341 {name} = -1 EBADF (Bad file descriptor)\n"
    for name in ("fsync(9)", "fdatasync(9)", "msync(NULL, 0, MS_SYNC)")
)
"""Without these a text may be one of some calls only, and is not read."""


def text(calls: Iterable[Call]) -> tuple[str, int]:
    """Return the text, and how many calls it leaves out."""
    made, export = list(calls), Strace(HEADER)
    export.learn(made)
    return exported(export, made).decode(), export.left_out


def read(said: str) -> list[Call]:
    with tempfile.TemporaryFile() as file:
        file.write((said + SYNCS).encode())
        file.seek(0)
        found = open_text(file, "text", "/")
        assert found is not None
        return [item for item in found.trace().items() if isinstance(item, Call)]


def what(one: Call) -> tuple[object, ...]:
    return (
        one.call, one.path, one.target, one.tid, one.fd, one.offset, one.length, one.result,
        one.errno, one.flags,
    )  # fmt: skip


RUN = (
    opened(index=0, fd=None),
    pwrite(0, index=1, handle=1),
    fdatasync(
        index=2, handle=1, errno=5, result=None, injected=(Injected(kind="error", rule="r"),)
    ),
    call("lseek", "seek", index=3, fd=3, handle=1, offset=5, result=5, flags=("SEEK_SET",)),
    call("ftruncate", "truncate", index=4, fd=3, handle=1, length=PAGE, result=0),
    close(index=5, handle=1, fd=None),
    call("rename", "rename", index=6, target="a <b>", result=0),
    call("unlinkat", "rmdir", index=7, path="sub", result=0),
)


def test_it_looks_like_what_strace_prints() -> None:
    said, left_out = text(RUN)
    assert left_out == 0
    assert said == snapshot("""\
12341 1767323045.000123 openat(AT_FDCWD, "/pages.db", O_RDWR|O_CREAT) = 3</pages.db> <0.000045>
12341 1767323045.000223 pwrite64(3</pages.db>, ""..., 4096, 0) = 4096 <0.000045>
12341 1767323045.000323 fdatasync(3</pages.db>) = -1 EIO (Input/output error) (INJECTED) <0.000045>
12341 1767323045.000423 lseek(3</pages.db>, 5, SEEK_SET) = 5 <0.000045>
12341 1767323045.000523 ftruncate(3</pages.db>, 4096) = 0 <0.000045>
12341 1767323045.000623 close(3</pages.db>) = 0 <0.000045>
12341 1767323045.000723 rename("/pages.db", "/a <b>") = 0 <0.000045>
12341 1767323045.000823 unlinkat(AT_FDCWD, "/sub", AT_REMOVEDIR) = 0 <0.000045>
""")


def test_what_strace_reads_of_it_is_what_was_recorded() -> None:
    said, _ = text(RUN)
    found = read(said)
    # An open tells its descriptor in strace's text, which no filesystem is told.
    wanted = [replace(RUN[0], fd=3, result=3), *RUN[1:5], replace(RUN[5], fd=3), *RUN[6:]]
    names = {one.call for one in found}
    assert [what(one) for one in found] == [what(one) for one in wanted if one.call in names]
    assert {"openat", "pwrite64", "fdatasync", "lseek", "ftruncate", "close"} <= names


@given(NAMES.filter(lambda name: name not in {".", ".."} and "/" not in name))
def test_any_name_comes_back(name: str) -> None:
    path = to_text(name.encode())
    said, _ = text([opened(path, index=0), close(index=1, path=path, handle=1)])
    assert len(said.splitlines()) == 2
    assert said.isascii()
    assert [one.path for one in read(said)] == [path, path]


def test_a_descriptor_that_nobody_saw_has_a_number_that_none_can_have() -> None:
    said, left_out = text([opened(index=0, fd=None), close(index=1, handle=1, fd=None)])
    assert left_out == 0
    assert re.findall(r"\d+<", said.replace(" <", "")) == [f"{UNSEEN}<"] * 2


def test_which_of_two_descriptors_was_closed_is_not_invented() -> None:
    copied = call("dup", "dup", index=1, fd=3, handle=1, result=None)
    closes = [close(index=n, handle=1, fd=None) for n in (2, 3)]
    said, left_out = text([opened(index=0, fd=3), copied, *closes])
    assert left_out == 3
    assert "close" not in said


@pytest.mark.parametrize(
    "one",
    [
        call("unknown", "write", offset=0, length=10, result=10, fd=3),
        call("mmap", "write", tid=None, offset=0, length=10, result=10),
        pwrite(0, path=None, fd=None, handle=None),
        pwrite(0, result=None, reason="nobody knows"),
        call("fchmod", "attr", fd=3, result=0),
    ],
)
def test_what_it_cannot_say_is_left_out_and_counted(one: Call) -> None:
    assert text([one]) == ("", 1)


def test_the_end_of_a_process_is_no_call() -> None:
    assert text([call("exit", "close", handle=1)]) == ("", 0)


def test_a_trace_without_times_has_none() -> None:
    export = Strace(replace(HEADER, clock="none", started="", start_ns=0))
    assert export.call(fdatasync()) == b"12341 fdatasync(3</pages.db>) = 0\n"


def test_a_trace_without_durations_has_none() -> None:
    """strace without -T."""
    clock = "CLOCK_REALTIME, at the start"
    export = Strace(replace(HEADER, clock=clock, started="", start_ns=0))
    once = fdatasync(start_ns=1_500_000_000, end_ns=1_500_000_000)
    assert export.call(once) == b"12341 1.500000 fdatasync(3</pages.db>) = 0\n"


def test_seconds_count_from_1970() -> None:
    said, _ = text([fdatasync(start_ns=START_NS + 1_500_000_000, end_ns=START_NS + 1_500_045_000)])
    # date -u -d 2026-01-02T03:04:05 +%s
    assert said.startswith("12341 1767323046.500000 fdatasync")
    assert said.endswith(" <0.000045>\n")
