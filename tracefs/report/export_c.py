"""A program in C that makes the same calls again, from a table of them."""

from collections.abc import Sequence
from typing import Final

from tracefs.pathtext import to_bytes
from tracefs.report.documents import asset
from tracefs.report.export_program import Program
from tracefs.report.quote import printable
from tracefs.report.replay_plan import Step

_LITERAL: Final = {
    byte: chr(byte) for byte in range(32, 127) if chr(byte) not in '"\\?'
}  # a trigraph begins with ??


class C(Program):
    """One source file."""

    head = "replay_head.c"

    def row(self, step: Step) -> str:
        """See `Program`."""
        flags = "|".join(step.flags) or "0"
        return (
            f"    {{{step.index}, {step.do.upper()}, {step.slot}, {flags}, {step.offset}LL, "
            f"{step.length}LL, {_literal(step.path)}, {_literal(step.target)}}},\n"
        )

    def foot(self, slots: int, otherwise: Sequence[str]) -> str:
        """See `Program`."""
        notes = "".join(f" * {printable(line).replace('*/', '* /')}\n" for line in otherwise)
        said = f"/* Not done as in the recording:\n{notes} */\n" if notes else ""
        return asset("replay_tail.c").replace("SLOTS", str(slots)) + said


def _literal(path: str) -> str:
    # Three octal digits each, so that no digit behind belongs to it (C17, 6.4.4.4).
    return '"' + "".join(_LITERAL.get(byte, f"\\{byte:03o}") for byte in to_bytes(path)) + '"'
