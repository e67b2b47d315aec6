"""Several users in one mount: who may do what, and to whom belongs what they make."""

import os
import stat
from typing import Any

import pytest
from mounted_support import NOBODY, Pair, act, facts, get, outcome, put

SOMEBODY = 12345

pytestmark = pytest.mark.usefixtures("as_root")


def become(user: int, *groups: int) -> None:
    os.setgroups(groups)
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def make_all(prefix: str = "") -> Any:
    put(f"{prefix}f", b"mine")
    os.mkdir(f"{prefix}d")
    os.symlink("x", f"{prefix}s")
    os.mkfifo(f"{prefix}p")
    os.mknod(f"{prefix}n", stat.S_IFREG | 0o600)
    os.link(f"{prefix}f", f"{prefix}l")
    return [facts(prefix + name) for name in "fdspnl"]


@pytest.mark.parametrize("user", [None, NOBODY, SOMEBODY])
def test_what_a_user_makes_belongs_to_that_user(pair: Pair, user: int | None) -> None:
    owners = {(made["uid"], made["gid"]) for made in pair.same(make_all, user=user)}
    assert owners == {(user or 0, user or 0)}


def prepare_shared(mode: int) -> None:
    os.mkdir("shared")
    os.chown("shared", SOMEBODY, 777)
    os.chmod("shared", mode)


def make_in_shared(groups: list[int]) -> Any:
    become(NOBODY, *groups)
    os.umask(0o002)
    made = make_all("shared/")
    for name, mode in (("g", 0o2755), ("h", 0o6711), ("i", 0o2744)):
        os.close(os.open(f"shared/{name}", os.O_CREAT | os.O_WRONLY, mode))
        os.mkdir(f"shared/d{name}", mode)
        made += [facts(f"shared/{name}"), facts(f"shared/d{name}")]
    os.mkdir("shared/d/e")
    put("shared/d/e/f")
    return [*made, facts("shared/d/e"), facts("shared/d/e/f")]


@pytest.mark.parametrize("groups", [[], [777]], ids=["stranger", "member"])
def test_a_set_group_directory_passes_its_group_on(pair: Pair, groups: list[int]) -> None:
    for place in (pair.bare, pair.backing):
        act(place, prepare_shared, 0o2777)
    made = pair.same(make_in_shared, groups)
    assert {one["gid"] for one in made} == {777}


def roots_in_shared() -> Any:
    made = make_all("shared/")
    os.chown("shared", -1, 0)
    put("shared/again")
    return [*made, facts("shared/again")]


def test_roots_files_in_a_set_group_directory(pair: Pair) -> None:
    for place in (pair.bare, pair.backing):
        act(place, prepare_shared, 0o2777)
    assert {one["gid"] for one in pair.same(roots_in_shared)[:-1]} == {777}


def test_a_set_group_directory_of_roots_own_group(pair: Pair) -> None:
    for place in (pair.bare, pair.backing):
        (place / "shared").mkdir()
        (place / "shared").chmod(0o2777)
    assert {one["gid"] for one in pair.same(make_in_shared, [])} == {0}


def sticky() -> Any:
    os.mkdir("t")
    os.chmod("t", 0o1777)
    put("t/roots")
    os.chmod("t/roots", 0o666)
    become(NOBODY)
    put("t/mine")
    return [
        outcome(os.unlink, "t/roots"),
        outcome(os.rename, "t/roots", "t/x"),
        outcome(os.rename, "t/mine", "t/roots"),
        outcome(os.rename, "t/mine", "t/y"),
        outcome(os.open, "t/roots", os.O_CREAT | os.O_WRONLY),
        outcome(os.unlink, "t/y"),
        sorted(os.listdir("t")),
    ]


def test_a_sticky_directory(pair: Pair) -> None:
    assert pair.same(sticky)[:3] == ["EPERM", "EPERM", "EPERM"]


MODES = (0o777, 0o755, 0o744, 0o711, 0o700, 0o070, 0o007, 0o000, 0o644, 0o466)


def permissions(uid: int, gid: int, groups: list[int]) -> Any:
    for mode in MODES:
        name = f"{mode:o}"
        os.mkdir(f"d{name}")
        for path in (f"d{name}/f", name):
            put(path, b"#!/bin/sh\n")
            os.chmod(path, 0o666)
        for path in (name, f"d{name}"):
            os.chown(path, uid, gid)
            os.chmod(path, mode)
    become(NOBODY, *groups)
    seen: list[Any] = []
    for mode in MODES:
        name = f"{mode:o}"
        seen += [
            [os.access(name, how) for how in (os.R_OK, os.W_OK, os.X_OK, os.F_OK)],
            [type(outcome(os.open, name, how)) for how in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR)],
            outcome(os.truncate, name, 5),
            outcome(os.listdir, f"d{name}"),
            outcome(get, f"d{name}/f"),
            outcome(os.mkdir, f"d{name}/new"),
            outcome(os.rename, f"d{name}/f", f"d{name}/g"),
            outcome(os.unlink, f"d{name}/g"),
            outcome(os.chdir, f"d{name}"),
        ]
        if seen[-1] is None:
            os.chdir("..")
    return seen


@pytest.mark.parametrize(
    ("uid", "gid", "groups"),
    [(NOBODY, 1, []), (1, NOBODY, []), (1, 2, [2, 3]), (1, 2, [3]), (0, 0, [])],
    ids=["owner", "group", "other-group", "others", "root's"],
)
def test_permissions(pair: Pair, uid: int, gid: int, groups: list[int]) -> None:
    seen = pair.same(permissions, uid, gid, groups)
    assert {"EACCES", None} <= {one for one in seen if not isinstance(one, list)}


def set_group_bit() -> Any:
    return [(outcome(os.chmod, name, 0o2755), facts(name)) for name in ("f", "d")]


def test_the_set_group_bit_needs_membership(pair: Pair) -> None:
    for place in (pair.bare, pair.backing):
        (place / "f").touch()
        (place / "d").mkdir()
        for name in ("f", "d"):
            os.chown(place / name, NOBODY, 1)
    modes = [facts["mode"] for _, facts in pair.same(set_group_bit, user=NOBODY)]
    assert modes == ["0o755", "0o755"]


def foreign_file() -> Any:
    """What a program that turned to another user still may: its descriptors stay as they are."""
    put("f", b"root's")
    os.chmod("f", 0o600)
    fd = os.open("f", os.O_RDWR)
    become(NOBODY)
    return (
        os.pwrite(fd, b"ROOT", 0),
        os.pread(fd, 10, 0),
        outcome(os.ftruncate, fd, 5),
        outcome(os.fchmod, fd, 0o666),
        outcome(os.utime, fd),
        outcome(os.open, "f", os.O_RDONLY),
        outcome(os.open, f"/proc/self/fd/{fd}", os.O_RDONLY),
        outcome(os.fsync, fd),
    )


def test_descriptors_outlive_privileges(pair: Pair) -> None:
    assert pair.same(foreign_file)[:4] == (4, b"ROOT's", None, "EPERM")


def protected_links() -> Any:
    os.mkdir("t")
    os.chmod("t", 0o1777)
    os.symlink("/etc/hostname", "t/s")
    put("t/f")
    os.chmod("t/f", 0o600)
    become(NOBODY)
    return outcome(os.stat, "t/s") == "EACCES", outcome(os.link, "t/f", "t/g")


def test_protected_links(pair: Pair) -> None:
    pair.same(protected_links)
