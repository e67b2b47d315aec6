"""The table of what the kernel knows: references, names, scarce descriptors, stale files."""

import errno
import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from capture_support import descriptors, failure

from tracefs.capture.backing import Backing
from tracefs.capture.inodes import FREEZE_EVERY, ROOT_INO, InodeTable, Node, key_of

Make = Callable[..., Backing]


def evict(backing: Backing, node: Node) -> None:
    """Let other files push *node*'s descriptor out."""
    for _ in range(100):
        if node.fd < 0:
            return
        name = os.urandom(8).hex().encode()
        os.close(os.open(os.fsencode(backing_path(backing)) + b"/" + name, os.O_CREAT))
        backing.lookup(backing.inodes.root, name)
        assert backing.inodes[ROOT_INO] is backing.inodes.root
    raise AssertionError("it keeps its descriptor")


def backing_path(backing: Backing) -> str:
    return os.readlink(f"/proc/self/fd/{backing.inodes.root.fd}")


def stale(call: Callable[[], object]) -> str:
    """The reason in the ESTALE that *call* ends with."""
    error = failure(call)
    assert error.errno == errno.ESTALE
    return error.strerror or ""


def test_the_root_is_known_from_the_start_and_for_ever(backing: Backing, source: Path) -> None:
    table = backing.inodes
    assert table[ROOT_INO] is table.root
    assert table.path(table.root) == b"."
    assert table.root.shown == source.stat().st_ino
    table.forget(ROOT_INO, 1)
    assert table[ROOT_INO] is table.root


def test_a_file_is_known_by_its_own_number(backing: Backing, source: Path) -> None:
    (source / "a").touch()
    node, info = backing.lookup(backing.inodes.root, b"a")
    assert node.ino == node.shown == info.st_ino == (source / "a").stat().st_ino
    assert backing.inodes[node.ino] is node
    assert backing.inodes.known(info) is node


def test_a_number_that_nobody_was_told_is_stale(backing: Backing) -> None:
    assert stale(lambda: backing.inodes[12345]) == "unknown inode"


def test_hard_links_are_one_node_and_each_lookup_one_reference(
    backing: Backing, source: Path
) -> None:
    (source / "a").touch()
    (source / "b").hardlink_to(source / "a")
    first, _ = backing.lookup(backing.inodes.root, b"a")
    second, _ = backing.lookup(backing.inodes.root, b"b")
    assert first is second
    assert first.lookups == 2
    assert backing.inodes.path(first) == b"b", "the name it was found by last"


def test_a_node_goes_with_its_last_reference_and_so_does_its_descriptor(
    backing: Backing, source: Path
) -> None:
    (source / "a").touch()
    before = descriptors()
    for _ in range(3):
        node, _ = backing.lookup(backing.inodes.root, b"a")
    assert (len(backing.inodes), descriptors()) == (2, before + 1)
    backing.inodes.forget(node.ino, 2)
    assert backing.inodes[node.ino] is node
    backing.inodes.forget(node.ino, 1)
    assert (len(backing.inodes), descriptors()) == (1, before)
    stale(lambda: backing.inodes[node.ino])
    backing.inodes.forget(node.ino, 1)  # of what is not known: nothing


def test_a_path_is_followed_through_renames_of_what_is_above(
    backing: Backing, source: Path
) -> None:
    (source / "d" / "e").mkdir(parents=True)
    (source / "d" / "e" / "file").touch()
    table = backing.inodes
    d, _ = backing.lookup(table.root, b"d")
    e, _ = backing.lookup(d, b"e")
    file, _ = backing.lookup(e, b"file")
    assert table.path(file) == b"d/e/file"
    assert table.path_of(e, b"new") == b"d/e/new"
    assert table.path_of(table.root, b"new") == b"new"
    backing.rename(table.root, b"d", table.root, b"x", 0)
    backing.rename(d, b"e", table.root, b"y", 0)
    assert table.path(file) == b"y/file"


def test_what_has_no_name_left_keeps_its_last_path(backing: Backing, source: Path) -> None:
    (source / "d").mkdir()
    (source / "d" / "a").touch()
    (source / "d" / "b").touch()
    table = backing.inodes
    d, _ = backing.lookup(table.root, b"d")
    a, _ = backing.lookup(d, b"a")
    b, _ = backing.lookup(d, b"b")
    assert backing.unlink(d, b"a") is a
    assert backing.rename(d, b"b", table.root, b"c", 0) == (b, None)
    assert backing.rmdir(table.root, b"d") is d
    assert [table.path(node) for node in (a, b, d)] == [b"d/a", b"c", b"d"]
    assert table.path_of(d, b"z") == b"d/z"


