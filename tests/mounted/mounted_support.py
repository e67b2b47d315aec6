"""Mounts, and what is done in them: always by another process, so that a hang fails one test."""

import errno
import multiprocessing
import os
import signal
import stat
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from mounting import PATIENCE_S, TRACEFS, Guard, HungError, Mount, Run, run_traced

from tracefs.events import AnyEvent
from tracefs.journal.reader import JournalReader
from tracefs.trace import Call, Trace

NOBODY = 65534

# Tests take what they need of mounts from here.
__all__ = [
    "PATIENCE_S", "TRACEFS", "Guard", "HungError", "Mount", "Run", "act", "calls", "differences",
    "facts", "get", "journal", "open_new", "outcome", "put", "run_traced",
]  # fmt: skip

T = TypeVar("T")
E = TypeVar("E", bound=AnyEvent)

_processes = multiprocessing.get_context("forkserver")
# The server of forks imports what takes long once, and has one thread alone.
_processes.set_forkserver_preload(["pytest", "mounted_support"])


def act(directory: Path, function: Callable[..., T], *args: Any, user: int | None = None) -> T:
    """Return what *function*, of a module's own level, returns in *directory*.

    It runs in a process of its own with *directory* as its working directory and umask 022; as
    *user*, alone in the group of the same number, if that is given.
    """
    ours, theirs = _processes.Pipe(duplex=False)
    process = _processes.Process(
        target=_perform, args=(theirs, directory, user, function, args), daemon=True
    )
    process.start()
    assert process.pid is not None
    theirs.close()
    with ours:
        if not ours.poll(PATIENCE_S):
            os.killpg(process.pid, signal.SIGKILL)  # with what it has started
            raise HungError(f"{function.__name__} hangs in {directory}")
        try:
            done, value = ours.recv()
        except EOFError:
            process.join()
            done, value = False, f"exit status {process.exitcode}"
    process.join(PATIENCE_S)
    assert done, f"{function.__name__} failed in {directory}:\n{value}"
    result: T = value
    return result


def _perform(
    channel: Connection,
    directory: Path,
    user: int | None,
    function: Callable[..., object],
    args: Sequence[object],
) -> None:
    os.setsid()
    os.chdir(directory)
    os.umask(0o022)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    try:
        channel.send((True, function(*args)))
    except BaseException:  # noqa: BLE001  # whatever it was, the test must hear of it
        channel.send((False, traceback.format_exc()))


@dataclass(frozen=True)
class Pair:
    """Two directories alike on one filesystem, the first seen through a mount."""

    traced: Path
    bare: Path
    backing: Path
    """What *traced* shows."""

    def same(self, function: Callable[..., T], *args: Any, user: int | None = None) -> T:
        """Do the same in both; what comes of it must be equal, and is returned."""
        bare = act(self.bare, function, *args, user=user)
        traced = act(self.traced, function, *args, user=user)
        assert traced == bare, "\n".join(differences(traced, bare))
        return traced

    def differ(self, function: Callable[..., T], *args: Any) -> tuple[T, T]:
        """Do the same in both; return what came of it: traced, bare."""
        return act(self.traced, function, *args), act(self.bare, function, *args)


def differences(traced: object, bare: object, where: str = "") -> list[str]:
    """Say where two results differ, as deep inside as can be told."""
    if isinstance(traced, dict) and isinstance(bare, dict) and traced.keys() == bare.keys():
        inner: list[tuple[object, object, object]] = [(k, traced[k], bare[k]) for k in traced]
    elif isinstance(traced, list | tuple) and isinstance(bare, list | tuple):
        if len(traced) != len(bare):
            return [f"{where}: traced has {len(traced)} items, bare {len(bare)}"]
        inner = [(at, *both) for at, both in enumerate(zip(traced, bare, strict=True))]
    else:
        return [] if traced == bare else [f"{where}: traced {traced!r:.200}, bare {bare!r:.200}"]
    return [line for key, a, b in inner for line in differences(a, b, f"{where}[{key!r}]")]


def journal(recording: Path, kind: type[E]) -> list[E]:
    """Return the events of one kind."""
    with JournalReader(recording) as reader:
        return [event for event in reader.events() if isinstance(event, kind)]


def calls(recording: Path, *families: str) -> list[Call]:
    """Return the calls of *families*; of all, without any."""
    with JournalReader(recording) as reader:
        found = [item for item in Trace(reader).items() if isinstance(item, Call)]
    return [call for call in found if not families or call.family in families]


def outcome(call: Callable[..., T], *args: Any, **kwargs: Any) -> T | str:
    """Return what *call* returns, or the name of the error that it ends with."""
    try:
        return call(*args, **kwargs)
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def facts(of: str | bytes | int, *, links: bool = False) -> dict[str, Any]:
    """Return what stat(2) says and two like files have in common; no times, no inode number."""
    info = os.stat(of, follow_symlinks=links) if not isinstance(of, int) else os.stat(of)
    return {
        "type": stat.S_IFMT(info.st_mode),
        "mode": oct(stat.S_IMODE(info.st_mode)),
        "nlink": info.st_nlink,
        "uid": info.st_uid,
        "gid": info.st_gid,
        "size": info.st_size,
        "rdev": info.st_rdev,
        "blksize": info.st_blksize,
        "blocks": info.st_blocks,
    }


def open_new(name: str, flags: int = 0) -> int:
    """Open a file to read and write it, and make it if need be."""
    return os.open(name, os.O_RDWR | os.O_CREAT | flags, 0o644)


def put(path: str | bytes, data: bytes = b"") -> None:
    """Make a file with these contents."""
    with open(path, "wb") as file:
        file.write(data)


def get(path: str | bytes) -> bytes:
    """Return the contents of a file."""
    with open(path, "rb") as file:
        return file.read()
