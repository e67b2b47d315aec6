"""Set-user-ID, set-group-ID and file capabilities: who changes a file takes them away."""

import mmap
import os
import struct
from typing import Any

import pytest
from mounted_support import NOBODY, Pair, facts, get, outcome, put

CAPABILITY = "security.capability"
# struct vfs_ns_cap_data, version 2 (linux/capability.h): cap_net_bind_service.
CAPS = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)

MODES = (0o6777, 0o6755, 0o6767, 0o4777, 0o2777, 0o2767, 0o1777)


def prepare(name: str, mode: int) -> None:
    put(name, b"contents")
    os.chmod(name, mode)


def write(name: str) -> Any:
    fd = os.open(name, os.O_WRONLY)
    before = facts(fd)
    os.pwrite(fd, b"x", 0)
    return before, facts(fd)


def write_later(name: str) -> Any:
    """The bits come after the open."""
    fd = os.open(name, os.O_RDWR)
    os.fchmod(fd, 0o666)
    os.pwrite(fd, b"x", 0)
    os.fchmod(fd, 0o6777)
    os.pwrite(fd, b"y", 1)
    return facts(fd)


def append(name: str) -> None:
    os.write(os.open(name, os.O_WRONLY | os.O_APPEND), b"more")


def write_nothing(name: str) -> None:
    os.write(os.open(name, os.O_WRONLY), b"")


def truncate(name: str) -> None:
    os.truncate(name, 3)


def ftruncate(name: str) -> None:
    os.ftruncate(os.open(name, os.O_WRONLY), 3)


def open_truncating(name: str) -> None:
    os.close(os.open(name, os.O_WRONLY | os.O_TRUNC))


def create_truncating(name: str) -> None:
    os.close(os.open(name, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o644))


def store(name: str) -> None:
    fd = os.open(name, os.O_RDWR)
    with mmap.mmap(fd, 8) as memory:
        memory[0:1] = b"m"
        memory.flush()


def copy(name: str) -> None:
    put("from", b"copied")
    os.copy_file_range(os.open("from", os.O_RDONLY), os.open(name, os.O_WRONLY), 6)


def allocate(name: str) -> None:
    os.posix_fallocate(os.open(name, os.O_WRONLY), 0, 100)


def read(name: str) -> None:
    get(name)


def touch(name: str) -> None:
    os.utime(name)


def rename(name: str) -> None:
    os.rename(name, "x")
    os.rename("x", name)


def link(name: str) -> None:
    os.link(name, "x")
    os.unlink("x")


CHANGES = (
    write, append, write_nothing, truncate, ftruncate, open_truncating, create_truncating, store,
    copy, allocate, read, touch, rename, link,
)  # fmt: skip


def change(index: int, names: list[str]) -> Any:
    results = [outcome(CHANGES[index], name) for name in names]
    return [
        (result if index == 0 else None, facts(name))
        for result, name in zip(results, names, strict=True)
    ]


@pytest.mark.parametrize("user", [None, NOBODY])
@pytest.mark.parametrize("index", range(len(CHANGES)), ids=[c.__name__ for c in CHANGES])
def test_set_id_bits_after(pair: Pair, index: int, user: int | None, as_root: None) -> None:
    for place in (pair.bare, pair.backing):
        for mode in MODES:
            (place / f"{mode:o}").write_bytes(b"contents")
            (place / f"{mode:o}").chmod(mode)
    pair.same(change, index, [f"{mode:o}" for mode in MODES], user=user)


@pytest.mark.parametrize("user", [None, NOBODY])
def test_set_id_bits_that_come_after_the_open(pair: Pair, user: int | None, as_root: None) -> None:
    pair.same(own_write_later, user=user)


def own_write_later() -> Any:
    put("f", b"contents")
    return write_later("f"), get("f")


def bits_from_elsewhere() -> Any:
    put("f", b"contents")
    fd = os.open("f", os.O_RDWR)
    os.pwrite(fd, b"x", 0)
    if (child := os.fork()) == 0:
        os.chmod("f", 0o6777)
        os._exit(0)
    os.waitpid(child, 0)
    before = facts(fd)
    os.pwrite(fd, b"x", 0)
    return before, facts(fd), facts("f")


def test_set_id_bits_that_another_process_sets(pair: Pair, as_root: None) -> None:
    before, after, _ = pair.same(bits_from_elsewhere, user=NOBODY)
    assert (before["mode"], after["mode"]) == ("0o6777", "0o777")


def chown_forms() -> Any:
    seen = []
    for mode in MODES:
        for ids in ((1, -1), (-1, 1), (-1, -1), (0, 0), (NOBODY, NOBODY)):
            put("f")
            os.chmod("f", mode)
            os.chown("f", *ids)
            seen.append(facts("f"))
            os.unlink("f")
            os.mkdir("d")
            os.chmod("d", mode)
            os.chown("d", *ids)
            seen.append(facts("d"))
            os.rmdir("d")
    return seen


