"""What /proc's files say, read by C and by Python alike."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.events import Sighting
from tracefs.witness import _procfs, procfs

FUNCTIONS: list[tuple[Callable[[int], Any], Callable[[int], Any]]] = [
    (_procfs.call, procfs.read_call),
    (_procfs.fdinfo, procfs.read_fdinfo),
    (_procfs.comm, procfs.read_comm),
]
NUMBER = st.integers(0, 2**64 - 1)
HEX = NUMBER.map(lambda number: b"0x%x" % number)
LINES = st.builds(
    lambda nr, words: b" ".join([b"%d" % nr, *words]) + b"\n",
    st.integers(0, 600),
    st.lists(HEX, min_size=6, max_size=9),
)
INFOS = st.builds(
    lambda pos, flags, rest: b"pos:\t%d\nflags:\t0%o\n" % (pos, flags) + b"".join(rest),
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**32 - 1),
    st.sampled_from(
        [[], [b"mnt_id:\t5\n"], [b"mnt_id:\t5\n", b"ino:\t99\n"], [b"mnt_id:\t5\n", b"lock:\t1: "]]
    ),
)
NAMES = st.binary(max_size=15).map(lambda name: name + b"\n")


def both(text: bytes) -> Iterator[tuple[Any, Any]]:
    """Return what C and Python make of a file with this text."""
    with tempfile.TemporaryFile() as file:
        file.write(text)
        file.flush()
        for function, model in FUNCTIONS:
            yield outcome(function, file.fileno()), outcome(model, file.fileno())


def outcome(function: Callable[[int], Any], fd: int) -> Any:
    try:
        return function(fd)
    except OSError as error:
        return error.errno


@given(st.tuples(st.just(0), LINES) | st.tuples(st.just(1), INFOS) | st.tuples(st.just(2), NAMES))
def test_both_ways_say_the_same(kind_and_text: tuple[int, bytes]) -> None:
    kind, text = kind_and_text
    fast, model = list(both(text))[kind]
    assert fast == model


TABLE = bytes([0, procfs.NO_FD, 2])
WORDS = st.lists(st.integers(0, 5) | NUMBER, min_size=8, max_size=8)


@given(st.integers(0, 4), WORDS, INFOS, NAMES, st.sampled_from([0, 3]))
def test_one_step_sees_what_three_see(
    nr: int, words: list[int], info: bytes, name: bytes, kept: int
) -> None:
    line = b"%d %s\n" % (nr, b" ".join(b"0x%x" % word for word in words))
    with ExitStack() as stack:
        call, comm, fdinfo = (
            stack.enter_context(tempfile.TemporaryFile(buffering=0)) for _ in range(3)
        )
        for file, text in ((call, line), (comm, name), (fdinfo, info)):
            file.write(text)
        files = {kept: fdinfo.fileno()}
        seen = procfs.sight(Sighting, TABLE, 7, call.fileno(), comm.fileno(), files)
        shown = procfs.read_comm(comm.fileno())
        position, flags, mount, ino = procfs.read_fdinfo(fdinfo.fileno())
    fd = words[TABLE[nr]] & 0xFFFFFFFF if nr in (0, 2) else None
    ordinary = isinstance(shown, str) and max(words[6:]) >= 1 << 32
    if not ordinary or (fd is not None and (fd != kept or None in (mount, ino))):
        assert seen is None
        return
    assert isinstance(shown, str)
    assert seen == Sighting(
        nr=nr,
        args=tuple(words[:6]),
        pid=7,
        comm=shown,
        fd=fd,
        position=None if fd is None else position,
        fd_flags=None if fd is None else flags,
        fd_ino=None if fd is None else ino,
    )


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"running\n",
        b"-1 0x7ffd3a3b1f48 0x7f01\n",
        b"1 0x3 0x7f 0x8 0x0 0x0 0x0 0x7ffd 0x7f01\n",
        b"0 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n",
        b"pos:\t7\n",
    ],
)
def test_both_ways_take_the_same_for_no_call(text: bytes) -> None:
    for fast, model in both(text):
        assert fast == model


def test_a_call_and_where_it_was_made() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"18 0x3 0x7f3a 0x1000 0x2000 0x0 0x0 0x7ffd 0x7f01\n")
        file.flush()
        assert procfs.call(file.fileno()) == (
            18, (3, 0x7F3A, 4096, 8192, 0, 0), 0x7FFD, 0x7F01,
        )  # fmt: skip


@pytest.mark.parametrize("module", [_procfs, None], ids=["C", "Python"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"pos:\t7\nflags:\t02\nmnt_id:\t5\nino:\t99\nlock:\t1: POSIX", (7, 2, 5, 99)),
        (b"pos:\t7\nflags:\t02\nmnt_id:\t5\nlock:\t1: POSIX  ADVISORY", (7, 2, 5, None)),
        (b"pos:\t7\nflags:\t02\nmnt_id:\t5\n", (7, 2, 5, None)),
        (b"pos:\t7\nflags:\t0100001\n", (7, 0o100001, None, None)),
    ],
    ids=["5.14", "5.10, locked", "5.10", "3.14"],
)
def test_fdinfo_of_older_kernels_says_less(
    module: ModuleType | None, text: bytes, expected: tuple[int | None, ...]
) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(text)
        file.flush()
        read = procfs.read_fdinfo if module is None else _procfs.fdinfo
        assert read(file.fileno()) == expected


@pytest.mark.parametrize("read", [_procfs.fdinfo, procfs.read_fdinfo])
def test_fdinfo_without_a_position_is_refused(read: Callable[[int], Any]) -> None:
    with tempfile.TemporaryFile() as file, pytest.raises(OSError, match="No data") as error:
        read(file.fileno())
    assert error.value.errno == errno.ENODATA


@pytest.mark.parametrize(("fast", "model"), FUNCTIONS, ids=["call", "fdinfo", "comm"])
def test_a_thread_that_is_gone(fast: Callable[[int], Any], model: Callable[[int], Any]) -> None:
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    names = ("syscall", "fdinfo/0", "comm")
    fds = [os.open(f"/proc/{process.pid}/{name}", os.O_RDONLY) for name in names]
    process.communicate()
    for fd in fds:
        assert outcome(fast, fd) == outcome(model, fd) in (errno.ESRCH, errno.ENOENT, errno.EACCES)
        os.close(fd)
