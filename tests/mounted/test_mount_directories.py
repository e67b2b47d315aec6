"""Listing directories, also while they change."""

import ctypes
import os
import random
import stat
from typing import Any

import pytest
from mounted_support import Pair, act, facts, get, outcome, put

pytestmark = pytest.mark.alone

DT_TYPES = {1: "fifo", 2: "chr", 4: "dir", 6: "blk", 8: "reg", 10: "lnk", 12: "sock"}


class Dirent(ctypes.Structure):
    """struct dirent (readdir(3))."""

    _fields_ = (
        ("ino", ctypes.c_uint64),
        ("off", ctypes.c_int64),
        ("reclen", ctypes.c_ushort),
        ("type", ctypes.c_ubyte),
        ("name", ctypes.c_char * 256),
    )


class Directory:
    """opendir(3) and what goes with it."""

    def __init__(self, name: str) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.opendir.restype = self._libc.readdir.restype = ctypes.c_void_p
        self._libc.telldir.restype = ctypes.c_long
        self._handle = ctypes.c_void_p(self._libc.opendir(name.encode()))

    def read(self, most: int = 1 << 30) -> list[tuple[bytes, int, str]]:
        """Return up to so many entries: name, inode number, type."""
        found: list[tuple[bytes, int, str]] = []
        while len(found) < most and (at := self._libc.readdir(self._handle)):
            entry = Dirent.from_address(at)
            found.append((entry.name, entry.ino, DT_TYPES.get(entry.type, "?")))
        return found

    def names(self, most: int = 1 << 30) -> list[bytes]:
        return [name for name, _, _ in self.read(most)]

    def tell(self) -> int:
        return int(self._libc.telldir(self._handle))

    def seek(self, to: int) -> None:
        self._libc.seekdir(self._handle, ctypes.c_long(to))

    def rewind(self) -> None:
        self._libc.rewinddir(self._handle)

    def fileno(self) -> int:
        return int(self._libc.dirfd(self._handle))

    def close(self) -> None:
        self._libc.closedir(self._handle)


def fill(count: int, where: str = ".") -> None:
    for number in range(count):
        os.close(os.open(f"{where}/f{number}", os.O_CREAT | os.O_WRONLY))


def kinds() -> Any:
    put("reg")
    os.mkdir("dir")
    os.symlink("x", "lnk")
    os.mkfifo("fifo")
    os.mknod("sock", stat.S_IFSOCK | 0o600)
    found = {name.decode(): (ino, kind) for name, ino, kind in Directory(".").read()}
    right = {name: os.lstat(name).st_ino == ino for name, (ino, _) in found.items()}
    return sorted((name, kind) for name, (_, kind) in found.items()), right


def test_entries_have_type_and_inode_number(pair: Pair) -> None:
    found, right = pair.same(kinds)
    assert found[:3] == [(".", "dir"), ("..", "dir"), ("dir", "dir")]
    assert all(kind == name for name, kind in found[2:])
    assert all(right.values())


def dots_below() -> Any:
    os.makedirs("a/b")
    found = {name: ino for name, ino, _ in Directory("a/b").read()}
    return found[b"."] == os.stat("a/b").st_ino, found[b".."] == os.stat("a").st_ino


def test_dots_below_the_root(pair: Pair) -> None:
    assert pair.same(dots_below) == (True, True)


def dots_of_the_root() -> Any:
    found = {name: ino for name, ino, _ in Directory(".").read()}
    return found[b"."] == os.stat(".").st_ino, b".." in found


def test_dots_of_the_root(pair: Pair) -> None:
    assert act(pair.traced.parent, dots_of_the_root) == (True, True)


def positions(count: int) -> Any:
    fill(count)
    directory = Directory(".")
    marks, order = [], []
    while True:
        at = directory.tell()
        name = directory.names(1)
        if not name:
            break
        marks.append(at)
        order.append(name[0])
    shuffled = list(range(len(order)))
    random.Random(1).shuffle(shuffled)
    hits = 0
    for index in shuffled[:200]:
        directory.seek(marks[index])
        hits += directory.names(3) == order[index : index + 3]
    directory.rewind()
    return len(order), len(set(order)), hits, directory.names() == order


def test_positions_in_a_listing(pair: Pair) -> None:
    assert pair.same(positions, 2000) == (2002, 2002, 200, True)


