"""Files and directories that get the inode number of one that is gone are new to rules."""

import os
from typing import Any

from injecting import Injected
from mounted_support import act, open_new, outcome

TIMES = 20
"""The number is free once the kernel has forgotten the file, which nobody can wait for."""


def directories() -> list[Any]:
    told = []
    for name in ["a", "b"] * TIMES:
        os.mkdir(name)
        fd = os.open(name, os.O_RDONLY)
        told.append(outcome(os.fsync, fd))
        os.close(fd)
        os.rmdir(name)
    return told


def test_a_rule_for_a_directory_that_is_gone_is_not_for_the_next_one(injected: Injected) -> None:
    mount = injected("sync(a)=EIO")
    assert act(mount.mountpoint, directories) == ["EIO", None] * TIMES


def nodes() -> list[Any]:
    told = []
    for name in ["a", "b"] * TIMES:
        os.mknod(name, 0o600)
        told.append(outcome(os.chmod, name, 0o640))
        os.unlink(name)
    return told


def test_nor_is_one_for_a_file_that_mknod_made(injected: Injected) -> None:
    mount = injected("attr(a)=EIO")
    assert act(mount.mountpoint, nodes) == ["EIO", None] * TIMES


def files() -> list[Any]:
    told = []
    for _ in range(TIMES):
        fd = open_new("f", os.O_EXCL)
        told += [outcome(os.pwrite, fd, b"xx", 0) for _ in range(2)]
        os.close(fd)
        os.unlink("f")
    return told


def test_a_new_file_is_counted_from_its_first_call(injected: Injected) -> None:
    mount = injected("write=EIO:when=2:per=file")
    assert act(mount.mountpoint, files) == [2, "EIO"] * TIMES
