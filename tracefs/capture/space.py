"""Disks that rules let fill up, over the real one.

`tracefs.faults.disk` keeps the books; here is what it must be told of the real files: what they
have when they are first met, and what is given back when they are cut off, or are gone.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tracefs.capture.inodes import Node
from tracefs.faults import able
from tracefs.faults.disk import LONGEST_INLINE_TARGET, Disk
from tracefs.faults.model import Rule

_MOST_RANGES: Final = 4096
"""Of data in one file, that are looked at; a file with more is taken to have no hole behind them.
"""
_SECTOR: Final = 512
"""Unit of st_blocks (inode(7))."""


class Space:
    """The disks of one mount: one for each rule that has one.

    Args:
        in_use: tells whether an open of the file is left.
        is_for: tells whether a rule is for a file.
    """

    def __init__(
        self, in_use: Callable[[Node], bool], is_for: Callable[[Rule, Node], bool]
    ) -> None:
        self._in_use = in_use
        self._is_for = is_for
        self._disks: dict[Rule, Disk] = {}

    def __bool__(self) -> bool:
        """Return whether there is a disk that can fill up."""
        return bool(self._disks)

    def hold(self, rules: Sequence[Rule]) -> None:
        """Let there be a disk for each of *rules* that has one; those that were there go on."""
        self._disks = {
            rule: self._disks.get(rule) or Disk(rule.full)
            for rule in rules
            if rule.full is not None
        }

    def rule_for(self, node: Node) -> Rule | None:
        """Return the first rule whose disk the file is on, of those that are for writes."""
        for rule in self._disks:
            if "write" in able.struck(rule) and self._is_for(rule, node):
                return rule
        return None

    def fits(self, rule: Rule, node: Node, fd: int, offset: int, size: int) -> int:
        """Return how many of *size* bytes there is space for in the file, which *fd* is an open of.

        0: ENOSPC. All of them, where *rule* holds no longer: the request may have been held.
        """
        disk = self._met(rule, node, fd)
        return size if disk is None or not size else disk.fits(node.ino, offset, size)

    def wrote(self, rule: Rule, node: Node, fd: int, offset: int, size: int) -> None:
        """Take the space of *size* bytes that were written or allocated."""
        disk = self._met(rule, node, fd)
        if disk is not None:
            disk.wrote(node.ino, offset, size)

    def before_cut(self, node: Node, target: int | str) -> None:
        """Take note of what the file has, before it gives something back.

        *target* is a descriptor, or a path that leads to the file.
        """
        for disk in self._of(node):
            if not disk.knows(node.ino):
                disk.meet(node.ino, _data(target))

    def cut(self, node: Node, size: int) -> None:
        """Give back what the file had beyond *size* bytes."""
        for disk in self._of(node):
            if disk.knows(node.ino):
                disk.cut(node.ino, size)

    def changed(self, node: Node, fd: int, offset: int, size: int, *, punched: bool) -> None:
        """Take note of a change of ranges: *punched*, or moved in a way that tells nothing."""
        for disk in self._of(node):
            if not disk.knows(node.ino):
                continue
            if punched:
                disk.punch(node.ino, offset, size)
            else:
                disk.meet(node.ino, _data(fd))

    def left(self, node: Node) -> None:
        """Give back what the file had, if nothing leads to it: a name of it, or an open, is gone.

        To be called after `before_cut`, where it was a name.
        """
        if node.fd < 0 or os.stat(node.fd).st_nlink or self._in_use(node):
            return
        for disk in self._of(node):
            if disk.knows(node.ino):
                disk.forget(node.ino)

    def take(self, rule: Rule) -> bool:
        """Take the block of a directory or a long symbolic link; False: ENOSPC."""
        return rule not in self._disks or self._disks[rule].take()

    def _of(self, node: Node) -> Iterator[Disk]:
        for rule, disk in self._disks.items():
            if disk.knows(node.ino) or self._is_for(rule, node):
                yield disk

    def _met(self, rule: Rule, node: Node, fd: int) -> Disk | None:
        disk = self._disks.get(rule)
        if disk is not None and not disk.knows(node.ino):
            disk.meet(node.ino, _data(fd))
        return disk


def needs_block(target: bytes) -> bool:
    """Return whether a symbolic link that says *target* takes a block."""
    return len(target) > LONGEST_INLINE_TARGET


def _data(target: int | str) -> list[tuple[int, int]]:
    """Return where a file has data: first and end of each range, in bytes."""
    if isinstance(target, int):
        return _ranges(target)
    info = os.stat(target)
    if not stat.S_ISREG(info.st_mode):
        return []
    try:
        fd = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        # Not ours to read. Where its data are matters little, for it is only to be given back.
        return [(0, info.st_blocks * _SECTOR)]
    try:
        return _ranges(fd)
    finally:
        os.close(fd)


def _ranges(fd: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at, size = 0, os.fstat(fd).st_size
    try:
        while at < size:
            first = os.lseek(fd, at, os.SEEK_DATA)
            at = size if len(found) == _MOST_RANGES else os.lseek(fd, first, os.SEEK_HOLE)
            found.append((first, at))
    except OSError:
        pass  # ENXIO: no data follows (lseek(2))
    return found
