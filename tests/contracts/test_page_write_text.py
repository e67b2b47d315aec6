"""Every sentence that page-write says, as users read it."""

import errno
from collections.abc import Callable

import pytest
from page_write_calls import PAGE, Script, judge
from syrupy.assertion import SnapshotAssertion

PROGRAMS: dict[str, Callable[[Script], None]] = {}


def program(write_down: Callable[[Script], None]) -> Callable[[Script], None]:
    """Let every test see the messages about this program."""
    PROGRAMS[write_down.__name__] = write_down
    return write_down


@program
def plain_write_from_position_0(script: Script) -> None:
    opened = script.open()
    script.write(opened, name="write")
    script.sync(opened, position=PAGE)


@program
def unknown_call(script: Script) -> None:
    opened = script.open()
    script.write(opened, 1, name="unknown", reason="EACCES on /proc/42/syscall")
    script.sync(opened)


@program
def mapped_store(script: Script) -> None:
    script.write(script.open(), 1, name="mmap", position=None)


@program
def wrong_lengths(script: Script) -> None:
    opened = script.open()
    for length in (100, 2 * PAGE):
        script.write(opened, length=length)
        script.sync(opened)


@program
def nothing_known(script: Script) -> None:
    opened = script.open(size=None)
    script.write(
        opened, name="unknown", offset=None, length=None, result=None, position=None, reason="why"
    )
    script.sync(opened, "unknown", position=None)


@program
def inside_a_page(script: Script) -> None:
    opened = script.open()
    script.write(opened, offset=PAGE + 100)
    script.sync(opened)


@program
def no_sync(script: Script) -> None:
    opened = script.open()
    script.write(opened, 0)
    script.write(opened, 1)
    script.end(opened)
    script.write(script.open("b.db"), 2)


@program
def sync_elsewhere(script: Script) -> None:
    opened = script.open()
    script.write(opened)
    script.sync(script.open("log", flags=["O_RDONLY"]), "fsync")
    script.end(opened)


@program
def sync_too_early(script: Script) -> None:
    opened = script.open()
    script.write(opened, start_ns=100, end_ns=120)
    script.sync(opened, start_ns=110, end_ns=130)
    script.end(opened)


@program
def write_during_the_sync(script: Script) -> None:
    opened = script.open()
    script.write(opened, start_ns=100, end_ns=120)
    script.sync(opened, start_ns=130, end_ns=150)
    script.write(opened, 1, start_ns=140, end_ns=160)
    script.sync(opened, start_ns=170, end_ns=180)


@program
def failed_sync(script: Script) -> None:
    opened = script.open()
    script.write(opened, 3)
    script.sync(opened, errno=errno.EIO, result=None)
    script.sync(opened)


@program
def passed_over(script: Script) -> None:
    opened = script.open()
    script.write(opened, 0, result=100)
    script.sync(opened)
    script.write(opened, 1, errno=errno.ENOSPC)
    script.page(opened, 2)


@program
def seeks(script: Script) -> None:
    opened = script.open()
    script.write(opened, 0, position=99 * PAGE)
    script.sync(opened, position=2 * PAGE)
    script.call("lseek", "seek", handle=opened.handle, path="a.db", offset=0, result=0)
    script.write(opened, 0, position=PAGE)
    script.sync(opened, position=PAGE)


@program
def no_position(script: Script) -> None:
    opened = script.open()
    script.write(opened, position=None, reason="fdinfo: EACCES")
    script.sync(opened, position=None)


@program
def flags(script: Script) -> None:
    for given in (
        ["O_RDWR", "O_APPEND"],
        ["O_RDWR", "O_CREAT", "O_TRUNC"],
        ["O_WRONLY", "O_CREAT"],
        ["O_RDWR", "O_DSYNC"],
    ):
        script.open(flags=given)
    script.page(script.open())


@program
def open_not_in_the_trace(script: Script) -> None:
    opened = script.open()
    script.items.clear()
    script.page(opened)


@program
def advice(script: Script) -> None:
    opened = script.open("sub/a.db", created=True)
    script.page(opened)
    script.write(opened)
    script.sync(opened, "fsync")
    script.sync(opened)
    script.end(opened)


@program
def nothing(script: Script) -> None:
    script.end(script.open())


@pytest.mark.parametrize("name", PROGRAMS)
def test_messages(name: str, snapshot: SnapshotAssertion) -> None:
    script = Script()
    PROGRAMS[name](script)
    result = judge(script.items)
    lines = [f"{result.verdict}"]
    for each in result.findings:
        kind = f"{each.rule} ({each.severity}, {each.verdict})"
        where = f"call {each.call}, {each.path}, page {each.page}"
        lines += [f"{kind} {where}", f"  {each.message}", f"  {each.repair}"]
    lines += [f"{rule}: {said}" for rule, said in result.evidence.items()]
    assert "\n".join(lines) == snapshot


def test_an_incomplete_trace(snapshot: SnapshotAssertion) -> None:
    script = Script()
    script.write(script.open())
    result = judge(script.items, complete=False, why="the footer is missing")
    assert [each.message for each in result.findings] == snapshot


def test_nothing_written_where_asked(snapshot: SnapshotAssertion) -> None:
    result = judge([], paths=("*.db", "wal/*"))
    assert [each.message for each in result.findings] == snapshot
