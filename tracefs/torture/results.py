"""A file with what came of each run, so that a plan can be gone on with.

JSON Lines: the plan, then a line for each run as soon as it has ended, on the disk before the next
one counts. A line that was cut short by a crash is taken away; its run is made again.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from typing import Final, Self

import msgspec
from msgspec import Struct

from tracefs.errors import RecordingError
from tracefs.torture.plan import Asked
from tracefs.tortures import Result

FORMAT: Final = "tracefs-torture"
VERSION: Final = 1

_WORDS: Final = {
    "command": "the command is another one",
    "directory": "the directory is another one",
    "content": "the directory, or a file that the command or the checker names, was changed",
    "check": "the checker is another one",
    "contracts": "the contracts are others",
    "by_fault": "--check-only is different",
    "faults": "--faults is different",
    "calls": "--calls is different",
    "paths": "--path is different",
    "pairs": "--pairs is different",
    "limit": "--limit is different",
    "seed": "--seed is different",
    "limit_s": "--timeout is different",
    "page_size": "--page-size is different",
    "witness": "--witness is different",
    "tool": "another version of tracefs wrote it",
}


class _Plan(Struct, frozen=True, kw_only=True, tag="plan", tag_field="type"):
    """First line."""

    format: str
    version: int
    hash: str
    asked: Asked


class _Run(Struct, frozen=True, kw_only=True, tag="run", tag_field="type"):
    """Any other."""

    result: Result


_decoder: Final = msgspec.json.Decoder(_Plan | _Run)


class Results:
    """The file, from `open` to `close`; also a context manager. Nobody else may write it then."""

    def __init__(self, descriptor: int, name: str, known: dict[str, Result]) -> None:
        """See `open`."""
        self._descriptor = descriptor
        self._name = name
        self.known = known
        """What it had, by key."""

    @classmethod
    def open(cls, name: str, asked: Asked) -> Self:
        """Open the file *name*, or begin it.

        Raises:
            RecordingError: it is of another plan, is something else, or can't be written.
        """
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o600)
        except OSError as error:
            raise RecordingError(f"{name} can't be written: {error.strerror}") from None
        try:
            return cls(descriptor, name, _read(descriptor, name, asked))
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, OSError):
                raise RecordingError(f"{name} can't be written: {error.strerror}") from None
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, result: Result) -> None:
        """Write down *result*; return once it is on the disk.

        Raises:
            RecordingError: it can't be written.
        """
        self.known[result.key] = result
        try:
            _append(self._descriptor, _Run(result=result))
        except OSError as error:
            raise RecordingError(f"{self._name} can't be written: {error.strerror}") from None

    def close(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)


def _read(descriptor: int, name: str, asked: Asked) -> dict[str, Result]:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise RecordingError(f"{name} is no file that can be gone on with")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise RecordingError(f"{name} is being written by another tracefs") from None
    with open(os.dup(descriptor), "rb") as file:
        file.seek(0)
        content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    try:
        lines = list(_lines(whole))
    except (msgspec.DecodeError, UnicodeDecodeError):
        lines = []
    if not lines and content and not _is_begun(content):
        raise RecordingError(f"{name} is no file of tracefs torture", repair="name another one")
    os.ftruncate(descriptor, len(whole))
    if not lines:
        plan = _Plan(format=FORMAT, version=VERSION, hash=asked.hash, asked=asked)
        _append(descriptor, plan)
        return {}
    first, *others = lines
    if not isinstance(first, _Plan) or (first.format, first.version) != (FORMAT, VERSION):
        raise RecordingError(f"{name} is no file of tracefs torture", repair="name another one")
    if first.hash != asked.hash:
        raise RecordingError(
            f"{name} is of another plan: {_difference(first.asked, asked)}",
            repair="name another --output, or remove the file to begin anew",
        )
    return {line.result.key: line.result for line in others if isinstance(line, _Run)}


def _lines(content: bytes) -> Iterator[_Plan | _Run]:
    for line in content.splitlines():
        yield _decoder.decode(line)


def _is_begun(content: bytes) -> bool:
    """Return whether *content* is the beginning of a first line, cut short."""
    begin = b'{"type":"plan"'
    return b"\n" not in content and (content.startswith(begin) or begin.startswith(content))


def _difference(before: Asked, now: Asked) -> str:
    names = (each.name for each in msgspec.structs.fields(Asked))
    return "; ".join(
        _WORDS.get(name, name) for name in names if getattr(before, name) != getattr(now, name)
    )


def _append(descriptor: int, line: Struct) -> None:
    data = msgspec.json.encode(line) + b"\n"
    while data:
        data = data[os.write(descriptor, data) :]
    os.fdatasync(descriptor)
