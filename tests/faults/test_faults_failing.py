"""Who hears of a failed sync: what Linux 6.18 said, and for ext4-data what CuttleFS says."""

import errno

import pytest
from pages_support import Kept

from tracefs.faults.failing import PLAIN, Errors, FailingFile, Struck
from tracefs.faults.model import Mode
from tracefs.faults.pages import PAGE, Pages

FIRST, SECOND, LATER = 1, 2, 3
AT_ONCE = [Mode.EXT4_ORDERED, Mode.XFS, Mode.BTRFS]


def _struck(mode: Mode) -> Struck:
    return Struck(rule="rule", errno=errno.EIO, mode=mode)


def _file(*handles: int) -> FailingFile:
    file = FailingFile(Pages(PAGE, Kept()))
    for handle in handles:
        file.errors.opened(handle)
    file.pages.keep({0: b"a" * PAGE})
    file.pages.wrote(0, PAGE)
    return file


@pytest.mark.parametrize("mode", AT_ONCE)
def test_each_open_hears_of_it_once_and_a_later_one_does_not(mode: Mode) -> None:
    file = _file(FIRST, SECOND)
    assert file.sync(FIRST, _struck(mode)).errno == errno.EIO
    assert file.sync(FIRST, None) == PLAIN
    file.errors.opened(LATER)
    assert file.sync(LATER, None) == PLAIN
    assert file.sync(SECOND, None).errno == errno.EIO
    assert file.sync(SECOND, None) == PLAIN


def test_in_data_mode_the_next_sync_says_so() -> None:
    file = _file(FIRST, SECOND)
    struck = file.sync(FIRST, _struck(Mode.EXT4_DATA))
    assert (struck.errno, struck.syncs, struck.rule) == (0, False, "rule")
    late = file.sync(FIRST, None)
    assert (late.errno, late.syncs, late.rule) == (errno.EIO, False, "rule")
    assert file.sync(FIRST, None) == PLAIN
    assert file.sync(SECOND, None).errno == errno.EIO


def test_in_data_mode_the_first_open_afterwards_hears_of_what_nobody_has() -> None:
    file = _file(FIRST)
    file.sync(FIRST, _struck(Mode.EXT4_DATA))
    file.errors.closed(FIRST)
    file.errors.opened(SECOND)
    assert file.sync(SECOND, None).errno == errno.EIO
    file.errors.opened(LATER)
    assert file.sync(LATER, None) == PLAIN


def test_in_data_mode_a_struck_sync_tells_first_of_the_one_before() -> None:
    file = _file(FIRST)
    file.sync(FIRST, _struck(Mode.EXT4_DATA))
    file.pages.wrote(0, PAGE)
    assert file.sync(FIRST, _struck(Mode.EXT4_DATA)).errno == errno.EIO
    assert file.pages.fall(evicted=False) is None  # what was written since is dirty, not lost


@pytest.mark.parametrize(("mode", "syncs"), [(Mode.EXT4_ORDERED, True), (Mode.XFS, True)])
def test_a_sync_that_tells_of_an_error_writes_what_came_since(mode: Mode, syncs: bool) -> None:
    file = _file(FIRST, SECOND)
    file.sync(FIRST, _struck(mode))
    assert file.sync(SECOND, None).syncs is syncs


def test_btrfs_goes_back_at_once() -> None:
    file = _file(FIRST)
    back = file.sync(FIRST, _struck(Mode.BTRFS)).back
    assert back is not None
    assert [piece.data for piece in file.pages.pieces(back)] == [b"a" * PAGE]


def test_two_errors_that_nobody_heard_of_are_heard_of_once() -> None:
    errors = Errors()
    errors.opened(FIRST)
    errors.happened(_struck(Mode.XFS))
    errors.happened(_struck(Mode.BTRFS))
    assert errors.next(FIRST) == _struck(Mode.BTRFS)
    assert errors.next(FIRST) is None


def test_who_was_open_before_anybody_counted_hears_of_it() -> None:
    errors = Errors()
    errors.happened(_struck(Mode.XFS))
    assert errors.next(FIRST) == _struck(Mode.XFS)
