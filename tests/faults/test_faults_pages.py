"""Pages between cache and disk, against two whole files and a set of dirty pages."""

from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages_support import Kept

from tracefs.faults.model import Mode
from tracefs.faults.pages import PAGE, Back, Pages

if TYPE_CHECKING:
    from collections.abc import Callable

Step: TypeAlias = tuple[str, int, int]


class Played:
    """A file as the mount has it: bytes that a program sees, and `Pages` beside them."""

    def __init__(self, data: bytes) -> None:
        self.file = bytearray(data)
        self.images = Kept()
        self.pages = Pages(len(data), self.images)

    def write(self, start: int, data: bytes) -> None:
        stop = start + len(data)
        wanted = self.pages.wanted(start, stop)
        self.pages.keep({page: bytes(self.file[page * PAGE :][:PAGE]) for page in wanted})
        _put(self.file, start, data)
        self.pages.wrote(start, stop)

    def truncate(self, size: int) -> None:
        _resize(self.file, size)
        self.pages.resized(size)

    def save(self) -> None:
        self.pages.saved()

    def fail(self, mode: Mode) -> None:
        self._go_back(self.pages.failed(mode))

    def fall(self, *, evicted: bool) -> None:
        self._go_back(self.pages.fall(evicted=evicted))

    def _go_back(self, back: Back | None) -> None:
        if back is not None:
            _resize(self.file, back.size)
            for piece in self.pages.pieces(back):
                _put(self.file, piece.offset, piece.data)


