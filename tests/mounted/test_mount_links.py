"""Names: hard links, symbolic links, files without a name, renaming."""

import ctypes
import os
from typing import Any

from mounted_support import Pair, act, facts, get, outcome, put

NOREPLACE, EXCHANGE, WHITEOUT = 1, 2, 4


def rename2(old: str, new: str, flags: int) -> None:
    """renameat2(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(-100, old.encode(), -100, new.encode(), flags):
        raise OSError(ctypes.get_errno(), "renameat2")


def hard_links() -> Any:
    put("a", b"one")
    os.link("a", "b")
    numbers = {os.stat(name).st_ino for name in "ab"}
    put("b", b"three")
    os.chmod("a", 0o600)
    seen = [facts("a"), facts("b")]
    os.unlink("a")
    os.mkdir("d")
    return len(numbers), get("b"), seen, facts("b"), outcome(os.link, "d", "e")


def test_hard_links_are_one_file(pair: Pair) -> None:
    numbers, data, _, _, of_directory = pair.same(hard_links)
    assert (numbers, data, of_directory) == (1, b"three", "EPERM")


def links_to_links() -> Any:
    os.symlink("nowhere", "s")
    os.link("s", "t", follow_symlinks=False)
    return os.readlink("t"), facts("t"), os.stat("s", follow_symlinks=False).st_nlink


def test_a_symbolic_link_can_have_two_names(pair: Pair) -> None:
    assert pair.same(links_to_links)[0] == "nowhere"


def link_an_open_file_without_a_name() -> Any:
    put("a", b"x")
    fd = os.open("a", os.O_RDWR)
    os.unlink("a")
    # Only with a directory descriptor does Python call linkat, which can follow.
    here = os.open(".", os.O_RDONLY)
    return outcome(os.link, f"/proc/self/fd/{fd}", "b", src_dir_fd=here, follow_symlinks=True)


def test_a_file_without_a_name_gets_none(pair: Pair) -> None:
    assert pair.same(link_an_open_file_without_a_name) == "ENOENT"


def unlinked() -> Any:
    put("f", b"before")
    os.chmod("f", 0o640)
    fd = os.open("f", os.O_RDWR)
    os.unlink("f")
    os.pwrite(fd, b"AFTER and more", 0)
    first = os.pread(fd, 100, 0), facts(fd)
    os.ftruncate(fd, 5)
    os.fchmod(fd, 0o600)
    os.utime(fd, ns=(1, 2))
    os.fsync(fd)
    put("f", b"another")
    info = os.stat(fd)
    times = info.st_atime_ns, info.st_mtime_ns
    same = os.path.samestat(info, os.stat("f"))
    again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
    return first, os.read(again, 100), facts(fd), times, same, get("f")


def test_an_unlinked_open_file_lives_on(pair: Pair) -> None:
    *_, times, same, named = pair.same(unlinked)
    assert (times, same, named) == ((1, 2), False, b"another")


def removed_directory() -> Any:
    os.mkdir("d")
    fd = os.open("d", os.O_RDONLY)
    os.rmdir("d")
    nlink = os.fstat(fd).st_nlink
    made = outcome(os.open, "x", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    return nlink, os.listdir(fd), made, outcome(os.mkdir, "y", dir_fd=fd)


def test_a_removed_directory_stays_empty(pair: Pair) -> None:
    assert pair.same(removed_directory) == (0, [], "ENOENT", "ENOENT")


def rename_over_open() -> Any:
    put("old", b"old")
    put("new", b"new contents")
    fd = os.open("old", os.O_RDWR)
    moving = os.open("new", os.O_RDWR)
    os.rename("new", "old")
    os.pwrite(fd, b"OLD!", 0)
    os.pwrite(moving, b"NEW", 0)
    return os.pread(fd, 100, 0), os.fstat(fd).st_nlink, get("old"), sorted(os.listdir())


def test_what_was_renamed_over_stays_open(pair: Pair) -> None:
    assert pair.same(rename_over_open) == (b"OLD!", 0, b"NEW contents", ["old"])


def rename_flags() -> Any:
    put("a", b"A")
    put("b", b"B")
    os.mkdir("d")
    put("d/in", b"in")
    fd = os.open("d/in", os.O_RDWR)
    refused = outcome(rename2, "a", "b", NOREPLACE)
    rename2("a", "c", NOREPLACE)
    rename2("c", "b", EXCHANGE)
    rename2("b", "d", EXCHANGE)
    os.pwrite(fd, b"IN", 0)
    missing = outcome(rename2, "c", "none", EXCHANGE)
    both = outcome(rename2, "c", "d", NOREPLACE | EXCHANGE)
    return refused, missing, both, get("d"), get("b/in"), get("c"), sorted(os.listdir("b"))


def test_rename_flags(pair: Pair) -> None:
    refused, missing, both, *contents = pair.same(rename_flags)
    assert (refused, missing, both) == ("EEXIST", "ENOENT", "EINVAL")
    assert contents == [b"A", b"IN", b"B", ["in"]]


def rename_errors() -> Any:
    os.makedirs("d/e")
    put("f")
    put("g")
    os.link("f", "h")
    os.makedirs("full/x")
    return [
        outcome(os.rename, *pair)
        for pair in [
            ("d", "d/e/x"),
            ("d", "f"),
            ("f", "d"),
            ("d", "full"),
            ("none", "x"),
            ("f", "f"),
            ("f", "h"),
            ("d/e", "."),
            ("d/.", "x"),
        ]
    ], sorted(os.listdir())


def test_what_rename_refuses(pair: Pair) -> None:
    results, names = pair.same(rename_errors)
    assert results[:5] == ["EINVAL", "ENOTDIR", "EISDIR", "ENOTEMPTY", "ENOENT"]
    assert names == ["d", "f", "full", "g", "h"]


def rename_whiteout() -> Any:
    put("a", b"A")
    rename2("a", "b", WHITEOUT)
    return get("b"), facts("a")


def test_rename_can_leave_a_whiteout(pair: Pair) -> None:
    assert pair.same(rename_whiteout)[0] == b"A"


def long_chain() -> Any:
    os.symlink(b"x" * 4095, "long")
    os.symlink(b"\xff\xfe", "bytes")
    os.symlink("none/at/all", "dangling")
    os.symlink("loop", "loop")
    put("file", b"here")
    os.symlink("file", "good")
    return (
        len(os.readlink(b"long")),
        os.readlink(b"bytes"),
        [facts(name) for name in ("long", "bytes", "dangling", "good")],
        outcome(os.stat, "dangling"),
        outcome(os.stat, "loop"),
        outcome(os.readlink, "file"),
        outcome(os.symlink, b"x" * 4096, "longer"),
        outcome(os.symlink, "", "empty"),
        outcome(os.open, "good", os.O_RDONLY | os.O_NOFOLLOW),
        outcome(os.open, "dangling", os.O_CREAT | os.O_EXCL | os.O_WRONLY),
        get("good"),
    )


def test_symbolic_links(pair: Pair) -> None:
    length, raw, *_ = pair.same(long_chain)
    assert (length, raw) == (4095, b"\xff\xfe")


def create_through_link() -> Any:
    os.symlink("target", "s")
    put("s", b"made")
    return get("target"), sorted(os.listdir())


def test_a_dangling_link_leads_to_what_is_made(pair: Pair) -> None:
    assert pair.same(create_through_link) == (b"made", ["s", "target"])


def many_links() -> Any:
    put("f", b"data")
    for number in range(300):
        os.link("f", f"l{number}")
    for number in range(0, 300, 2):
        os.unlink(f"l{number}")
    os.unlink("f")
    return os.stat("l1").st_nlink, get("l299"), len(os.listdir())


def test_a_file_may_have_hundreds_of_names(pair: Pair) -> None:
    assert pair.same(many_links) == (150, b"data", 150)


def numbers(*names: str) -> list[int]:
    return [os.stat(name, follow_symlinks=False).st_ino for name in names]


def test_inode_numbers_are_those_of_the_source(pair: Pair) -> None:
    (pair.backing / "f").touch()
    (pair.backing / "d").mkdir()
    (pair.backing / "s").symlink_to("f")
    traced, backing = (
        act(place, numbers, "f", "d", "s", ".") for place in (pair.traced, pair.backing)
    )
    assert traced == backing
