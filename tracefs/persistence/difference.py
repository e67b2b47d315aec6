"""How a tree that was seen differs from an image."""

import enum
import stat
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from tracefs.persistence.image import PAGE, Bytes, Content, Image, Node
from tracefs.persistence.seen import Seen

_PERMISSIONS: Final = 0o7777


class Aspect(enum.Enum):
    """What of a path differs, and so whose changes could have made it so."""

    NAME = "name"
    """Whether something has the path, of which type, and which other paths are of the same file."""
    ATTRIBUTES = "attributes"
    SIZE = "size"
    DATA = "data"


class Difference(Struct, frozen=True):
    """The first difference, directories before what is in them."""

    path: str
    aspect: Aspect
    text: str
    """In words: what was seen, and what the image has."""
    page: int | None = None
    """Which page differs, with *DATA*."""
    other: str | None = None
    """The other path, where two are of one file here and not there."""


def first(image: Image, seen: Sequence[Seen], source: Bytes) -> Difference | None:
    """Return the first difference between *image*, whose bytes are in *source*, and *seen*."""
    return next(all_of(image, seen, source), None)


def all_of(image: Image, seen: Sequence[Seen], source: Bytes) -> Iterator[Difference]:
    """Yield one difference for each path that has one."""
    nodes = dict(image.nodes)
    found = {one.path: one for one in seen}
    groups: dict[int, str] = {}
    """Inode number in the image -> its first path."""
    groups_seen: dict[int, str] = {}
    for path in sorted(nodes.keys() | found.keys(), key=_depth):
        node, one = nodes.get(path), found.get(path)
        if node is None or one is None:
            there = "is there" if node is None else "is not there"
            yield Difference(path, Aspect.NAME, f"{path} {there}")
            continue
        before = groups.setdefault(node.ino, path)
        before_seen = groups_seen.setdefault(one.ino, path)
        difference = _of_path(path, node, one, source)
        if difference is not None:
            yield difference
        elif before != before_seen:
            # One of both is the path itself, of which nothing is to be learned.
            other, are = (before_seen, "are") if before == path else (before, "are not")
            text = f"{path} and {other} {are} one file"
            yield Difference(path, Aspect.NAME, text, other=other)


def _depth(path: str) -> tuple[int, str]:
    return (0, "") if path == "." else (path.count("/") + 1, path)


def _of_path(path: str, node: Node, one: Seen, source: Bytes) -> Difference | None:
    """Compare what has the same path here and there."""
    if stat.S_IFMT(node.mode) != stat.S_IFMT(one.mode):
        kinds = f"{stat.filemode(one.mode)[0]} instead of {stat.filemode(node.mode)[0]}"
        return Difference(path, Aspect.NAME, f"{path} is of another type: {kinds}")
    if node.target != one.target or node.rdev != one.rdev:
        return Difference(path, Aspect.NAME, f"{path} leads to {one.target}, not {node.target}")
    mine = (node.mode & _PERMISSIONS, node.uid, node.gid, node.xattrs)
    theirs = (one.mode & _PERMISSIONS, one.uid, one.gid, one.xattrs)
    if mine != theirs:
        return Difference(path, Aspect.ATTRIBUTES, f"{path} has attributes {theirs}, not {mine}")
    if node.content is None or one.content is None:
        return None
    return _of_content(path, node.content, one.content, source)


def _of_content(path: str, content: Content, seen: bytes, source: Bytes) -> Difference | None:
    if content.size != len(seen):
        text = f"{path} has {len(seen)} bytes, not {content.size}"
        return Difference(path, Aspect.SIZE, text)
    for offset in range(0, content.size, PAGE):
        number = offset // PAGE
        here = page_bytes(content, number, source)[: content.size - offset]
        if here != seen[offset : offset + PAGE]:
            return Difference(path, Aspect.DATA, f"{path}, page {number}, differs", page=number)
    return None


def page_bytes(content: Content, number: int, source: Bytes) -> bytes:
    """Return the `PAGE` bytes that page *number* of *content* holds, whatever the size."""
    for page, key in content.pages:
        if page == number:
            return source.page(key)
    offset = number * PAGE
    limit = min(PAGE, content.base_limit - offset)
    held = source.base(content.base, offset, limit) if content.base and limit > 0 else b""
    return held.ljust(PAGE, b"\0")
