"""Atoms told as parts of calls: each part of a call once, with its pages, in order."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from crash_cases import Words
from litmus_model import Modelled
from msgspec.structs import replace

from tracefs import events
from tracefs.crash.changes import Describer
from tracefs.crashes import Change
from tracefs.events import AnyEvent
from tracefs.persistence.building import build
from tracefs.persistence.history import History, Part

if TYPE_CHECKING:
    from tracefs.crash.recorded import Recorded

BEFORE = "create a; create b; mkdir d"


def told(text: str, calls: Mapping[type[AnyEvent], int] | None = None) -> History:
    """Return the history of a program, of which *calls* made the events of these kinds."""
    modelled = Modelled(BEFORE, text)
    found = {} if calls is None else calls
    return build(modelled.starting, modelled.events, lambda event: found.get(type(event)))


def describer(history: History) -> Describer:
    return Describer(cast("Recorded", Words()), history)


def everything(history: History) -> int:
    return (1 << len(history.atoms)) - 1


def parts(changes: tuple[Change, ...]) -> list[tuple[str | None, str]]:
    return [(change.path, change.part) for change in changes]


def test_pages_of_one_call_are_one_change_and_its_size_another() -> None:
    history = told("write a 4096 12288 A", {events.Write: 7})
    assert len(history.atoms) == 4
    data, size = describer(history).changes(everything(history))
    assert data == Change(
        call=7, shown="call 7", part="data", path="a",
        first_page=1, last_page=3, source="source of 7",
    )  # fmt: skip
    assert size == Change(call=7, shown="call 7", part="size", path="a", source="source of 7")


def test_only_the_pages_that_are_asked_about_are_told() -> None:
    history = told("write a 0 16384 A", {events.Write: 7})
    assert [atom.part for atom in history.atoms] == [Part.DATA] * 4 + [Part.SIZE]
    (change,) = describer(history).changes(0b0110)
    assert (change.first_page, change.last_page) == (1, 2)


def test_requests_of_one_call_are_one_change_those_of_no_known_call_are_not() -> None:
    text = "write a 0 4096 A; write a 4096 4096 A"
    (one, _) = describer(known := told(text, {events.Write: 7})).changes(everything(known))
    assert (one.first_page, one.last_page) == (0, 1)
    changes = describer(unknown := told(text)).changes(everything(unknown))
    assert parts(changes) == [("a", "data"), ("a", "size")] * 2
    assert {(change.call, change.source) for change in changes} == {(None, None)}


def test_files_of_one_call_are_changes_of_their_own() -> None:
    history = told("write a 0 10 A; write b 0 10 B", {events.Write: 7})
    changes = describer(history).changes(everything(history))
    assert parts(changes) == [("a", "data"), ("a", "size"), ("b", "data"), ("b", "size")]


def test_changes_stand_in_the_order_of_the_run() -> None:
    history = told("write a 0 10 A; chmod a 600; rename a d/c; write d/c 10 10 A")
    assert parts(describer(history).changes(everything(history))) == [
        ("a", "data"), ("a", "size"), ("a", "attributes"), ("d/c", "name"),
        ("d/c", "data"), ("d/c", "size"),
    ]  # fmt: skip


def test_both_halves_of_a_rename_are_one_change() -> None:
    history = told("rename a d/c")
    assert len(history.atoms) == 2
    assert parts(describer(history).changes(0b01)) == [("d/c", "name")]
    assert parts(describer(history).changes(0b11)) == [("d/c", "name")]


def test_a_name_without_a_path_is_told_by_itself() -> None:
    history = told("create d/new")
    step = replace(history.steps[0], path=None)
    (change,) = describer(replace(history, steps=(step,))).changes(1)
    assert change.path == "new"


def test_data_whose_path_is_not_known_has_none() -> None:
    history = told("write a 0 10 A")
    step = replace(history.steps[0], path=None)
    changes = describer(replace(history, steps=(step,))).changes(everything(history))
    assert parts(changes) == [(None, "data"), (None, "size")]


def test_a_change_is_torn_where_one_of_its_pages_is() -> None:
    history = told("write a 0 8192 A; write b 0 4096 B", {events.Write: 7})
    changes = describer(history).changes(everything(history), torn=[1])
    assert [change.torn for change in changes] == [True, False, False, False]
    assert not any(change.torn for change in describer(history).changes(everything(history)))


def test_what_was_kept_is_told_from_the_first_that_was_dropped_on() -> None:
    history = told("write a 0 10 A; chmod a 600; chmod b 600; chmod d 700")
    assert len(history.atoms) == 5
    kept = describer(history).kept
    assert parts(kept(0b11011, 0b00100)) == [("b", "attributes"), ("d", "attributes")]
    assert parts(kept(0b10011, 0b01100)) == [("d", "attributes")]
    assert parts(kept(0b11110, 0b00001))[0] == ("a", "size")


def test_where_nothing_was_dropped_nothing_is_kept_in_its_place() -> None:
    history = told("chmod a 600")
    assert describer(history).kept(everything(history), 0) == ()
    assert describer(history).changes(0) == ()


def test_of_much_that_was_kept_the_last_is_told() -> None:
    history = told("; ".join(f"chmod a {mode:o}" for mode in range(0o600, 0o600 + 60)))
    assert len(history.atoms) == 60
    steps = tuple(replace(step, path=f"a as of {step.number}") for step in history.steps)
    kept = describer(replace(history, steps=steps)).kept(everything(history) - 1, 1)
    assert [change.path for change in kept] == [f"a as of {number}" for number in range(10, 60)]
