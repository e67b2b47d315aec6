"""Which opens and files are judged, from their first call to their last."""

import math
from collections.abc import Iterator

from tracefs.contracts.base import Covering
from tracefs.contracts.page_write.directories import NewNames
from tracefs.contracts.page_write.flags import is_writable
from tracefs.contracts.page_write.state import NOT_KNOWN, File, Open
from tracefs.trace.call import Call


class OpenFiles:
    """The opens and their files; what is released is forgotten."""

    def __init__(self, settings: Covering, names: NewNames) -> None:
        self._settings = settings
        self._names = names
        self.by_handle: dict[int | None, Open | None] = {}
        """None: an open that is not judged."""
        self.by_ino: dict[int | None, File] = {}
        self._left_dirty: set[int | None] = set()
        """Files whose last open was released with something unsynced."""

    def open(self, call: Call, *, position: int) -> Open | None:
        """Remember the open *call*, which succeeded; return None when it is not to be judged.

        Args:
            call: An open with its handle.
            position: File position to expect first, or `NOT_KNOWN`.
        """
        if not is_writable(call) or not self._settings.covers(call.path):
            self.by_handle[call.handle] = None
            return None
        file = self._file(call.ino, call.path)
        if call.created:
            file.name = self._names.created(call)
        truncates = "O_TRUNC" in call.flags
        if call.created or truncates or call.size is None:
            file.changed = file.resized = True
        if call.size is not None:
            again = file.opens > 1
            file.resized = file.resized or (again and call.size != file.size)
            file.largest = max(call.size, file.largest) if again else call.size
            # The kernel cuts the file off after the open, which found it as it was.
            file.size = 0 if truncates else call.size
        append = "O_APPEND" in call.flags
        opened = Open(
            file=file,
            append=append,
            write_only="O_WRONLY" in call.flags,
            expected=NOT_KNOWN if append else position,
        )
        self.by_handle[call.handle] = opened
        return opened

    def unseen(self, call: Call) -> tuple[Open, bool]:
        """Return the open that *call* came through, which the trace doesn't show, and if it is new.

        Its flags, its file position and what was written before are not known.
        """
        key = -1 - (call.ino or 0) if call.handle is None else call.handle
        opened = self.by_handle.get(key)
        if opened is not None:
            return opened, False
        file = self._file(call.ino, call.path)
        file.changed = file.resized = True
        opened = self.by_handle[key] = Open(file=file, expected=NOT_KNOWN)
        return opened, True

    def ignores(self, call: Call) -> bool:
        """Return whether *call* came through an open that is not judged."""
        known = call.handle is not None and call.handle in self.by_handle
        return known or not self._settings.covers(call.path)

    def forget(self, file: File) -> None:
        """One open of *file* was released."""
        file.opens -= 1
        if file.opens == 0:
            _settle_name(file)
            del self.by_ino[file.ino]
            if file.changed or file.attributes:
                self._left_dirty.add(file.ino)

    def remaining(self) -> Iterator[Open]:
        """Yield the judged opens that were not released by the end of the trace."""
        for file in self.by_ino.values():
            _settle_name(file)
        yield from (opened for opened in self.by_handle.values() if opened is not None)

    def _file(self, ino: int | None, path: str | None) -> File:
        file = self.by_ino.get(ino)
        if file is None:
            file = File(ino=ino, size=NOT_KNOWN, largest=math.inf)
            file.name = self._names.find(path, ino)
            file.changed = file.resized = ino in self._left_dirty
            self._left_dirty.discard(ino)
            self.by_ino[ino] = file
        file.opens += 1
        return file


def _settle_name(file: File) -> None:
    if file.name is not None and file.written:
        file.name.written = True
