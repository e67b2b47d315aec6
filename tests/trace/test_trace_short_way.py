"""The short way of the join, for requests that nothing under way concerns, changes no call."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_support import O_DSYNC, O_RDWR, Recording, pwrite, sight

from tracefs.events import Flush, Fsync, Lost, Read, Release, Withdrawn, Write
from tracefs.trace import TraceItem
from tracefs.trace.join import Joiner, calls_only
from tracefs.witness.level_names import LEVELS
from tracefs.witness.levels import notified

TIDS, FILES, PAGE = (1, 2, 3), (1, 2), 4096
"""A file has its number, the number of its one open, and that of its descriptor in common."""


class _All(dict[int, set[int]]):
    """Threads that seek on each file, as it seems: nothing goes the short way."""

    def __contains__(self, _: object) -> bool:
        return True

    def __missing__(self, _: int) -> set[int]:
        return set()


def items(recording: Recording, *, by_the_long_way: bool) -> list[TraceItem]:
    joiner = Joiner(recording.header)
    if by_the_long_way:
        joiner.notices.seeking = _All()
    return list(calls_only(joiner.run(recording.events)))


def _of(file: int) -> dict[str, Any]:
    return {"fd": file, "fd_ino": file}


def _write(made: Recording, tid: int, file: int, place: int) -> None:
    """Write a whole page, the first half of one, or the second."""
    offset = PAGE * (place // 3)
    seen = pwrite(PAGE, offset, **_of(file))
    start, size = ((offset, PAGE), (offset, PAGE // 2), (offset + PAGE // 2, PAGE // 2))[place % 3]
    made.add(Write, tid, ino=file, fh=file, offset=start, size=size, result=size, seen=seen)


def _zero(made: Recording, tid: int, file: int, place: int) -> None:
    seen = pwrite(1, PAGE * place, **_of(file))
    made.add(
        Write, tid, ino=file, fh=file, offset=PAGE * place, size=1, result=1, zero=True, seen=seen
    )


def _unseen(made: Recording, tid: int, file: int, place: int) -> None:
    made.add(Write, tid, ino=file, fh=file, offset=PAGE * place, size=9, result=9, seen=None)


def _stored(made: Recording, _tid: int, file: int, place: int) -> None:
    made.add(Write, 0, ino=file, fh=file, offset=PAGE * place, size=PAGE, result=PAGE, cached=True)


def _sync(made: Recording, tid: int, file: int, place: int) -> None:
    seen = sight("fdatasync", file, position=PAGE * place, **_of(file)) if place else None
    made.add(Fsync, tid, ino=file, fh=file, datasync=True, seen=seen)


def _seek(made: Recording, tid: int, file: int, place: int) -> None:
    made.notice("lseek", file, PAGE, place % 3, tid=tid, position=0, **_of(file))


def _announce(made: Recording, tid: int, file: int, place: int) -> None:
    name = ("pwrite64", "fdatasync", "close", "dup2")[place % 4]
    made.notice(name, file, 0, PAGE, PAGE, tid=tid, closes=(file,), **_of(file))


def _end(made: Recording, tid: int, file: int, place: int) -> None:
    if place % 2:
        made.add(Flush, tid, ino=file, fh=file)
    else:
        made.add(Release, 0, ino=file, fh=file)


def _between(made: Recording, tid: int, file: int, place: int) -> None:
    if place % 4 == 0:
        made.add(Read, tid, ino=file, fh=file, offset=0, size=PAGE, result=PAGE)
    elif place % 4 == 1:
        made.statfs(tid)
    elif place % 4 == 2:
        made.add(Withdrawn, tid)
    else:
        made.add(Lost, 0, reason="it was killed")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                _write,
                _write,
                _zero,
                _unseen,
                _stored,
                _sync,
                _seek,
                _seek,
                _announce,
                _end,
                _between,
            ]
        ),
        st.sampled_from(TIDS),
        st.sampled_from(FILES),
        st.integers(0, 5),
    ),
    max_size=25,
)
Step = tuple[Callable[[Recording, int, int, int], None], int, int, int]


@pytest.mark.parametrize("level", LEVELS)
@settings(max_examples=200)
@given(steps=STEPS, flags=st.sampled_from([O_RDWR, O_RDWR | O_DSYNC]))
def test_it_finds_what_the_long_way_finds(level: str, steps: list[Step], flags: int) -> None:
    made = Recording(witness=level, notified=() if level in LEVELS[:2] else notified(level))
    for file in FILES:
        made.open(flags, path=f"{file}.db", fh=file, ino=file)
    for step, tid, file, place in steps:
        step(made, tid, file, place)
    assert items(made, by_the_long_way=False) == items(made, by_the_long_way=True)