class Model:
    """The same, told in another way: cache and disk as whole files, and which pages are dirty."""

    def __init__(self, data: bytes) -> None:
        self.file = bytearray(data)
        self.disk = bytearray(data)
        self.dirty: set[int] = set()

    def write(self, start: int, data: bytes) -> None:
        _put(self.file, start, data)
        if data:
            self.dirty |= set(range(start // PAGE, (start + len(data) - 1) // PAGE + 1))

    def truncate(self, size: int) -> None:
        shorter = size < len(self.file)
        edge = size // PAGE
        if shorter and size % PAGE and self._page(self.file, edge) != self._page(self.disk, edge):
            self.dirty.add(edge)
        self.dirty = {page for page in self.dirty if page * PAGE < size}
        _resize(self.file, size)
        _resize(self.disk, size)

    def save(self) -> None:
        for page in sorted(self.dirty):
            end = min(len(self.file), (page + 1) * PAGE)
            _resize(self.disk, max(len(self.disk), end))
            self.disk[page * PAGE : end] = self.file[page * PAGE : end]
        self.dirty.clear()

    def fail(self, mode: Mode) -> None:
        if mode is Mode.BTRFS:
            for page in self.dirty:
                self._show_disk(page)
            _resize(self.file, len(self.disk))
        elif mode is not Mode.XFS:
            _resize(self.disk, len(self.file))
        self.dirty.clear()

    def fall(self, *, evicted: bool) -> None:
        for page in range(-(-len(self.file) // PAGE)):
            if page not in self.dirty:
                self._show_disk(page)
        if evicted and not self.dirty:
            _resize(self.file, len(self.disk))

    def _show_disk(self, page: int) -> None:
        end = min(len(self.file), (page + 1) * PAGE)
        self.file[page * PAGE : end] = self._page(self.disk, page)[: end - page * PAGE]

    @staticmethod
    def _page(data: bytearray, page: int) -> bytes:
        return bytes(data[page * PAGE :][:PAGE]).ljust(PAGE, b"\0")


def _put(file: bytearray, start: int, data: bytes) -> None:
    if data:
        _resize(file, max(len(file), start + len(data)))
        file[start : start + len(data)] = data


def _resize(file: bytearray, size: int) -> None:
    del file[size:]
    file.extend(bytes(size - len(file)))


PLACES = st.one_of(
    st.integers(0, 6 * PAGE), st.sampled_from([0, PAGE, 2 * PAGE, 3 * PAGE, 4 * PAGE])
)
LENGTHS = st.one_of(st.integers(0, 2 * PAGE), st.sampled_from([0, 1, PAGE, 2 * PAGE]))
STEPS = st.one_of(
    st.tuples(st.just("write"), PLACES, LENGTHS),
    st.tuples(st.just("truncate"), PLACES, st.just(0)),
    st.tuples(st.sampled_from(["save", "fall", "evict"]), st.just(0), st.just(0)),
    st.tuples(st.just("fail"), st.just(0), st.just(0)),
)


def _apply(file: Played | Model, step: Step, mode: Mode, letter: int) -> None:
    what, place, length = step
    actions: dict[str, Callable[[], None]] = {
        "write": lambda: file.write(place, bytes([letter % 255 + 1]) * length),
        "truncate": lambda: file.truncate(place),
        "save": file.save,
        "fail": lambda: file.fail(mode),
        "fall": lambda: file.fall(evicted=False),
        "evict": lambda: file.fall(evicted=True),
    }
    actions[what]()


@given(
    size=st.integers(0, 3 * PAGE), steps=st.lists(STEPS, max_size=14), mode=st.sampled_from(Mode)
)
def test_a_program_sees_what_two_whole_files_say(size: int, steps: list[Step], mode: Mode) -> None:
    played, model = Played(b"\xff" * size), Model(b"\xff" * size)
    for letter, step in enumerate(steps):
        _apply(played, step, mode, letter)
        _apply(model, step, mode, letter)
        assert played.file == model.file, step
        assert played.pages.size == len(model.file)
        assert played.pages.disk_size == len(model.disk)
    # The end of the mount: what is dirty is written, and all is read from the disk again.
    for file in (played, model):
        file.save()
        file.fall(evicted=True)
    assert played.file == model.file == model.disk
    assert not played.pages.differs()
    assert played.images.kept == {}


def _letters(file: bytearray) -> str:
    """Return one letter a page; 0 for zeros."""
    return "".join(
        chr(file[at]) if file[at] else "0" for at in range(0, len(file), PAGE)
    )  # fmt: skip


def _abc() -> Played:
    return Played(b"".join(letter * PAGE for letter in (b"a", b"b", b"c")))


# What Linux 6.18 did to these files on a disk that refused one page; for Btrfs, what CuttleFS does.
# `docs/explanation/failed-syncs.md` has both.
@pytest.mark.parametrize(
    ("mode", "seen", "remounted"),
    [
        (Mode.EXT4_ORDERED, "aXc", "abc"),
        (Mode.EXT4_DATA, "aXc", "abc"),
        (Mode.XFS, "aXc", "abc"),
        (Mode.BTRFS, "abc", "abc"),
    ],
)
def test_a_page_that_was_overwritten(mode: Mode, seen: str, remounted: str) -> None:
    file = _abc()
    file.write(PAGE, b"X" * PAGE)
    file.fail(mode)
    assert _letters(file.file) == seen
    file.save()
    assert _letters(file.file) == seen
    file.fall(evicted=True)
    assert _letters(file.file) == remounted


@pytest.mark.parametrize(
    ("mode", "seen", "remounted"),
    [
        (Mode.EXT4_ORDERED, "abcX", "abc0"),
        (Mode.EXT4_DATA, "abcX", "abc0"),
        (Mode.XFS, "abcX", "abc"),
        (Mode.BTRFS, "abc", "abc"),
    ],
)
def test_a_page_that_was_appended(mode: Mode, seen: str, remounted: str) -> None:
    file = _abc()
    file.write(3 * PAGE, b"X" * PAGE)
    file.fail(mode)
    assert _letters(file.file) == seen
    file.fall(evicted=True)
    assert _letters(file.file) == remounted


@pytest.mark.parametrize("mode", Mode)
def test_what_is_appended_after_a_lost_page_leaves_zeros_before_it(mode: Mode) -> None:
    file = _abc()
    file.write(3 * PAGE, b"X" * PAGE)
    file.fail(mode)
    file.write(4 * PAGE, b"y" * PAGE)
    file.save()
    file.fall(evicted=True)
    assert _letters(file.file) == "abc0y"


def test_xfs_moves_its_end_only_to_where_data_has_arrived() -> None:
    file = _abc()
    file.write(3 * PAGE, b"X" * PAGE)
    file.fail(Mode.XFS)
    file.write(0, b"z" * PAGE)
    file.save()
    file.fall(evicted=True)
    assert _letters(file.file) == "zbc"


@pytest.mark.parametrize("mode", [Mode.EXT4_ORDERED, Mode.EXT4_DATA, Mode.XFS])
def test_a_byte_written_to_a_lost_page_saves_all_of_it(mode: Mode) -> None:
    file = _abc()
    file.write(PAGE, b"X" * PAGE)
    file.fail(mode)
    file.write(PAGE + 2000, b"z")
    file.save()
    file.fall(evicted=True)
    assert _letters(file.file) == "aXc"


def test_a_file_that_was_cut_off_has_zeros_where_it_grows_again() -> None:
    file = _abc()
    file.write(2 * PAGE, b"X" * PAGE)
    file.truncate(2 * PAGE + 100)
    file.truncate(3 * PAGE)
    file.fail(Mode.EXT4_ORDERED)
    file.fall(evicted=True)
    assert file.file[2 * PAGE :] == b"c" * 100 + bytes(PAGE - 100)


def test_what_was_rearranged_counts_as_saved() -> None:
    file = _abc()
    file.write(0, b"X" * 3 * PAGE)
    file.pages.rearranged(PAGE + 1)
    file.fail(Mode.EXT4_ORDERED)
    file.fall(evicted=True)
    assert _letters(file.file) == "aXX"
