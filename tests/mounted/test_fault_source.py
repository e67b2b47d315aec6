"""What fails in the source fails for the program, as on the bare directory, and is recorded so."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import faulty_source
import pytest
import watchdog
from fault_support import ending
from mounted_support import PATIENCE_S, Guard, Mount, Pair, act, calls, journal, outcome

from tracefs import events

OPERATIONS = (
    "write", "read", "fsync", "close", "getattr", "lookup", "create", "open", "setattr", "unlink",
)  # fmt: skip
ERRORS = ("eio", "enospc", "edquot", "erofs", "estale")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Pair]:
    """The same faulty filesystem twice, once seen through a mount of tracefs."""
    base = tmp_path_factory.mktemp("f")
    sources = []
    for name in ("src", "bare", "mnt"):
        (base / name).mkdir()
    for name in ("src", "bare"):
        guard.watch(base / name)
        command = [sys.executable, faulty_source.__file__, str(base / name)]
        sources.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        out = sources[-1].stdout
        assert out is not None
        assert out.readline() == "ready\n"
    mount = Mount(base / "src", base / "mnt", base / "rec", guard)
    yield Pair(base / "mnt", base / "bare", base / "src")
    mount.end()
    for name in ("src", "bare"):
        watchdog.abort(str(base / name))
    for source in sources:
        source.communicate(timeout=PATIENCE_S)
    assert ending(mount.recording).complete
    failed = {event.errno for event in journal(mount.recording, events.Write) if event.errno}
    assert failed == {getattr(errno, error.upper()) for error in ERRORS}
    assert {call.result for call in calls(mount.recording, "write") if not call.errno} >= {1000}


def _use(name: str) -> list[Any]:
    """Return what comes of each call on one file, from its creation to its end."""
    try:
        fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        return [errno.errorcode[error.errno or 0]]
    done: list[Any] = [
        outcome(os.pwrite, fd, b"a" * 4096, 0),
        outcome(os.pwrite, fd, b"b" * 100, 4096),
        outcome(os.fsync, fd),
        outcome(os.fdatasync, fd),
        outcome(os.posix_fadvise, fd, 0, 0, os.POSIX_FADV_DONTNEED),  # what is cached never fails
        outcome(lambda: len(os.pread(fd, 8192, 0))),
        outcome(lambda: os.fstat(fd).st_mode),
        outcome(os.ftruncate, fd, 10),
        outcome(os.close, os.dup(fd)),
        outcome(os.close, fd),
        outcome(lambda: os.stat(name).st_mode),
        outcome(lambda: os.close(os.open(name, os.O_RDONLY))),
        outcome(os.unlink, name),
    ]
    return done


def _use_all(names: list[str]) -> dict[str, list[Any]]:
    return {name: _use(name) for name in names}


def test_an_error_of_the_source_is_that_of_the_call(pair: Pair) -> None:
    done = pair.same(_use_all, [f"{each}-{error}" for each in OPERATIONS for error in ERRORS])
    for name, results in done.items():
        assert name.partition("-")[2].upper() in results, name


def test_a_short_write_stays_short(pair: Pair) -> None:
    assert pair.same(_use, "short-write")[:2] == [1000, 100]


def _list() -> Any:
    return outcome(lambda: sorted(os.listdir(".")))


def test_what_cannot_be_looked_at_is_listed_all_the_same(pair: Pair) -> None:
    act(pair.bare, _use, "getattr-eio")
    act(pair.traced, _use, "getattr-eio")
    assert "getattr-eio" in pair.same(_list)


def test_a_listing_that_fails(pair: Pair) -> None:
    """Last in this module: nothing can be listed from here on."""
    act(pair.bare, _use, "list-eio")
    act(pair.traced, _use, "list-eio")
    assert pair.same(_list) == "EIO"
