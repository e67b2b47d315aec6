"""A file with what was said of each state, so that an exploration can be gone on with.

States are many and quickly asked about, so that answers are written down together, about once a
second; a crash costs those of the last second, which are asked for again.
"""

import time
from typing import Final, Self

import msgspec
from msgspec import Struct

from tracefs.crashes import Answer, Checked
from tracefs.trials.lines import Form, Lines

FORMAT: Final = "tracefs-crash"
VERSION: Final = 1
_PAUSE_S: Final = 1.0

_WORDS: Final = {
    "recording": "the recording is another one",
    "check": "the checker is another one",
    "content": "a file that the checker names was changed",
    "limit_s": "--timeout is different",
    "tool": "another version of tracefs wrote it",
}


class Asked(Struct, frozen=True, kw_only=True):
    """What makes an answer hold for a state; which states are asked about may change."""

    recording: str
    """Hash of the journal and of what it names."""
    check: str
    """The command, or the name of a ready checker."""
    content: str = ""
    """Hash of the files that the command names."""
    limit_s: float = 0.0
    tool: str = ""
    """Version of tracefs."""


class _Head(Struct, frozen=True, kw_only=True, tag="crash", tag_field="type"):
    """First line."""

    format: str
    version: int
    asked: Asked


class _State(Struct, frozen=True, kw_only=True, tag="state", tag_field="type"):
    """Any other."""

    key: str
    answer: Answer


_decoder: Final = msgspec.json.Decoder(_Head | _State)


class Results:
    """The file, from `open` to `close`; also a context manager. Nobody else may write it then."""

    def __init__(self, lines: Lines[_Head, _State]) -> None:
        """See `open`."""
        self._lines = lines
        self._waiting: list[_State] = []
        self._saved = time.monotonic()
        self.known = {line.key: line.answer for line in lines.known if _counts(line.answer)}
        """What it had, by key of the state; not what tracefs itself failed at."""

    @classmethod
    def open(cls, name: str, asked: Asked) -> Self:
        """Open the file *name*, or begin it.

        Raises:
            RecordingError: what was asked is another thing, it is no such file, or it can't be
                written.
        """
        head = _Head(format=FORMAT, version=VERSION, asked=asked)
        form = Form(
            program="tracefs crash",
            decoder=_decoder,
            head=_Head,
            is_read=lambda head: (head.format, head.version) == (FORMAT, VERSION),
            difference=lambda head: _difference(name, head.asked, asked),
        )
        return cls(Lines.open(name, head, form))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, key: str, answer: Answer) -> None:
        """Take down the *answer* for a state; it is on the disk after `save`, at the latest.

        Raises:
            RecordingError: it can't be written.
        """
        self.known[key] = answer
        self._waiting.append(_State(key=key, answer=answer))
        if time.monotonic() - self._saved >= _PAUSE_S:
            self.save()

    def save(self) -> None:
        """Return once all that was added is on the disk.

        Raises:
            RecordingError: it can't be written.
        """
        if self._waiting:
            self._lines.add(*self._waiting)
            self._waiting.clear()
        self._saved = time.monotonic()

    def close(self) -> None:
        """Save all, and let others have the file."""
        try:
            self.save()
        finally:
            self._lines.close()


def _counts(answer: Answer) -> bool:
    return answer.checked is not Checked.TOOL_FAILED


def _difference(name: str, before: Asked, now: Asked) -> str | None:
    fields = (each.name for each in msgspec.structs.fields(Asked))
    changed = [each for each in fields if getattr(before, each) != getattr(now, each)]
    if not changed:
        return None
    return f"{name} is of another exploration: {'; '.join(_WORDS[each] for each in changed)}"
