"""Names that are new and not yet durable: created, and their directory not synced since."""

from collections.abc import Iterator

from msgspec import Struct

from tracefs.pathtext import parent
from tracefs.trace.call import Call


class NewName(Struct, kw_only=True, eq=False):
    """A file's name that this trace made."""

    ino: int | None
    path: str
    call: int
    """Index of the call that created it."""
    end_ns: int
    written: bool = False
    """The file was written, so that its name matters."""


class NewNames:
    """All new names, by directory; memory grows with names that no sync made durable."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, NewName]] = {}

    def created(self, call: Call) -> NewName | None:
        """Remember the file that *call* created; None when its path is not known."""
        if call.path is None:
            return None
        name = NewName(ino=call.ino, path=call.path, call=call.index, end_ns=call.end_ns)
        self._put(name)
        return name

    def find(self, path: str | None, ino: int | None) -> NewName | None:
        """Return the new name *path* if it still belongs to *ino*."""
        if path is None:
            return None
        name = self._waiting.get(parent(path), {}).get(path)
        return name if name is not None and name.ino == ino else None

    def renamed(self, call: Call) -> None:
        """Follow a rename of a file or of a directory above it."""
        if not call.done or call.path is None or call.target is None:
            return
        name = self._take(call.path)
        self._take(call.target)
        if name is not None:
            name.path, name.end_ns = call.target, call.end_ns
            self._put(name)
            return
        below = call.path + "/"
        for directory in [d for d in self._waiting if (d + "/").startswith(below)]:
            for moved in self._waiting.pop(directory).values():
                moved.path = call.target + moved.path[len(call.path) :]
                self._put(moved)

    def removed(self, call: Call) -> None:
        """Forget a name that was unlinked."""
        if call.done and call.path is not None:
            self._take(call.path)

    def synced(self, call: Call) -> None:
        """Forget the names that a sync of their directory made durable."""
        if not call.done or call.path is None:
            return
        names = self._waiting.pop(call.path, {})
        for name in names.values():
            if name.end_ns > call.start_ns:
                self._put(name)

    def outstanding(self) -> Iterator[NewName]:
        """Yield the names of written files that no sync made durable."""
        for names in self._waiting.values():
            yield from (name for name in names.values() if name.written)

    def _put(self, name: NewName) -> None:
        self._waiting.setdefault(parent(name.path), {})[name.path] = name

    def _take(self, path: str) -> NewName | None:
        directory = parent(path)
        names = self._waiting.get(directory, {})
        name = names.pop(path, None)
        if name is not None and not names:
            del self._waiting[directory]
        return name
