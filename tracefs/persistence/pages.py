"""What each page of a file held after each change of it."""

from collections.abc import Callable
from typing import Protocol

from tracefs.persistence.history import Atom, History
from tracefs.persistence.image import PAGE, SECTOR

_ZEROS = bytes(PAGE)


class Recorded(Protocol):
    """The bytes of a recording."""

    def payload(self, offset: int, size: int) -> bytes:
        """Return bytes that were written; RecordingError: they aren't there."""

    def base(self, ino: int, offset: int, size: int) -> bytes:
        """Return bytes of a file as it was at the start, fewer at its end; RecordingError: gone."""


class FilePages:
    """The pages of one file that changes have touched."""

    def __init__(self, file_base: int, base_size: int, recorded: Recorded) -> None:
        self._base, self._base_size = file_base, base_size
        self._recorded = recorded
        self.masks: dict[int, int] = {}
        """Page -> atoms that set bytes of it."""
        self._order: dict[int, list[Atom]] = {}
        self._cuts: list[tuple[int, int]] = []
        """Number of the atom that made the file shorter, and to how many bytes."""
        self.cut_mask = 0

    def add(self, atom: Atom) -> None:
        """Take the next atom of data or size, in order."""
        if atom.cleared is not None:
            self._cuts.append((atom.number, atom.cleared))
            self.cut_mask |= 1 << atom.number
        for overlay in atom.overlays:
            self.masks[overlay.page] = self.masks.get(overlay.page, 0) | 1 << atom.number
            self._order.setdefault(overlay.page, []).append(atom)

    def limit(self, atoms: int) -> int:
        """Return how many bytes of the base can still be seen."""
        cuts = [size for number, size in self._cuts if atoms >> number & 1]
        return min([self._base_size, *cuts])

    def latest(self, page: int, atoms: int) -> int | None:
        """Return the number of the atom that set the page last, -1: it was cut off; None: none."""
        mask = self.masks[page] & atoms
        last = mask.bit_length() - 1
        for number, size in self._cuts:
            if number > last and atoms >> number & 1 and size <= page * PAGE:
                return -1
        return last if mask else None

    def end(self, page: int, latest: int | None, atoms: int) -> int:
        """Return from which byte of the page on a later cut has made it zeros."""
        ends = [
            size - page * PAGE
            for number, size in self._cuts
            if number > (-1 if latest is None else latest) and atoms >> number & 1
        ]
        return min([PAGE, *(end for end in ends if end > 0)])

    def content(self, page: int, number: int | None) -> bytes:
        """Return the page as it was after the atom *number*; None: at the start; -1: zeros."""
        if number == -1:
            return _ZEROS
        base = self._recorded.base(self._base, page * PAGE, PAGE) if self._reaches(page) else b""
        held = bytearray(base.ljust(PAGE, b"\0"))
        if number is None:
            return bytes(held)
        cuts = [(cut, size) for cut, size in self._cuts if size <= page * PAGE]
        for atom in self._order[page]:
            if atom.number > number:
                break
            while cuts and cuts[0][0] < atom.number:
                cuts.pop(0)
                held[:] = _ZEROS
            for overlay in atom.overlays:
                if overlay.page == page:
                    stop = overlay.start + overlay.length
                    held[overlay.start : stop] = self._bytes(overlay.payload, overlay.length)
        return bytes(held)

    def _reaches(self, page: int) -> bool:
        return bool(self._base) and page * PAGE < self._base_size

    def _bytes(self, payload: int | None, length: int) -> bytes:
        return bytes(length) if payload is None else self._recorded.payload(payload, length)


def by_file(history: History, recorded: Recorded) -> dict[int, FilePages]:
    """Return the pages of every file that had data or size changed."""
    found: dict[int, FilePages] = {}
    for atom in history.atoms:
        if atom.size is None and not atom.overlays:
            continue
        if atom.file not in found:
            file = history.files[atom.file]
            found[atom.file] = FilePages(file.base, file.size, recorded)
        found[atom.file].add(atom)
    return found


def mixed(old: bytes, new: bytes, sectors: int) -> bytes:
    """Return *old* with those sectors of *new* that the mask *sectors* names."""
    held = bytearray(old)
    for sector in range(PAGE // SECTOR):
        if sectors >> sector & 1:
            place = slice(sector * SECTOR, (sector + 1) * SECTOR)
            held[place] = new[place]
    return bytes(held)


AddPage = Callable[[bytes], int]
"""Takes a page and returns its id; the same for the same bytes."""
