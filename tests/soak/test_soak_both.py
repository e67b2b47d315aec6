"""A script on both sides: what counts as a failure."""

from pathlib import Path

import pytest
from mounted_support import Guard
from soak.arena import Arena
from soak.both import run_on_both

_TRACED = "stat --file-system --format %T . | grep --quiet fuse"


@pytest.fixture
def arena(tmp_path: Path, guard: Guard) -> Arena:
    return Arena(tmp_path, guard)


def test_the_same_on_both_sides_is_no_failure(arena: Arena) -> None:
    both = run_on_both(arena, 'echo "$1" >file; cat file', "text")
    assert (both.said, both.failures) == ("text\n", ())
    assert (both.bare / "file").read_text() == (both.traced / "file").read_text() == "text\n"


def test_the_first_line_that_differs_is_one(arena: Arena) -> None:
    both = run_on_both(arena, f"echo same; if {_TRACED}; then echo here; else echo there; fi")
    assert both.failures == ("'here' on the mount, 'there' on the bare directory",)


def test_a_line_more_on_one_side_is_one(arena: Arena) -> None:
    both = run_on_both(arena, f"echo same; if {_TRACED}; then echo more; fi")
    assert both.failures == ("'more' on the mount, 'nothing more' on the bare directory",)


def test_a_command_that_fails_on_the_mount_alone_is_one(arena: Arena) -> None:
    both = run_on_both(arena, f"if {_TRACED}; then echo broken >&2; exit 7; fi")
    assert both.failures == ("exit status 7: broken\n",)


def test_a_command_that_fails_on_the_bare_directory_is_one(arena: Arena) -> None:
    both = run_on_both(arena, "echo before; false; echo after")
    assert both.failures == ("on the bare directory: before\n",)
