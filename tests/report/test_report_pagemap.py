"""The map of a file's pages: what each page is after some call."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from report_support import PAGE, call, close, fdatasync, pwrite

from tracefs.report.durability import Durability
from tracefs.report.pagemap import PageMap, PageMapper, PageState, drawn
from tracefs.report.style import PLAIN, Style
from tracefs.report.unsynced import Unsynced
from tracefs.trace.call import Call

NEVER, SYNCED, DIRTY, LOST = PageState


def mapped(*calls: Call, path: str = "pages.db", until: int | None = None) -> PageMap | None:
    mapper = PageMapper(path, PAGE, until)
    mapper.add_all(calls)
    return mapper.map()


RUN = (
    pwrite(0, index=0), fdatasync(index=1), pwrite(0, index=2), pwrite(5 * PAGE - 1, 2, index=3),
    fdatasync(index=4, errno=5, result=None), pwrite(4 * PAGE, index=5), close(index=6),
)  # fmt: skip


def test_each_page_is_what_was_done_to_it() -> None:
    assert mapped(*RUN) == PageMap(
        path="pages.db", page_size=PAGE, states={0: LOST, 4: DIRTY, 5: LOST},
        times={0: 2, 4: 2, 5: 1}, after=6, not_followed=0, unplaced=0,
    )  # fmt: skip


def test_it_can_be_seen_at_an_earlier_call() -> None:
    found = mapped(*RUN, until=1)
    assert found is not None
    assert (found.states, found.after) == ({0: SYNCED}, 1)


def test_a_file_that_gets_the_name_brings_its_pages() -> None:
    new: dict[str, Any] = {"ino": 9, "path": "new"}
    found = mapped(
        pwrite(0, index=0), pwrite(PAGE, index=1, **new), fdatasync(index=2, **new),
        call("rename", "rename", index=3, target="pages.db", **new),
    )  # fmt: skip
    assert found is not None
    assert found.states == {1: SYNCED}


def opened(index: int, **fields: Any) -> Call:
    return call("openat", "open", index=index, created=True, **fields)


def states(*calls: Call, path: str = "pages.db") -> dict[int, PageState] | None:
    found = mapped(*calls, path=path)
    return None if found is None else found.states


def test_two_files_that_are_exchanged_bring_theirs() -> None:
    other: dict[str, Any] = {"ino": 9, "path": "other"}
    exchange: dict[str, Any] = {"target": "other", "flags": ("RENAME_EXCHANGE",)}
    calls = (
        opened(0), pwrite(0, index=1), fdatasync(index=2), opened(3, **other),
        pwrite(PAGE, index=4, **other), call("renameat2", "rename", index=5, **exchange),
    )  # fmt: skip
    assert states(*calls) == {1: DIRTY}
    assert states(*calls, path="other") == {0: SYNCED}


def test_a_deleted_file_that_is_open_still_has_not_the_name_of_a_new_one() -> None:
    calls = (
        opened(0), pwrite(0, index=1), call("unlink", "unlink", index=2), opened(3, ino=9),
        pwrite(PAGE, index=4, ino=9), fdatasync(index=5, ino=9), pwrite(2 * PAGE, index=6),
    )  # fmt: skip
    assert states(*calls) == {1: SYNCED}


def test_a_link_that_failed_gave_no_name() -> None:
    link = call("link", "link", index=2, ino=9, target="other", errno=17, result=None)
    assert states(opened(0), pwrite(0, index=1), link) == {0: DIRTY}


def test_a_name_goes_with_its_directory() -> None:
    inside: dict[str, Any] = {"path": "d/a"}
    calls = (
        opened(0, **inside), pwrite(0, index=1, **inside),
        call("rename", "rename", index=2, path="d", ino=3, target="e"),
        call("rename", "rename", index=3, path="new", ino=4, target="d"),
        pwrite(PAGE, index=4, ino=9, **inside),
    )  # fmt: skip
    assert states(*calls, path="d/a") == {1: DIRTY}


def test_what_is_cut_off_is_written_no_longer() -> None:
    cut = call("ftruncate", "truncate", index=7, length=PAGE, result=0)
    found = mapped(*RUN, cut)
    assert found is not None
    assert found.states == {0: LOST}
    emptied = call("openat", "open", index=7, flags=("O_TRUNC",))
    found = mapped(*RUN, emptied)
    assert found is not None
    assert found.states == {}


def test_no_file_has_no_map() -> None:
    assert mapped(*RUN, path="other") is None


def test_the_drawing_leaves_out_what_is_empty() -> None:
    found = mapped(pwrite(0, index=0), pwrite(200 * PAGE, index=1))
    assert found is not None
    assert list(drawn(found, PLAIN.paint)) == [
        "pages.db: 2 pages of 4096 bytes written, after call 1: 2 not synced",
        "         0  !" + "." * 63,
        "            ... 128 pages that were never written",
        "       192  ........!" + "." * 55,
        "# synced  ! not synced  x lost to a failed sync  . never written, or cut off",
    ]
    assert "\x1b[33m!" in "".join(drawn(found, Style(colour=True).paint))


def test_a_write_without_a_known_place_is_told() -> None:
    append = call("write", "write", index=1, result=10)
    found = mapped(pwrite(0, index=0), append, call("write", "write", index=2, ino=9, result=10))
    assert found is not None
    assert found.unplaced == 1
    idle = pwrite(0, index=3, known_by="seccomp", result=None, fragments=0)
    again = mapped(pwrite(0, index=0), append, idle)
    assert again is not None
    assert again.unplaced == 1
    assert "not drawn: 1 write without a known place" in list(drawn(found, PLAIN.paint))


def test_pages_that_may_wait_unseen_are_told() -> None:
    mapper = PageMapper("pages.db", PAGE)
    mapper._durability = Durability(Unsynced(range_limit=1))
    mapper.add_all([pwrite(0, index=0), pwrite(2 * PAGE, index=1)])
    found = mapper.map()
    assert found is not None
    assert list(drawn(found, PLAIN.paint))[-2] == (
        "limit reached: 1 unsynced write not followed; what is shown as synced may not be"
    )


def test_times_are_digits() -> None:
    calls = [pwrite(0, index=index) for index in range(10)]
    found = mapped(*calls, pwrite(PAGE, index=10))
    assert found is not None
    assert list(drawn(found, PLAIN.paint, times=True))[1].split()[1].rstrip(".") == "+1"


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("wwwsfc")), max_size=30))
def test_pages_are_as_a_count_of_whole_pages_says(done: list[tuple[int, str]]) -> None:
    states: dict[int, PageState] = {}
    calls: list[Call] = []
    for index, (page, what) in enumerate(done):
        fields: dict[str, Any] = {"index": index}
        if what == "w":
            calls.append(pwrite(page * PAGE, **fields))
            states[page] = DIRTY
        elif what == "c":
            size = page * PAGE
            calls.append(call("ftruncate", "truncate", length=size, result=0, **fields))
            states = {number: state for number, state in states.items() if number < page}
        else:
            failed = {} if what == "s" else {"errno": 5, "result": None}
            calls.append(fdatasync(**fields, **failed))
            after = SYNCED if what == "s" else LOST
            states = {
                number: after if state is DIRTY else state for number, state in states.items()
            }
    found = mapped(*calls)
    assert (found.states if found else {}) == states
