"""What is known of a call's file and open just before the call, for expressions that ask for it.

The state and its changes are those of ``page-write``, whose rules the facts were made for.
"""

from errno import EINTR

from msgspec import Struct

from tracefs.contracts.base import Settings
from tracefs.contracts.language.attempts import Attempts
from tracefs.contracts.language.losses import Losses
from tracefs.contracts.page_write.directories import NewNames
from tracefs.contracts.page_write.opens import OpenFiles
from tracefs.contracts.page_write.state import NOT_KNOWN, File, Open, Short
from tracefs.contracts.page_write.writes import is_fallocate
from tracefs.events import Header
from tracefs.trace.call import Call, Released

_START = 0
"""File position of an open that has done nothing yet (open(2))."""


_OF_LOSSES = frozenset({"lost", "damaged", "restores", "syncs"})
_OF_ATTEMPTS = frozenset({"again", "left_over", "continues", "completes"})


class Chosen(Struct, frozen=True):
    """Files that both the user and the contract want judged."""

    settings: Settings
    contract: Settings
    """With the contract's globs as its paths."""

    def covers(self, path: str | None) -> bool:
        """Return whether *path* is to be judged."""
        return self.settings.covers(path) and self.contract.covers(path)


class Facts:
    """The answers for one call; None: not known, or without meaning for it."""

    def __init__(self, page_size: int) -> None:
        self.page_size = page_size
        self.forget()

    def forget(self) -> None:
        """Nothing is known of the next call's file."""
        self.changed: bool | None = None
        self.resized: bool | None = None
        self.restyled: bool | None = None
        self.resumes: bool | None = False
        self.repeats: bool | None = False
        self.after_short: bool | None = False
        self.late_append: bool | None = False
        self.overwrites: bool | None = False
        self.direct: bool | None = None
        self.lost: bool | None = False
        self.damaged: bool | None = False
        self.restores: bool | None = False
        self.syncs: bool | None = False
        self.left_over: bool | None = False
        self.continues: bool | None = False
        self.completes: bool | None = False
        self.again: bool | None = False


