"""A program in C that makes the same calls again, from a table of them.

Bytes are a pattern: a recording need not have kept them. It is given the directory to work in.
"""

from typing import Final

from tracefs.findings import TraceSummary
from tracefs.pathtext import to_bytes
from tracefs.report.documents import asset
from tracefs.report.quote import printable
from tracefs.report.replay_plan import Plan, Step, told
from tracefs.trace.call import Call

_LITERAL: Final = {
    byte: chr(byte) for byte in range(32, 127) if chr(byte) not in '"\\?'
}  # a trigraph begins with ??


class C:
    """One source file."""

    def __init__(self) -> None:
        self._plan = Plan()

    @property
    def left_out(self) -> int:
        """See `tracefs.report.export.Export`."""
        return self._plan.left_out.total()

    def begin(self) -> bytes:
        """See `tracefs.report.export.Export`."""
        return asset("replay_head.c").encode()

    def call(self, call: Call) -> bytes:
        """See `tracefs.report.export.Export`."""
        step = self._plan.step(call)
        return b"" if step is None else _row(step).encode()

    def end(self, summary: TraceSummary) -> bytes:
        """See `tracefs.report.export.Export`."""
        del summary
        notes = "".join(f" * {printable(line).replace('*/', '* /')}\n" for line in told(self._plan))
        said = f"/* Not done as in the recording:\n{notes} */\n" if notes else ""
        tail = asset("replay_tail.c").replace("SLOTS", str(self._plan.slots))
        return (tail + said).encode()


def _row(step: Step) -> str:
    flags = "|".join(step.flags) or "0"
    return (
        f"    {{{step.index}, {step.do.upper()}, {step.slot}, {flags}, {step.offset}LL, "
        f"{step.length}LL, {_literal(step.path)}, {_literal(step.target)}}},\n"
    )


def _literal(path: str) -> str:
    # Three octal digits each, so that no digit behind belongs to it (C17, 6.4.4.4).
    return '"' + "".join(_LITERAL.get(byte, f"\\{byte:03o}") for byte in to_bytes(path)) + '"'
