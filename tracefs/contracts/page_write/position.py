"""Whether the file position moved in a way that only a seek explains.

A descriptor's position is 0 after open(2); write(2) and read(2) move it forward by what they
transferred, lseek(2) anywhere, pwrite(2) and pread(2) not at all. Position is that of the open file
description, shared by dup(2) and fork(2): one for each open, as here.
"""

from enum import Enum
from typing import Final, Protocol

from tracefs.contracts.page_write import text
from tracefs.contracts.page_write.report import NO_SEEK, Words
from tracefs.contracts.page_write.state import NOT_KNOWN, Open
from tracefs.trace.call import Call

_MOVING: Final = frozenset({"write", "writev"})
_STILL: Final = frozenset({"pwrite64", "pwritev"})


class Move(Enum):
    """What a position other than the expected one says."""

    SEEK = "only a seek explains it"
    PERHAPS = "a seek explains it, and so does a read"


def moved(opened: Open, seen: int) -> Move | None:
    """Return what moved the position to *seen*; None when it is where it should be."""
    if opened.expected in {NOT_KNOWN, seen}:
        return None
    backward = seen < opened.expected
    beyond = seen > opened.file.largest
    return Move.SEEK if backward or beyond or opened.write_only else Move.PERHAPS


class Reports(Protocol):
    """Takes the findings: `tracefs.contracts.page_write.report.Reporter`, or anything like it."""

    def broken(self, rule: str, call: Call, words: Words, *about: object) -> None:
        """*rule* does not hold at *call*."""

    def unknown(self, rule: str, call: Call, words: Words, *about: object) -> None:
        """Whether *rule* holds at *call* can't be told."""


class Positions:
    """``no-seek``: judged by the file position, or by every lseek where a witness saw them all."""

    def __init__(self, reporter: Reports, *, by_lseek: bool, witness: str = "seccomp") -> None:
        self._reporter = reporter
        self._by_lseek = by_lseek
        self._where = "in strace's text" if witness == "strace" else "by the seccomp witness"
        self._looked = False
        self._missed = 0
        self._seeks_missed = 0
        self.at_open: Final = NOT_KNOWN if by_lseek else 0
        """File position to expect of an open that has done nothing yet."""

    def look(self, opened: Open, call: Call) -> None:
        """Compare the position that a write or sync shows with the one expected."""
        if opened.append or self._by_lseek:
            return
        seen = call.position
        if seen is None and call.call in _MOVING:
            seen = call.offset
        if seen is None:
            self._missed += 1
            opened.unseen = opened.unseen or call
            return
        move = moved(opened, seen)
        if move is Move.SEEK:
            self._reporter.broken(NO_SEEK, call, text.moved, opened.expected, seen)
        elif move is Move.PERHAPS:
            self._reporter.unknown(NO_SEEK, call, text.perhaps_moved, opened.expected, seen)
        opened.looked, opened.expected = True, seen

    def write_done(self, opened: Open, call: Call) -> None:
        """Set the position to expect after the write *call*."""
        if call.errno or call.call in _STILL or opened.append or self._by_lseek:
            return
        if call.call in _MOVING and call.offset is not None and call.result is not None:
            opened.expected = call.offset + call.result
        else:
            # copy_file_range, splice, pwritev2 with offset -1, an unknown call may all move it.
            opened.expected = NOT_KNOWN

    def sought(self, opened: Open | None, call: Call) -> None:
        """An lseek was seen; one that failed or only asked for the position moved nothing.

        *opened* is None where it can be one of several.
        """
        if call.call == "unknown":
            self._seeks_missed += 1
            if self._by_lseek:
                self._reporter.unknown(NO_SEEK, call, text.seek_unseen)
            return
        query = call.offset == 0 and "SEEK_CUR" in call.flags
        if call.errno or query:
            return
        self._reporter.broken(NO_SEEK, call, text.sought)
        if opened is None:
            return
        opened.expected = NOT_KNOWN if call.result is None or self._by_lseek else call.result

    def ends(self, opened: Open) -> None:
        """Nothing more will be seen of *opened*."""
        self._looked = self._looked or opened.looked
        if opened.unseen is not None and opened.wrote and not opened.looked:
            self._reporter.unknown(NO_SEEK, opened.unseen, text.position_unseen)

    def evidence(self, *, complete: bool) -> str:
        """Return what decided the rule."""
        if self._by_lseek:
            but = f" but {self._seeks_missed}" if self._seeks_missed else ""
            until = "" if complete else ", as far as the recording goes"
            return f"every lseek{but}, seen {self._where}{until}"
        if not self._looked:
            return "nothing: no file position was seen"
        missed = f"; {self._missed} could not be looked at" if self._missed else ""
        return (
            "file position looked at on each write and sync "
            f"(a seek undone in between would escape){missed}"
        )