def test_chown_by_root(pair: Pair, as_root: None) -> None:
    pair.same(chown_forms)


def own_chown() -> Any:
    seen = []
    for mode in MODES:
        put("f")
        os.chmod("f", mode)
        seen += [outcome(os.chown, "f", -1, -1), facts("f")]
        os.chmod("f", mode)
        seen += [outcome(os.chown, "f", NOBODY, NOBODY), facts("f")]
        os.unlink("f")
    return seen


def own_chown_in_a_strange_group() -> Any:
    seen = []
    for name in sorted(os.listdir()):
        seen += [name, outcome(os.chown, name, -1, NOBODY), facts(name)]
    return seen


def test_chown_by_an_owner_who_is_not_in_the_group(pair: Pair, as_root: None) -> None:
    for place in (pair.bare, pair.backing):
        for mode in MODES:
            (place / f"{mode:o}").touch()
            os.chown(place / f"{mode:o}", NOBODY, 1)
            (place / f"{mode:o}").chmod(mode)
    pair.same(own_chown_in_a_strange_group, user=NOBODY)


def chown_of_nothing() -> Any:
    seen = []
    for name in sorted(os.listdir()):
        fd = os.open(name, os.O_RDONLY)
        forms: tuple[tuple[str | int, bool], ...] = ((name, True), (name, False), (fd, True))
        for form, follow in forms:
            seen += [name, outcome(os.chown, form, -1, -1, follow_symlinks=follow), facts(name)]
        seen.append(outcome(os.utime, fd))
        os.close(fd)
    return seen


@pytest.mark.parametrize("owner", [NOBODY, 1], ids=["owner", "another"])
@pytest.mark.parametrize("group", [NOBODY, 1], ids=["member", "stranger"])
def test_chown_of_nothing(pair: Pair, owner: int, group: int, as_root: None) -> None:
    """It takes set-id bits away, which only the owner may."""
    for place in (pair.bare, pair.backing):
        for mode in (*MODES, 0o2644, 0o6646, 0o644):
            (place / f"{mode:o}").touch()
            os.chown(place / f"{mode:o}", owner, group)
            (place / f"{mode:o}").chmod(mode)
    pair.same(chown_of_nothing, user=NOBODY)


def test_chown_by_the_owner(pair: Pair, as_root: None) -> None:
    pair.same(own_chown, user=NOBODY)


def capabilities(index: int) -> Any:
    put("f", b"contents")
    os.chmod("f", 0o777)
    os.setxattr("f", CAPABILITY, CAPS)
    before = os.getxattr("f", CAPABILITY)
    if (child := os.fork()) == 0:
        os.setresuid(NOBODY, NOBODY, NOBODY)
        outcome(CHANGES[index], "f")
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    after = outcome(os.getxattr, "f", CAPABILITY)
    os.unlink("f")
    # And root, who keeps set-id bits, loses capabilities all the same.
    put("g", b"contents")
    os.setxattr("g", CAPABILITY, CAPS)
    CHANGES[index]("g")
    return before, status, after, outcome(os.getxattr, "g", CAPABILITY)


@pytest.mark.parametrize(
    "index",
    [index for index, change in enumerate(CHANGES) if change is not store],
    ids=[change.__name__ for change in CHANGES if change is not store],
)
def test_capabilities_after(pair: Pair, index: int, as_root: None) -> None:
    pair.same(capabilities, index)


def test_capabilities_after_a_store_through_a_mapping(pair: Pair, as_root: None) -> None:
    # A store becomes a write below, and that takes capabilities away; on the bare directory it
    # doesn't (docs/reference/limits.md).
    traced, bare = pair.differ(capabilities, CHANGES.index(store))
    assert (traced[2:], bare[2:]) == (("ENODATA", "ENODATA"), (CAPS, CAPS))


def capabilities_and_chown() -> Any:
    put("f")
    os.setxattr("f", CAPABILITY, CAPS)
    os.chown("f", 1, 1)
    return outcome(os.getxattr, "f", CAPABILITY)


def test_capabilities_go_with_a_change_of_owner(pair: Pair, as_root: None) -> None:
    assert pair.same(capabilities_and_chown) == "ENODATA"


def run_program(program: str) -> Any:
    if (child := os.fork()) == 0:
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        out = os.open("out", os.O_WRONLY)
        os.dup2(out, 1)
        os.execv(program, [program, "-u"])
    return os.waitpid(child, 0)[1], get("out")


def test_a_set_id_program_takes_effect(pair: Pair, as_root: None) -> None:
    for place in (pair.bare, pair.backing):
        with open("/usr/bin/id", "rb") as program:
            (place / "id").write_bytes(program.read())
        os.chown(place / "id", 1234, -1)
        (place / "id").chmod(0o4755)
        (place / "out").touch()
        (place / "out").chmod(0o666)
    assert pair.same(run_program, "./id") == (0, b"1234\n")