def test_removing_another_name_leaves_the_path(backing: Backing, source: Path) -> None:
    (source / "a").touch()
    (source / "b").hardlink_to(source / "a")
    node, _ = backing.lookup(backing.inodes.root, b"a")
    assert backing.unlink(backing.inodes.root, b"b") is node
    assert backing.inodes.path(node) == b"a"
    assert node.parent is backing.inodes.root


def test_renaming_one_name_of_a_file_to_another_changes_nothing(
    backing: Backing, source: Path
) -> None:
    (source / "a").touch()
    (source / "b").hardlink_to(source / "a")
    node, _ = backing.lookup(backing.inodes.root, b"a")
    assert backing.rename(backing.inodes.root, b"a", backing.inodes.root, b"b", 0) == (node, None)
    assert backing.inodes.path(node) == b"a"
    assert sorted(os.listdir(source)) == ["a", "b"]


def test_an_exchange_swaps_both_paths(backing: Backing, source: Path) -> None:
    (source / "d").mkdir()
    (source / "d" / "a").touch()
    (source / "b").touch()
    root = backing.inodes.root
    d, _ = backing.lookup(root, b"d")
    a, _ = backing.lookup(d, b"a")
    b, _ = backing.lookup(root, b"b")
    assert backing.rename(d, b"a", root, b"b", 2) == (a, b)
    assert (backing.inodes.path(a), backing.inodes.path(b)) == (b"b", b"d/a")


def test_a_replaced_file_is_reported_and_lives_on(backing: Backing, source: Path) -> None:
    (source / "old").write_text("old")
    (source / "new").write_text("new")
    root = backing.inodes.root
    old, _ = backing.lookup(root, b"old")
    new, _ = backing.lookup(root, b"new")
    assert backing.rename(root, b"new", root, b"old", 0) == (new, old)
    assert (backing.inodes.path(new), backing.inodes.path(old)) == (b"old", b"old")
    fd = backing.open(old, os.O_RDONLY)
    assert os.read(fd, 9) == b"old"
    os.close(fd)


@pytest.mark.parametrize("flags", [0, 1, 2])
def test_files_that_the_kernel_does_not_know_are_renamed_all_the_same(
    backing: Backing, source: Path, flags: int
) -> None:
    (source / "a").write_text("a")
    if flags == 2:
        (source / "b").touch()
    root = backing.inodes.root
    assert backing.rename(root, b"a", root, b"b", flags) == (None, None)
    assert (source / "b").read_text() == "a"
    assert len(backing.inodes) == 1


def test_a_failed_change_leaves_paths_alone(backing: Backing, source: Path) -> None:
    (source / "a").touch()
    (source / "d" / "full").mkdir(parents=True)
    root = backing.inodes.root
    a, _ = backing.lookup(root, b"a")
    d, _ = backing.lookup(root, b"d")
    for call, error in (
        (lambda: backing.rename(root, b"a", root, b"d", 0), IsADirectoryError),
        (lambda: backing.rename(root, b"a", root, b"d", 1), FileExistsError),
        (lambda: backing.rmdir(root, b"d"), OSError),
        (lambda: backing.unlink(root, b"d"), OSError),
        (lambda: backing.rmdir(root, b"a"), NotADirectoryError),
    ):
        with pytest.raises(error):
            call()
    assert (backing.inodes.path(a), backing.inodes.path(d)) == (b"a", b"d")


def test_only_so_many_descriptors_are_kept(back: Make, source: Path) -> None:
    backing = back(max_open=8)
    before = descriptors()
    nodes = []
    for number in range(30):
        (source / f"{number}").touch()
        nodes.append(backing.lookup(backing.inodes.root, b"%d" % number)[0])
        assert backing.inodes[ROOT_INO] is backing.inodes.root
    assert descriptors() - before <= 8
    assert nodes[0].fd < 0, "the oldest go first"
    for node in nodes:
        assert backing.getattr(node).st_ino == node.ino
        assert backing.inodes[ROOT_INO] is backing.inodes.root
    assert descriptors() - before <= 8


