"""What is known of a call's file and open just before the call, for expressions that ask for it.

The state and its changes are those of ``page-write``, whose rules the facts were made for.
"""

from errno import EINTR

from msgspec import Struct

from tracefs.contracts.base import Settings
from tracefs.contracts.page_write.directories import NewNames
from tracefs.contracts.page_write.opens import OpenFiles
from tracefs.contracts.page_write.state import File, Open, Short
from tracefs.contracts.page_write.writes import is_fallocate
from tracefs.trace.call import Call, Released

_START = 0
"""File position of an open that has done nothing yet (open(2))."""


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
        self.late_append: bool | None = False


class Ledger:
    """Follows opens and files; constant for each of them."""

    def __init__(self, chosen: Chosen, facts: Facts) -> None:
        self.facts = facts
        self._names = NewNames()
        self.opens = OpenFiles(chosen, self._names)
        self.unseen = False
        """The last call came through an open that the trace doesn't show, and was the first."""

    def before(self, call: Call) -> Open | None:
        """Fill in the facts for *call*; return its open, if that is for writing and chosen."""
        self.facts.forget()
        self.unseen = False
        if call.family == "open" and not call.errno and call.handle is not None:
            return self.opens.open(call, position=_START)
        opened = self.opens.by_handle.get(call.handle)
        written = call.family == "write" and call.call != "mmap"
        if opened is None and written and not self.opens.ignores(call):
            opened, self.unseen = self.opens.unseen(call)
        file = self.opens.by_ino.get(call.ino)
        if file is not None:
            self._tell(file, opened, call)
        return opened

    def after(self, call: Call, opened: Open | None) -> None:
        """Take in what *call* did."""
        match call.family:
            case "rename":
                self._names.renamed(call)
            case "unlink":
                self._names.removed(call)
            case "syncdir":
                self._names.synced(call)
        file = self.opens.by_ino.get(call.ino)
        if file is None:
            return
        match call.family:
            case "write":
                self._written(file, opened, call)
            case "sync":
                self._synced(file, opened, call)
            case "truncate" if not call.errno:
                file.resize(call.length)
            case "allocate" if not call.errno:
                file.allocate(call)
            case "attr" | "xattr" if not call.errno:
                file.attributes = True

    def released(self, item: Released) -> Open | None:
        """Forget an open; return it if it was for writing and chosen."""
        opened = self.opens.by_handle.pop(item.handle, None)
        if opened is not None:
            self.opens.forget(opened.file)
        return opened

    def _tell(self, file: File, opened: Open | None, call: Call) -> None:
        facts = self.facts
        facts.changed = file.changed or file.dirty is not None
        facts.resized, facts.restyled = file.resized, file.attributes
        if opened is None or call.family != "write":
            return
        late = call.note is not None and call.note.startswith("O_APPEND")
        facts.late_append = late and not opened.append
        short = opened.short
        if short is not None:
            rest = call.offset == short.resume and call.length == short.end - short.resume
            same = call.offset == short.call.offset and call.length == short.call.length
            whole = call.length == short.call.length
            facts.resumes = rest and not whole
            facts.repeats = same or (rest and whole)

    def _written(self, file: File, opened: Open | None, call: Call) -> None:
        if is_fallocate(call) or call.call == "mmap" or opened is None:
            file.touch(call)
            return
        opened.append = opened.append or bool(self.facts.late_append)
        self._leaves(opened, call)
        if call.errno or call.result == 0:
            file.changed = True
            return
        file.changed = opened.wrote = True
        file.dirty = call
        file.extend(call)

    def _leaves(self, opened: Open, call: Call) -> None:
        """Remember what *call* left undone."""
        done = 0 if call.errno else call.result
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
        if file.dirty is not None and call.start_ns < file.dirty.end_ns:
            return
        file.dirty = None
        file.changed = file.resized = False
        file.attributes = file.attributes and call.datasync
