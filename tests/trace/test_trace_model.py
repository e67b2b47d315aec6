"""Whatever the kernel makes of a program's calls, exactly these calls are found again."""

import typing
from types import UnionType
from typing import Any, get_args, get_type_hints

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from trace_model import Expected, programs
from trace_support import NUMBERS, Recording, header

from tracefs.events import AnyEvent, Header, Sighting
from tracefs.trace import Call, join


def found(recording: Recording, events: list[AnyEvent]) -> dict[int, list[Expected]]:
    """Return the writes and syncs of each thread, as the model tells them."""
    calls: dict[int, list[Expected]] = {}
    for item in join(recording.header, events):
        if isinstance(item, Call) and item.family in {"write", "sync"}:
            assert item.tid is not None
            calls.setdefault(item.tid, []).append(
                (item.call, item.offset, item.length, item.result, item.errno, item.fragments,
                 item.synced_by)
            )  # fmt: skip
    return calls


@given(programs())
def test_the_calls_are_found_again(program: tuple[Recording, dict[int, list[Expected]]]) -> None:
    recording, expected = program
    for tid in expected:
        recording.flush(fh=tid, tid=tid)
    calls = found(recording, recording.events)
    assert {tid: calls.get(tid, []) for tid in expected} == expected


@given(programs(), st.data())
def test_a_journal_cut_anywhere_invents_nothing(
    program: tuple[Recording, dict[int, list[Expected]]], data: st.DataObject
) -> None:
    recording, expected = program
    cut = data.draw(st.integers(0, len(recording.events)))
    for tid, calls in found(recording, recording.events[:cut]).items():
        whole = expected[tid][: len(calls)]
        assert len(whole) == len(calls)
        assert calls[:-1] == whole[:-1]
        assert calls[-1] == whole[-1] or _left_open(calls[-1], whole[-1])


def _left_open(call: Expected, whole: Expected) -> bool:
    """Tell whether *call* is *whole*, but doesn't say how it ended."""
    return call[:3] == whole[:3] and call[3:5] == (None, 0) and call[6] is None


@given(programs())
def test_calls_are_numbered_as_they_come(
    program: tuple[Recording, dict[int, list[Expected]]],
) -> None:
    calls = [item for item in program[0].items() if isinstance(item, Call)]
    assert [call.index for call in calls] == list(range(len(calls)))


INTEGERS = st.sampled_from([0, 1, 2, 3, 77, 4096, 0o4010002, 2**64 - 1, -1])
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    int: INTEGERS,
    str: st.sampled_from(["", ".", "a", "a/b", "b", "/", "ab"]),
    bool: st.booleans(),
    type(None): st.none(),
}


def anything(kind: type) -> st.SearchStrategy[Any]:
    """Return instances of an event type with any values that their types allow."""
    hints = get_type_hints(kind)
    fields = {name: _values(hints[name]) for name in kind.__struct_fields__}  # type: ignore[attr-defined]
    return st.builds(kind, **fields)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if typing.get_origin(hint) is UnionType:
        return st.one_of([_values(part) for part in get_args(hint)])
    if hint is Sighting:
        return SIGHTINGS
    if typing.get_origin(hint) is tuple:
        return st.just(())
    return VALUES[hint]


SIGHTINGS = st.builds(
    Sighting,
    nr=st.sampled_from([*sorted(NUMBERS.values()), -1, 4, 99999]),
    args=st.one_of(st.just(()), st.lists(INTEGERS, min_size=1, max_size=6).map(tuple)),
    fd=st.none() | INTEGERS,
    position=st.none() | INTEGERS,
    fd_flags=st.none() | INTEGERS,
    fd_ino=st.none() | INTEGERS,
    vector_bytes=st.none() | INTEGERS,
)
EVENTS = st.one_of([anything(kind) for kind in get_args(AnyEvent)])
HEADERS = st.builds(
    header,
    machine=st.sampled_from(["x86_64", "aarch64", "riscv64"]),
    mode=st.sampled_from(["cached", "direct_io"]),
    witness=st.sampled_from(["none", "proc", "seccomp", "full"]),
    block_size=INTEGERS,
)


@given(HEADERS, st.lists(EVENTS, max_size=12))
def test_no_sequence_of_events_raises(head: Header, events: list[AnyEvent]) -> None:
    items = list(join(head, events, reads=True))
    calls = [item for item in items if isinstance(item, Call) and item.family != "read"]
    assert [call.index for call in calls] == list(range(len(calls)))
    assert len(calls) <= len(events)
    for call in calls:
        assert (call.known_by is None) == (call.call == "unknown")
        assert call.call != "unknown" or call.reason
        assert msgspec.convert(msgspec.to_builtins(call), Call) == call