def test_a_file_without_a_name_is_never_let_go(back: Make, source: Path) -> None:
    backing = back(max_open=2)
    (source / "gone").write_text("still here")
    node, _ = backing.lookup(backing.inodes.root, b"gone")
    backing.unlink(backing.inodes.root, b"gone")
    with pytest.raises(AssertionError, match="keeps"):
        evict(backing, node)
    fd = backing.open(node, os.O_RDONLY)
    assert os.read(fd, 20) == b"still here"
    os.close(fd)


def test_unlinking_what_was_let_go_pins_it_first(back: Make, source: Path) -> None:
    backing = back(max_open=2)
    (source / "a").write_text("text")
    node, _ = backing.lookup(backing.inodes.root, b"a")
    evict(backing, node)
    assert backing.unlink(backing.inodes.root, b"a") is node
    assert backing.getattr(node).st_nlink == 0


def test_a_file_in_directories_that_were_let_go_is_found_through_them(
    back: Make, source: Path
) -> None:
    backing = back(max_open=2)
    (source / "d" / "e").mkdir(parents=True)
    (source / "d" / "e" / "file").touch()
    d, _ = backing.lookup(backing.inodes.root, b"d")
    e, _ = backing.lookup(d, b"e")
    file, _ = backing.lookup(e, b"file")
    for node in (d, e, file):
        evict(backing, node)
    assert backing.getattr(file).st_ino == file.ino


@pytest.mark.parametrize("change", ["removed", "replaced", "directory", "another of its number"])
def test_what_was_changed_past_the_mount_is_stale(back: Make, source: Path, change: str) -> None:
    backing = back(max_open=2)
    (source / "d").mkdir()
    (source / "d" / "a").touch()
    d, _ = backing.lookup(backing.inodes.root, b"d")
    node, _ = backing.lookup(d, b"a")
    evict(backing, node)
    backing.getattr(d)
    why = "the name leads elsewhere"
    if change == "removed":
        (source / "d" / "a").unlink()
        why = "the name is gone"
    elif change == "replaced":
        (source / "other").touch()
        (source / "other").rename(source / "d" / "a")
    elif change == "directory":
        evict(backing, d)
        (source / "d").rename(source / "elsewhere")
        why = "the name is gone"
    else:
        assert node.birth_ns is not None
        node.birth_ns -= 1  # as if it had been made then
    before = descriptors()
    assert stale(lambda: backing.getattr(node)) == why
    assert descriptors() == before


def test_a_number_given_away_again_names_two_files(back: Make, source: Path) -> None:
    backing = back(max_open=2)
    (source / "a").touch()
    old, _ = backing.lookup(backing.inodes.root, b"a")
    evict(backing, old)
    assert old.birth_ns is not None
    old.birth_ns -= 1  # as if its file were gone and its number another's
    new, info = backing.lookup(backing.inodes.root, b"a")
    assert new is not old
    assert new.ino != info.st_ino == old.ino
    assert backing.inodes[old.ino] is old
    assert backing.inodes[new.ino] is new
    assert backing.inodes.known(info) is new
    stale(lambda: backing.getattr(old))
    backing.inodes.forget(old.ino, 1)
    assert backing.inodes.known(info) is new, "forgetting the old one leaves the new"


def test_a_listing_makes_nodes_without_descriptors(backing: Backing, source: Path) -> None:
    (source / "a").write_text("text")
    info = (source / "a").stat()
    before = descriptors()
    node = backing.inodes.adopt(key_of(info), -1, backing.inodes.root, b"a")
    assert (node.fd, node.lookups, descriptors()) == (-1, 1, before)
    assert backing.getattr(node).st_size == 4
    assert backing.inodes.adopt(node.key, -1, backing.inodes.root, b"a") is node


def test_the_root_found_by_another_way_stays_the_root(backing: Backing, source: Path) -> None:
    root = backing.inodes.root
    fd = os.open(source, os.O_PATH)
    assert backing.inodes.adopt(root.key, fd, root, b"loop") is root
    assert backing.inodes.path(root) == b"."


def test_closing_closes_everything(source: Path) -> None:
    before = descriptors()
    table = InodeTable(os.open(source, os.O_PATH), max_open=10)
    for name in ("a", "b"):
        (source / name).touch()
        fd = os.open(source / name, os.O_PATH)
        info = os.stat(fd)
        table.adopt(key_of(info), fd, table.root, name.encode())
    table.close()
    assert descriptors() == before


