"""Marks: at their place if asked for, and never in a judge's way."""

import pytest
from trace_support import TID, Recording, pwrite

from tracefs.events import Mark
from tracefs.trace import Call, Marked, TraceItem
from tracefs.trace.join import Joiner

OTHER = TID + 1


def marked(recording: Recording) -> list[TraceItem | Marked]:
    return list(Joiner(recording.header).run(recording.events, marks=True))


def names(recording: Recording) -> list[str]:
    """Return the names of calls, and the texts of marks."""
    items = [item for item in marked(recording) if isinstance(item, Call | Marked)]
    return [item.text if isinstance(item, Marked) else item.call for item in items]


@pytest.mark.parametrize("witness", ["proc", "seccomp"])
def test_a_mark_stands_where_it_was_made(witness: str) -> None:
    made = Recording(witness=witness, notified=("lseek",) if witness == "seccomp" else ())
    made.open()
    made.add(Mark, text="load")
    made.write(pwrite(100, 0), 0, 100)
    made.add(Mark, tid=0, text="check")
    made.flush()
    assert names(made) == ["open", "load", "pwrite64", "check", "close"]
    (load, check) = [item for item in marked(made) if isinstance(item, Marked)]
    assert load == Marked(text="load", at_ns=20, tid=TID)
    assert check.tid is None


def test_a_judge_never_sees_one() -> None:
    made = Recording()
    made.open()
    made.add(Mark, text="load")
    assert [type(item) for item in made.items()] == [Call]


def test_marks_are_not_counted() -> None:
    made = Recording()
    made.add(Mark, text="load")
    made.open()
    joiner = Joiner(made.header)
    _, call = joiner.run(made.events, marks=True)
    assert isinstance(call, Call)
    assert (call.index, joiner.output.calls, joiner.output.unknown) == (0, 1, 0)


def test_a_thread_that_marks_is_not_in_a_write_any_more() -> None:
    """It was told of less than it asked for; the mark comes after that."""
    made = Recording()
    made.open()
    made.write(pwrite(8192, 0), 0, 4096)
    made.add(Mark, text="after")
    made.write(pwrite(8192, 0), 4096, 4096)
    (_, first, mark, *_) = marked(made)
    assert isinstance(first, Call)
    assert (first.call, first.result) == ("pwrite64", 4096)
    assert isinstance(mark, Marked)


def test_another_s_write_goes_on_over_a_mark() -> None:
    made = Recording()
    made.open()
    made.write(pwrite(8192, 0), 0, 4096)
    made.add(Mark, tid=OTHER, text="meanwhile")
    made.write(pwrite(8192, 0), 4096, 4096)
    assert names(made) == ["open", "meanwhile", "pwrite64"]
    (*_, call) = marked(made)
    assert isinstance(call, Call)
    assert (call.result, call.fragments, call.reason) == (8192, 2, None)


def test_a_seek_is_over_when_its_thread_marks() -> None:
    made = Recording(witness="seccomp", notified=("lseek",))
    made.open()
    made.notice("lseek", 3, 4096, 0)
    made.add(Mark, text="after")
    made.notice("lseek", 3, 0, 0)
    assert names(made) == ["open", "lseek", "after", "lseek"]


def test_a_sync_of_a_write_that_the_recording_before_has_is_not_named() -> None:
    """A new recording began between an O_DSYNC write's WRITE and its FSYNC."""
    made = Recording()
    made.fsync(pwrite(4096, 0))
    (call,) = made.calls()
    assert (call.call, call.path) == ("unknown", None)


def test_the_rest_of_a_write_that_the_recording_before_has_is_not_named() -> None:
    made = Recording()
    made.write(pwrite(8192, 0), 4096, 4096)
    (call,) = made.calls()
    assert call.call == "unknown"
    assert call.reason is not None
    assert "whose beginning is not in the journal" in call.reason
