"""Disks of rules, and what they are told of the files of a real one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracefs.capture.inodes import Node, key_of
from tracefs.capture.space import Space, needs_block
from tracefs.faults.disk import BLOCK
from tracefs.faults.model import Rule

RULE = Rule(text="all:full=4K", calls=("all",), full=BLOCK)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[tuple[Node, int]]:
    """A file with data, a hole and data, and an open of it."""
    path = tmp_path / "f"
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"x" * BLOCK, 0)
    os.pwrite(fd, b"x" * BLOCK, 32 * BLOCK)
    node = Node(7, key_of(os.stat(fd)))
    node.fd = os.open(path, os.O_PATH)
    yield node, fd
    os.close(node.fd)
    os.close(fd)


def space(*rules: Rule, in_use: bool = False) -> Space:
    made = Space(lambda _: in_use, lambda *_: True)
    made.hold(rules)
    return made


def test_a_file_has_what_it_has_and_its_holes_need_space(file: tuple[Node, int]) -> None:
    node, fd = file
    made = space(RULE)
    assert made.fits(RULE, node, fd, 0, 3 * BLOCK) == 2 * BLOCK
    made.wrote(RULE, node, fd, 0, 2 * BLOCK)
    assert made.fits(RULE, node, fd, 2 * BLOCK, 1) == 0
    assert made.fits(RULE, node, fd, 32 * BLOCK, 2 * BLOCK) == BLOCK


def test_a_file_gives_all_back_once_nothing_leads_to_it(
    file: tuple[Node, int], tmp_path: Path
) -> None:
    node, _ = file
    for in_use, left in ((True, BLOCK), (False, 3 * BLOCK)):
        made = space(RULE, in_use=in_use)
        made.before_cut(node, f"/proc/self/fd/{node.fd}")
        made.left(node)
        (tmp_path / "f").unlink(missing_ok=True)
        made.left(node)
        empty = os.open(tmp_path / "g", os.O_CREAT)
        assert made.fits(RULE, Node(8, node.key), empty, 0, 9 * BLOCK) == left
        os.close(empty)


def test_a_rule_that_holds_no_longer_takes_nothing_away(file: tuple[Node, int]) -> None:
    node, fd = file
    made = space(RULE)
    made.hold([])
    assert not made
    assert made.fits(RULE, node, fd, 0, 9 * BLOCK) == 9 * BLOCK
    made.wrote(RULE, node, fd, 0, 9 * BLOCK)
    assert made.take(RULE)


def test_disks_of_rules_that_go_on_go_on() -> None:
    made = space(RULE)
    assert (made.take(RULE), made.take(RULE)) == (True, False)
    other = Rule(text="write:full=8K", calls=("write",), full=2 * BLOCK)
    made.hold([RULE, other])
    assert not made.take(RULE)
    assert made.take(other)
    made.hold([])
    made.hold([RULE])
    assert made.take(RULE)


def test_stores_are_on_the_disk_of_a_rule_for_writes(file: tuple[Node, int]) -> None:
    node, _ = file
    mkdir = Rule(text="mkdir:full=0", calls=("mkdir",), full=0)
    assert space(mkdir).rule_for(node) is None
    assert space(mkdir, RULE).rule_for(node) == RULE
    assert space().rule_for(node) is None


@pytest.mark.parametrize(("size", "expected"), [(1, False), (59, False), (60, True)])
def test_long_targets_need_a_block(size: int, expected: bool) -> None:
    assert needs_block(b"t" * size) is expected
