import os

import pytest

from tracefs.trace.flags import open_flags, rename_flags, rwf_flags, sync_flag


@pytest.mark.parametrize(
    ("bits", "names"),
    [
        (0, ("O_RDONLY",)),
        (0o102, ("O_RDWR", "O_CREAT")),
        (0o1101, ("O_WRONLY", "O_CREAT", "O_TRUNC")),
        (0o4010002, ("O_RDWR", "O_SYNC")),
        (0o10002, ("O_RDWR", "O_DSYNC")),
        (0o20200002, ("O_RDWR", "O_TMPFILE")),
        (0o2200000, ("O_RDONLY", "O_CLOEXEC", "O_DIRECTORY")),
        (0o3, ("O_ACCMODE",)),
        (0o100002, ("O_RDWR",)),
        (0o100040, ("O_RDONLY",)),
        (0x80000002, ("O_RDWR", "0x80000000")),
        (0xDEADBEEF00000001, ("O_WRONLY",)),
    ],
)
def test_open_flags_are_spelled_as_strace_does(bits: int, names: tuple[str, ...]) -> None:
    assert open_flags(bits, "x86_64") == names


def test_the_values_are_those_of_this_machine() -> None:
    for name in ("O_APPEND", "O_CLOEXEC", "O_CREAT", "O_DIRECT", "O_DIRECTORY", "O_DSYNC", "O_EXCL",
                 "O_NOATIME", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "O_PATH", "O_SYNC",
                 "O_TMPFILE", "O_TRUNC"):  # fmt: skip
        assert open_flags(getattr(os, name), os.uname().machine) == ("O_RDONLY", name)


def test_aarch64_numbers_four_flags_otherwise() -> None:
    assert open_flags(0o200000, "aarch64") == ("O_RDONLY", "O_DIRECT")
    assert open_flags(0o40000, "aarch64") == ("O_RDONLY", "O_DIRECTORY")
    assert open_flags(0o100000, "aarch64") == ("O_RDONLY", "O_NOFOLLOW")
    assert open_flags(0o400000, "aarch64") == ("O_RDONLY",)


def test_other_flags() -> None:
    assert rwf_flags(0) == ()
    assert rwf_flags(0x6) == ("RWF_DSYNC", "RWF_SYNC")
    assert rwf_flags(0x4000) == ("0x4000",)
    assert rename_flags(0x1) == ("RENAME_NOREPLACE",)
    assert rename_flags(0x2) == ("RENAME_EXCHANGE",)


@pytest.mark.parametrize(
    ("opened", "rwf", "flag"),
    [
        (0o2, 0, None),
        (0o10002, 0, "O_DSYNC"),
        (0o4010002, 0x2, "O_SYNC"),
        (0o2, 0x2, "RWF_DSYNC"),
        (0o10002, 0x4, "RWF_SYNC"),
        (0o10002, 0x2, "O_DSYNC"),
        (0o4000002, 0, None),
    ],
)
def test_the_strongest_flag_is_named(opened: int, rwf: int, flag: str | None) -> None:
    assert sync_flag(opened, rwf) == flag
