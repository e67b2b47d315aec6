"""A file of lines that can be gone on with: what was asked, then what came of it.

JSON Lines: a head, then a line for each result as soon as it is there, on the disk before the next
one counts. What was cut short by a crash is taken away, from the first line that can't be read; its
results are found again.
"""

import fcntl
import os
import stat
from collections.abc import Callable, Iterable
from typing import Generic, Self, TypeVar, cast

import msgspec
from msgspec import Struct

from tracefs.errors import RecordingError

Head = TypeVar("Head", bound=Struct)
Line = TypeVar("Line", bound=Struct)


class Form(Struct, Generic[Head, Line], frozen=True, kw_only=True):
    """What such a file holds."""

    program: str
    """Who writes it, as messages call it."""
    decoder: msgspec.json.Decoder[Head | Line]
    head: type[Head]
    """Struct of the first line; the field that tells lines apart comes first in it."""
    is_read: Callable[[Head], bool]
    """Says whether the format is one that is understood."""
    difference: Callable[[Head], str | None]
    """Says that a file with this head is none to go on with, and why; None: it is one."""


class Lines(Generic[Head, Line]):
    """The file, from `open` to `close`. Nobody else may write it then."""

    def __init__(self, descriptor: int, name: str, form: Form[Head, Line]) -> None:
        """See `open`."""
        self._descriptor = descriptor
        self._name = name
        self._form = form
        self.known: list[Line] = []
        """What it had."""

    @classmethod
    def open(cls, name: str, head: Head, form: Form[Head, Line]) -> Self:
        """Open the file *name*, or begin it with *head*.

        Raises:
            RecordingError: it has another head, is something else, or can't be written.
        """
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o600)
        except OSError as error:
            raise RecordingError(f"{name} can't be written: {error.strerror}") from None
        lines = cls(descriptor, name, form)
        try:
            lines._read(head)
        except BaseException as error:
            lines.close()
            if isinstance(error, OSError):
                raise RecordingError(f"{name} can't be written: {error.strerror}") from None
            raise
        return lines

    def add(self, *new: Line) -> None:
        """Write *new* down; return once it is on the disk.

        Raises:
            RecordingError: it can't be written.
        """
        try:
            self._append(new)
        except OSError as error:
            raise RecordingError(f"{self._name} can't be written: {error.strerror}") from None

    def close(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)

    def _read(self, head: Head) -> None:
        content = self._locked()
        lines, end = self._whole(content)
        if not lines and content and not _is_begun(content, head):
            raise self._another()
        if not lines:
            os.ftruncate(self._descriptor, 0)
            self._append([head])
            return
        first, *others = lines
        if not isinstance(first, self._form.head) or not self._form.is_read(first):
            raise self._another()
        if (difference := self._form.difference(first)) is not None:
            raise RecordingError(
                difference, repair="name another --output, or remove the file to begin anew"
            )
        os.ftruncate(self._descriptor, end)
        # Where a type is a variable, isinstance tells a type checker nothing of the other ones.
        self.known = [cast("Line", line) for line in others if type(line) is not type(head)]

    def _whole(self, content: bytes) -> tuple[list[Head | Line], int]:
        """Return lines up to the first that can't be read, and where that begins."""
        lines: list[Head | Line] = []
        end = 0
        for line in content.splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            try:
                lines.append(self._form.decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                break
            end += len(line)
        return lines, end

    def _locked(self) -> bytes:
        """Return what the file has, once nobody else writes it."""
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            raise RecordingError(f"{self._name} is no file that can be gone on with")
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RecordingError(f"{self._name} is being written by another tracefs") from None
        with open(os.dup(self._descriptor), "rb") as file:
            file.seek(0)
            return file.read()

    def _another(self) -> RecordingError:
        return RecordingError(
            f"{self._name} is no file of {self._form.program}", repair="name another one"
        )

    def _append(self, lines: Iterable[Struct]) -> None:
        data = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        while data:
            data = data[os.write(self._descriptor, data) :]
        os.fdatasync(self._descriptor)


def _is_begun(content: bytes, head: Struct) -> bool:
    """Return whether *content* is the beginning of a first line, cut short."""
    begin = msgspec.json.encode(head).partition(b",")[0]
    return b"\n" not in content and (content.startswith(begin) or begin.startswith(content))