class Ledger:
    """Follows opens and files; constant for each of them."""

    def __init__(self, chosen: Chosen, facts: Facts, header: Header, asked: frozenset[str]) -> None:
        """Begin; *asked* are the fields that conditions ask for, as some of them cost time."""
        self.facts = facts
        self._losses = None if asked.isdisjoint(_OF_LOSSES) else Losses()
        self._attempts = None if asked.isdisjoint(_OF_ATTEMPTS) else Attempts()
        self._hears_flags = "fcntl" in header.notified and not header.visible
        self._direct: dict[int, bool | None] = {}
        """By handle: whether the open has O_DIRECT; for all opens that were seen."""
        self._names = NewNames()
        self.opens = OpenFiles(chosen, self._names)
        self.unseen = False
        """The last call came through an open that the trace doesn't show, and was the first."""

    def before(self, call: Call) -> Open | None:
        """Fill in the facts for *call*; return its open, if that is for writing and chosen."""
        opened = self._before(call)
        facts = self.facts
        if self._losses is not None:
            facts.lost, facts.damaged = self._losses.lost(call), self._losses.damaged(call)
            facts.syncs = self._losses.syncs(call) if call.family == "write" else False
            facts.restores = self._losses.restores(call) if call.family == "write" else False
        if self._attempts is not None:
            attempts = self._attempts
            facts.again = attempts.again(call)
            if call.family == "write":
                facts.left_over = attempts.left_over(call)
                facts.continues = attempts.continues(call)
                facts.completes = attempts.completes(call)
        return opened

    def _before(self, call: Call) -> Open | None:
        self.facts.forget()
        self.unseen = False
        if call.family == "open" and call.done and call.handle is not None:
            self._direct[call.handle] = "O_DIRECT" in call.flags
            self.facts.overwrites = _empties(call)
            return self.opens.open(call, position=_START)
        opened = self.opens.by_handle.get(call.handle)
        written = call.family == "write" and call.call != "mmap"
        if opened is None and written and not self.opens.ignores(call):
            opened, self.unseen = self.opens.unseen(call)
        file = self.opens.by_ino.get(call.ino)
        if file is not None:
            self._tell(file, opened, call)
        elif call.family in {"write", "truncate"}:
            self.facts.overwrites = None
        return opened

    def after(self, call: Call, opened: Open | None) -> None:
        """Take in what *call* did."""
        if self._losses is not None:
            self._losses.after(call, overwrites=self.facts.overwrites)
        if self._attempts is not None:
            self._attempts.after(call)
        match call.family:
            case "rename":
                self._names.renamed(call)
            case "unlink":
                self._names.removed(call)
            case "syncdir":
                self._names.synced(call)
            case "flags":
                self._set_flags(call)
        file = self.opens.by_ino.get(call.ino)
        if file is not None:
            self._changed(file, opened, call)

    def _changed(self, file: File, opened: Open | None, call: Call) -> None:
        match call.family:
            case "write":
                self._written(file, opened, call)
            case "sync":
                self._synced(file, opened, call)
            case "truncate" if call.done:
                file.resize(call.length)
            case "allocate" if call.done:
                file.allocate(call)
            case "attr" | "xattr" if call.done:
                file.attributes = True

    def released(self, item: Released) -> Open | None:
        """Forget an open; return it if it was for writing and chosen."""
        self._direct.pop(item.handle, None)
        if self._losses is not None:
            self._losses.released(item.handle)
        if self._attempts is not None:
            self._attempts.released(item.handle)
        opened = self.opens.by_handle.pop(item.handle, None)
        if opened is not None:
            self.opens.forget(opened.file)
        return opened

    def _tell(self, file: File, opened: Open | None, call: Call) -> None:
        facts = self.facts
        facts.changed = file.changed or file.dirty is not None
        facts.resized, facts.restyled = file.resized, file.attributes
        if call.family == "write":
            facts.overwrites = self._overwrites(file, opened, call)
            facts.direct = self._is_direct(call)
        elif call.family == "truncate":
            facts.overwrites = _shortens(file, call)
        facts.after_short = opened is not None and opened.short is not None
        if opened is None or call.family != "write" or not is_own(call):
            return
        facts.late_append = _is_late_append(call) and not opened.append
        opened.append = opened.append or facts.late_append
        short = opened.short
        if short is not None:
            rest = call.offset == short.resume and call.length == short.end - short.resume
            same = call.offset == short.call.offset and call.length == short.call.length
            whole = call.length == short.call.length
            facts.resumes = rest and not whole
            facts.repeats = same or (rest and whole)

    def _overwrites(self, file: File, opened: Open | None, call: Call) -> bool | None:
        flags = call.flags
        appends = opened is not None and (opened.append or _is_late_append(call))
        if call.call != "mmap" and (
            "RWF_APPEND" in flags or (appends and "RWF_NOAPPEND" not in flags)
        ):
            return False
        if call.offset is None or file.size == NOT_KNOWN:
            return None
        if call.offset >= file.size or call.length == 0:
            return False
        # Through an open that was not seen it may be an append that another one overtook.
        return True if call.call == "mmap" or call.handle in self._direct else None

    def _is_direct(self, call: Call) -> bool | None:
        direct = None if call.handle is None else self._direct.get(call.handle)
        # Without a notice of it the flag may have been taken away.
        return direct if self._hears_flags or not direct else None

    def _set_flags(self, call: Call) -> None:
        """An fcntl(F_SETFL); of several opens of a file nobody knows which it was about."""
        if call.handle is not None:
            self._direct[call.handle] = "O_DIRECT" in call.flags
            return
        for handle, opened in self.opens.by_handle.items():
            if handle in self._direct and opened is not None and opened.file.ino == call.ino:
                self._direct[handle] = None

    def _written(self, file: File, opened: Open | None, call: Call) -> None:
        if opened is None or not is_own(call):
            file.touch(call)
            return
        self._leaves(opened, call)
        if call.result == 0 or call.at_end or not call.done:
            file.changed = True
            return
        file.changed = opened.wrote = True
        file.dirty = call
        file.extend(call)

    def _leaves(self, opened: Open, call: Call) -> None:
        """Remember what *call* left undone."""
        done = 0 if call.errno or call.at_end else call.result
        if done is None or call.length is None or call.offset is None or done >= call.length:
            opened.short = None
            return
        first = opened.short.call if self.facts.resumes and opened.short is not None else call
        opened.short = Short(first, call.offset + done, call.offset + call.length)

    def _synced(self, file: File, opened: Open | None, call: Call) -> None:
        if opened is not None:
            opened.short = None
        if call.errno:
            # An interrupted sync has lost nothing.
            file.changed = file.changed or call.errno != EINTR
            return
        if call.injected and call.pretended:
            return
        if file.dirty is not None and call.start_ns < file.dirty.end_ns:
            return
        file.dirty = None
        file.changed = file.resized = False
        file.attributes = file.attributes and call.datasync


def _empties(opening: Call) -> bool | None:
    if opening.created or "O_TRUNC" not in opening.flags:
        return False
    # The kernel cuts the file off after the open, which found it as it was.
    return None if opening.size is None else opening.size > 0


def _shortens(file: File, cut: Call) -> bool | None:
    if cut.length is None or file.size == NOT_KNOWN:
        return None
    return cut.length < file.size


def is_own(write: Call) -> bool:
    """Return whether the program made this *write* by a call of its own."""
    return write.call != "mmap" and not is_fallocate(write)


def _is_late_append(call: Call) -> bool:
    return call.note is not None and call.note.startswith("O_APPEND")