def change_while_listing(count: int) -> Any:
    fill(count)
    directory = Directory(".")
    seen = directory.names(count // 4)
    for number in range(0, count, 2):
        os.unlink(f"f{number}")
    for number in range(count):
        put(f"new{number}")
    seen += directory.names()
    stayed = {b"f%d" % number for number in range(1, count, 2)}
    return len(seen) == len(set(seen)), stayed <= set(seen)


def test_a_listing_under_change_misses_nothing_that_stays(pair: Pair) -> None:
    assert pair.same(change_while_listing, 3000) == (True, True)


def remove_as_listed(count: int) -> Any:
    fill(count)
    directory = Directory(".")
    while names := [name for name in directory.names(100) if name.startswith(b"f")]:
        for name in names:
            os.unlink(name)
    return os.listdir()


def test_removing_what_is_listed_removes_all(pair: Pair) -> None:
    assert pair.same(remove_as_listed, 3000) == []


def rewind_sees_changes() -> Any:
    fill(10)
    directory = Directory(".")
    before = len(directory.names())
    put("more")
    after_end = directory.names()
    directory.rewind()
    again = directory.names()
    os.unlink("f1")
    directory.rewind()
    return before, after_end, len(again), b"more" in again, len(directory.names())


def test_rewinding_shows_what_has_changed(pair: Pair) -> None:
    assert pair.same(rewind_sees_changes) == (12, [], 13, True, 12)


def names_alone() -> Any:
    os.makedirs("d/sub")
    put("d/f", b"data")
    os.symlink("f", "d/s")
    os.chmod("d", 0o400)
    listed = sorted((name, kind) for name, _, kind in Directory("d").read())
    hidden = outcome(get, "d/f")
    os.chmod("d", 0o700)
    return listed, hidden, facts("d/f"), facts("d/sub"), get("d/f")


def test_a_directory_that_may_be_read_but_not_searched(pair: Pair) -> None:
    listed, *_ = pair.same(names_alone)
    assert listed[2:] == [(b"f", "reg"), (b"s", "lnk"), (b"sub", "dir")]


def two_listings() -> Any:
    fill(500)
    first, second = Directory("."), Directory(".")
    names = [first.names(50), second.names(70), first.names(), second.names()]
    return [len(part) for part in names], set(names[0] + names[2]) == set(names[1] + names[3])


def test_two_listings_at_once(pair: Pair) -> None:
    assert pair.same(two_listings)[1]


def shared_position() -> Any:
    fill(500)
    fd = os.open(".", os.O_RDONLY)
    first = set(os.listdir(fd))
    second = set(os.listdir(fd))
    return len(first), first == second, os.fstat(fd).st_nlink


def test_a_directory_descriptor_lists_twice(pair: Pair) -> None:
    assert pair.same(shared_position)[:2] == (500, True)


def list_removed() -> Any:
    os.mkdir("d")
    directory = Directory("d")
    os.rmdir("d")
    return directory.names(), outcome(os.stat, "d"), outcome(os.listdir, directory.fileno())


def test_a_removed_directory_lists_nothing(pair: Pair) -> None:
    traced, bare = pair.differ(list_removed)
    assert bare[0] == []
    assert traced == bare


def many(count: int) -> Any:
    fill(count)
    names = os.listdir()
    total = sum(entry.stat().st_size == 0 for entry in os.scandir())
    for name in names:
        os.unlink(name)
    return len(set(names)), total, os.listdir()


@pytest.mark.timeout(120)
def test_twenty_thousand_files_in_one_directory(pair: Pair) -> None:
    assert act(pair.traced, many, 20_000) == (20_000, 20_000, [])


def deep(levels: int) -> Any:
    for _ in range(levels):
        os.mkdir("down")
        os.chdir("down")
    put("bottom", b"here")
    found = facts("bottom"), len(os.getcwd().split("/")) > levels
    for _ in range(levels):
        os.chdir("..")
    return found, sorted(os.listdir())


def test_a_deep_tree(pair: Pair) -> None:
    assert pair.same(deep, 300)[1] == ["down"]


def removal_errors() -> Any:
    os.makedirs("d/e")
    put("f")
    return [
        outcome(call, name)
        for call in (os.rmdir, os.unlink, os.mkdir)
        for name in ("d", "f", "none", "d/.", "d/..", ".", "f/x", "none/x", "")
    ]


def test_what_removing_and_making_refuse(pair: Pair) -> None:
    assert pair.same(removal_errors)[:3] == ["ENOTEMPTY", "ENOTDIR", "ENOENT"]


def walk_after_move() -> Any:
    os.makedirs("a/b/c")
    put("a/b/c/f", b"x")
    here = os.open("a/b/c", os.O_RDONLY)
    os.rename("a/b", "z")
    put("z/c/g", b"y")
    os.mkdir("a/b")
    return (
        sorted(os.listdir(here)),
        os.listdir("a/b"),
        os.path.samestat(os.stat("..", dir_fd=here), os.stat("z")),
        os.stat("f", dir_fd=here).st_size,
    )


def test_a_directory_that_moves_is_still_itself(pair: Pair) -> None:
    assert pair.same(walk_after_move) == (["f", "g"], [], True, 1)
