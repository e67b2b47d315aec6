"""What /proc says of a thread's descriptors."""

import errno

import pytest

from tracefs.witness.threads import Fdinfo, affordable, parse_fdinfo


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"pos:\t7\nflags:\t02\nmnt_id:\t5\nino:\t99\nlock:\t1: POSIX", Fdinfo(7, 2, 5, 99)),
        (b"pos:\t7\nflags:\t02\nmnt_id:\t5\nlock:\t1: POSIX  ADVISORY", Fdinfo(7, 2, 5, None)),
        (b"pos:\t7\nflags:\t02\nmnt_id:\t5\n", Fdinfo(7, 2, 5, None)),
        (b"pos:\t7\nflags:\t0100001\n", Fdinfo(7, 0o100001, None, None)),
    ],
    ids=["5.14", "5.10, locked", "5.10", "3.14"],
)
def test_fdinfo_of_older_kernels_says_less(text: bytes, expected: Fdinfo) -> None:
    assert parse_fdinfo(text) == expected


def test_fdinfo_without_a_position_is_refused() -> None:
    with pytest.raises(OSError, match="without position") as error:
        parse_fdinfo(b"")
    assert error.value.errno == errno.ENODATA


@pytest.mark.parametrize(("limit", "threads"), [(10, 1), (256, 12), (1024, 51), (20000, 128)])
def test_kept_threads_take_half_of_the_descriptors(limit: int, threads: int) -> None:
    assert affordable(limit) == threads