def test_a_forgotten_directory_still_leads_to_what_is_in_it(back: Make, source: Path) -> None:
    """The kernel may keep a hard link's inode and drop the directory that it was last found in."""
    backing = back(max_open=4)
    (source / "p" / "q").mkdir(parents=True)
    (source / "p" / "f").touch()
    (source / "p" / "q" / "g").hardlink_to(source / "p" / "f")
    table = backing.inodes
    p, _ = backing.lookup(table.root, b"p")
    q, _ = backing.lookup(p, b"q")
    f, _ = backing.lookup(p, b"f")
    backing.lookup(q, b"g")
    table.forget(q.ino, 1)

    backing.rename(p, b"q", p, b"z", 0)

    assert table.path(f) == b"p/z/g"
    evict(backing, f)
    assert backing.getattr(f).st_nlink == 2


def test_a_forgotten_directory_goes_with_the_last_that_is_in_it(
    backing: Backing, source: Path
) -> None:
    (source / "d").mkdir()
    (source / "d" / "f").touch()
    table = backing.inodes
    before = len(table)
    d, _ = backing.lookup(table.root, b"d")
    f, _ = backing.lookup(d, b"f")

    table.forget(d.ino, 1)
    assert len(table) == before + 2
    table.forget(f.ino, 1)

    assert len(table) == before


def test_the_garbage_collector_is_spared_the_nodes(backing: Backing) -> None:
    # It would go through all of them, a million perhaps, while every request waits.
    table = backing.inodes
    count = 3 * FREEZE_EVERY
    before = gc.get_freeze_count()
    try:
        for number in range(count):
            table.adopt((table.root.key[0] + 1, number, 0), -1, table.root, b"%d" % number)
        assert gc.get_freeze_count() - before >= count
        assert sum(isinstance(found, Node) for found in gc.get_objects()) < FREEZE_EVERY
    finally:
        gc.unfreeze()


def opened(backing: Backing, source: Path) -> Node:
    """Return the node of a file that was opened, and can be opened as that time."""
    (source / "a").touch()
    (source / "d").mkdir()
    root = backing.inodes.root
    node, info = backing.lookup(root, b"a")
    backing.lookup(root, b"d")
    backing.inodes.was_opened(node, info, "a")
    assert backing.inodes.openable == {node.ino: (node, node.fd, b'"a"')}
    return node


@pytest.mark.parametrize(
    "change",
    [
        lambda backing, _: backing.rename(backing.inodes.root, b"a", backing.inodes.root, b"b", 0),
        lambda backing, _: backing.unlink(backing.inodes.root, b"a"),
        lambda backing, node: backing.link(node, backing.inodes.root, b"b"),
        lambda backing, node: backing.inodes.asked(1, node, backing.inodes.root, b"a"),
        lambda backing, node: backing.inodes.forget(node.ino, 1),
        evict,
    ],
    ids=["rename", "unlink", "link", "look-up by another name", "forget", "descriptor closed"],
)
def test_what_changes_a_name_or_a_descriptor_ends_that_a_file_opens_as_it_did(
    back: Make, source: Path, change: Callable[[Backing, Node], object]
) -> None:
    backing = back(max_open=4)
    change(backing, opened(backing, source))
    assert not backing.inodes.openable


def test_a_look_up_of_the_same_name_changes_nothing(backing: Backing, source: Path) -> None:
    node = opened(backing, source)
    assert backing.lookup(backing.inodes.root, b"a")[0] is node
    assert backing.inodes.openable


def test_a_file_of_several_names_does_not_open_as_it_did(backing: Backing, source: Path) -> None:
    (source / "a").touch()
    os.link(source / "a", source / "b")
    node, info = backing.lookup(backing.inodes.root, b"a")
    backing.inodes.was_opened(node, info, "a")
    assert not backing.inodes.openable


def test_a_path_that_is_too_long_for_a_line_is_not_kept(backing: Backing, source: Path) -> None:
    (source / "a").touch()
    node, info = backing.lookup(backing.inodes.root, b"a")
    backing.inodes.was_opened(node, info, "x" * 1023)
    assert not backing.inodes.openable
    backing.inodes.was_opened(node, info, "x" * 1022)
    assert backing.inodes.openable
