"""Two runs compared, as people read it."""

from typing import Any

import pytest
from report_support import PAGE, call, close, fdatasync, pwrite
from syrupy.assertion import SnapshotAssertion

from tracefs.golden import Golden, Order, compare, normalised
from tracefs.report.comparison import ComparisonText
from tracefs.report.style import Style
from tracefs.trace.call import Call


def openat(**fields: Any) -> Call:
    known = {"flags": ("O_RDWR", "O_CREAT"), "created": True, "handle": 1}
    return call("openat", "open", **(known | fields))


RIGHT = [openat(), pwrite(2 * PAGE), fdatasync(), close()]
UNNAMED = call("unknown", "write", offset=2 * PAGE, result=PAGE, reason="io_uring")
WRONG = {
    "flags": [openat(flags=("O_RDWR", "O_TRUNC"), created=False), *RIGHT[1:]],
    "call": [RIGHT[0], call("write", "write", offset=2 * PAGE, length=PAGE, result=PAGE),
             *RIGHT[2:]],
    "place": [RIGHT[0], pwrite(7 * PAGE, 100), *RIGHT[2:]],
    "file": [RIGHT[0], RIGHT[1], fdatasync(path="other.db"), RIGHT[3]],
    "error": [*RIGHT[:2], fdatasync(result=None, errno=28), RIGHT[3]],
    "short": [RIGHT[0], pwrite(2 * PAGE, result=100), *RIGHT[2:]],
    "synced": [RIGHT[0], pwrite(2 * PAGE, synced_by="O_DSYNC"), *RIGHT[2:]],
    "missing": [*RIGHT[:2], RIGHT[3]],
    "extra": [*RIGHT[:2], RIGHT[1], *RIGHT[2:]],
    "moved": [RIGHT[0], RIGHT[2], RIGHT[1], RIGHT[3]],
    "unnamed": [RIGHT[0], UNNAMED, *RIGHT[2:]],
    "guessed": [call("open", "open", flags=("O_RDWR", "O_CREAT"), created=True, known_by="fuse"),
          *RIGHT[1:]],
    "unseen": [RIGHT[0], pwrite(2 * PAGE, result=None), *RIGHT[2:]],
}  # fmt: skip


def text(a: list[Call], b: list[Call], order: Order = Order.EITHER, **how: Any) -> str:
    found = compare(golden(a), golden(b), order)
    return "\n".join(ComparisonText(name_a="right", name_b="wrong", **how).render(found))


def golden(calls: list[Call]) -> Golden:
    return Golden(entries=normalised(calls), page_size=PAGE, witness="seccomp")


@pytest.mark.parametrize("kind", WRONG)
def test_each_kind_of_difference(kind: str, snapshot: SnapshotAssertion) -> None:
    assert text(RIGHT, WRONG[kind]) == snapshot


def test_threads(snapshot: SnapshotAssertion) -> None:
    def run(*tids: int, skip: int = -1) -> list[Call]:
        calls = [
            one
            for turn in range(3)
            for tid in tids
            for one in (
                pwrite((tid * 10 + turn) * PAGE, tid=tid),
                fdatasync(tid=tid, length=None),
            )
        ]
        return [one for at, one in enumerate(calls) if at != skip]

    assert text(run(1, 2), run(2, 1)) == snapshot
    assert text(run(1, 2), run(2, 1, skip=3)) == snapshot


def test_only_what_follows_each_other_is_one_row(snapshot: SnapshotAssertion) -> None:
    pages = [0, 1, 2, 3, 7, 8, 20, 30, 40]
    more = [pwrite(page * PAGE, path="new") for page in pages]
    more += [call("fsync", "sync", path="new")] * 4
    assert text(RIGHT, [*RIGHT, *more]) == snapshot


def test_names_cant_steer_a_terminal() -> None:
    shown = text(RIGHT, [openat(path="a\x1b[2J\n"), *RIGHT[1:]], style=Style(colour=True))
    assert "\x1b[2J" not in shown
    assert "a\\x1b[2J\\x0a" in shown
