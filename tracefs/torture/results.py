"""A file of lines with what came of each run, so that a plan can be gone on with."""

from typing import Final, Self

import msgspec
from msgspec import Struct

from tracefs.torture.plan import Asked
from tracefs.tortures import Result
from tracefs.trials.lines import Form, Lines

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

    def __init__(self, lines: Lines[_Plan, _Run]) -> None:
        """See `open`."""
        self._lines = lines
        self.known = {line.result.key: line.result for line in lines.known}
        """What it had, by key."""

    @classmethod
    def open(cls, name: str, asked: Asked) -> Self:
        """Open the file *name*, or begin it.

        Raises:
            RecordingError: it is of another plan, is something else, or can't be written.
        """
        plan = _Plan(format=FORMAT, version=VERSION, hash=asked.hash, asked=asked)
        form = Form(
            program="tracefs torture",
            decoder=_decoder,
            head=_Plan,
            is_read=lambda head: (head.format, head.version) == (FORMAT, VERSION),
            difference=lambda head: _difference(name, head, asked),
        )
        return cls(Lines.open(name, plan, form))

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
        self._lines.add(_Run(result=result))

    def close(self) -> None:
        """Let others have it."""
        self._lines.close()


def _difference(name: str, plan: _Plan, now: Asked) -> str | None:
    if plan.hash == now.hash:
        return None
    fields = (each.name for each in msgspec.structs.fields(Asked))
    changed = [each for each in fields if getattr(plan.asked, each) != getattr(now, each)]
    return f"{name} is of another plan: {'; '.join(_WORDS.get(each, each) for each in changed)}"
