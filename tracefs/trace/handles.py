"""Which name each open file has at the moment.

WRITE, FSYNC, FLUSH and RELEASE say through which open they came, not under which name. The name is
the one that the open used, kept up to date as ``/proc/self/fd`` keeps it, with two differences: a
file whose name was removed keeps its last name (without `` (deleted)``, so that it still matches a
pattern), unless a link was made while it was open, which then takes over.

State is held for open files only.
"""

from typing import Final

from tracefs.events import Create, Link, Open, Rename, Unlink
from tracefs.trace.flags import O_ACCMODE, O_TMPFILE

NOT_OPENED: Final = "the open is not in the journal"
"""Why a request's path is not known."""

_EXCHANGE: Final = 0x2


class Handle:
    """One open of a file."""

    __slots__ = ("aliases", "flags", "ino", "named", "path", "uncached")

    def __init__(self, path: str, ino: int, flags: int, *, uncached: bool = False) -> None:
        self.path = path
        self.ino = ino
        self.flags = flags
        """As the kernel holds them."""
        self.uncached = uncached
        """It goes past the kernel's cache, for the sake of a rule."""
        self.named = True
        """*path* still names the file."""
        self.aliases: dict[str, None] = {}
        """Other names that the file got while it was open, the newest last."""

    def link(self, name: str) -> None:
        """Note that *name* names the file too."""
        if self.named:
            self.aliases[name] = None
        else:
            self.path, self.named = name, True

    def unlink(self, name: str) -> None:
        """Note that *name* names it no longer."""
        if name in self.aliases:
            del self.aliases[name]
        elif self.named and name == self.path:
            if self.aliases:
                self.path, _ = self.aliases.popitem()
            else:
                self.named = False

    def move(self, renamed: Rename) -> None:
        """Apply a rename of the file, or of a directory above it."""
        if self.named:
            self.path = self._moved(self.path, renamed)
        if self.aliases:
            self.aliases = dict.fromkeys(self._moved(alias, renamed) for alias in self.aliases)

    def _moved(self, path: str, renamed: Rename) -> str:
        new = _under(path, renamed.old, renamed.path, exact=self.ino == renamed.ino)
        if new is None and renamed.flags & _EXCHANGE:
            new = _under(path, renamed.path, renamed.old, exact=self.ino != renamed.ino)
        return path if new is None else new


def _under(path: str, old: str, new: str, *, exact: bool) -> str | None:
    """Return *path* with its beginning *old* replaced by *new*; None when it isn't there."""
    if path == old:
        return new if exact else None
    if path.startswith(old) and path[len(old)] == "/":
        return new + path[len(old) :]
    return None


class Handles(dict[int, Handle]):
    """The opens by number (``fh``). A rename looks at each of them."""

    __slots__ = ("_of_file",)

    def __init__(self) -> None:
        super().__init__()
        self._of_file: dict[int, dict[int, Handle]] = {}
        """The opens of each file."""

    def opened(self, event: Open | Create) -> None:
        """Remember an open that succeeded."""
        self.released(event.fh)
        handle = self[event.fh] = Handle(
            event.path, event.ino, event.flags, uncached=event.uncached
        )
        handle.named = not event.flags & O_TMPFILE
        self._of_file.setdefault(event.ino, {})[event.fh] = handle

    def released(self, fh: int) -> None:
        """Forget an open, if it is known."""
        handle = self.pop(fh, None)
        if handle is None:
            return
        left = self._of_file[handle.ino]
        del left[fh]
        if not left:
            del self._of_file[handle.ino]

    def only(self, ino: int | None, flags: int | None) -> int | None:
        """Return the one open of a file with the access mode in *flags*; None: there are several.

        A descriptor says which file it is of and how it was opened, not which open it is.
        """
        if ino is None or flags is None:
            return None
        mode = flags & O_ACCMODE
        found = None
        for fh, handle in self._of_file.get(ino, {}).items():
            if handle.flags & O_ACCMODE == mode:
                if found is not None:
                    return None
                found = fh
        return found

    def path_of(self, ino: int | None) -> str | None:
        """Return the one name that all opens of a file have; None: they have several, or none."""
        opens = {} if ino is None else self._of_file.get(ino, {})
        names = {handle.path for handle in opens.values()}
        return names.pop() if len(names) == 1 else None

    def is_last(self, fh: int) -> bool:
        """Tell whether no other open of its file is left."""
        mine = self.get(fh)
        return mine is not None and len(self._of_file[mine.ino]) == 1

    def linked(self, event: Link) -> None:
        """Remember the new name of a file."""
        for handle in self._of_file.get(event.ino, {}).values():
            handle.link(event.path)

    def unlinked(self, event: Unlink) -> None:
        """Forget a name of a file."""
        opens = self._of_file.get(event.ino, {}) if event.ino else self
        for handle in opens.values():
            handle.unlink(event.path)

    def renamed(self, event: Rename) -> None:
        """Move names; what the new name stood for before has lost it."""
        if event.ino == event.replaced != 0:
            return  # rename(2): two names of one file stay as they are
        exchange = event.flags & _EXCHANGE
        concerned = (event.old, event.path)
        for handle in self.values():
            if not handle.aliases and not handle.path.startswith(concerned):
                continue
            if not exchange:
                handle.unlink(event.path)
            handle.move(event)
