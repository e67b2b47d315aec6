"""Atoms, as changes are divided into them."""

import stat
from collections.abc import Iterable
from typing import Final

from tracefs.persistence.history import Atom, Attribute, Entry, Overlay, Part
from tracefs.persistence.image import PAGE
from tracefs.persistence.living import Living

MOST_PIECES: Final = 16
"""Atoms that the data of one write is divided into, at most."""


class Changes:
    """Adds atoms, and lets the living tree follow."""

    def __init__(self, living: Living) -> None:
        self._living = living
        self._modes: dict[int, int] = {}
        self.atoms: list[Atom] = []
        self.step = 0
        """Number of the step that they are of."""

    def data(self, file: int, offset: int, length: int, payload: int | None) -> None:
        """Set bytes; *payload* None: to zeros."""
        overlays = []
        at = offset
        while at < offset + length:
            page, start = divmod(at, PAGE)
            count = min(PAGE - start, offset + length - at)
            source = None if payload is None else payload + at - offset
            overlays.append(Overlay(page, start, count, source))
            at += count
        pieces = min(MOST_PIECES, len(overlays))
        for piece in range(pieces):
            first, stop = (len(overlays) * each // pieces for each in (piece, piece + 1))
            self._add(Part.DATA, file, logged=False, overlays=tuple(overlays[first:stop]))

    def grow(self, file: int, size: int, start: int) -> None:
        """Make the file longer by a write that begins at byte *start*."""
        # The rest of what was the last page is written as data are, and takes its size along.
        tail = -(-self._living.size(file) // PAGE) * PAGE
        if self._living.size(file) < tail <= start:
            self._add(Part.SIZE, file, logged=False, size=tail, whole=len(self.atoms) + 1)
        self.size(file, size, logged=False)

    def size(self, file: int, size: int, *, logged: bool) -> None:
        """Set how long the file is."""
        before = self._living.size(file)
        self._living.resize(file, size)
        if size >= before:
            self._add(Part.SIZE, file, logged=logged, size=size)
            return
        self._add(Part.SIZE, file, logged=logged, size=size, cleared=size)
        # The rest of its last page becomes zeros in the cache, and is written as data are.
        if tail := size % PAGE:
            self.data(file, size, PAGE - tail, None)

    def names(
        self,
        entries: tuple[Entry, ...],
        file: int,
        *,
        replaces: bool = False,
        creates: bool = False,
        apart: bool = False,
    ) -> None:
        """Set names; *apart*: they are in two directories, an atom for each."""
        for entry in entries[::-1]:
            self._living.name(entry)
        if not apart:
            self._add(
                Part.NAME, file, logged=True, entries=entries, replaces=replaces, creates=creates
            )
            return
        first = len(self.atoms)
        new, old = entries
        self._add(Part.NAME, file, logged=True, entries=(new,), replaces=replaces, pair=first + 1)
        self._add(Part.NAME, file, logged=True, entries=(old,), pair=first)

    def attributes(self, file: int, attributes: Iterable[Attribute]) -> None:
        """Set attributes, an atom for each."""
        for attribute in attributes:
            if attribute.name == "mode" and attribute.number is not None:
                self._modes[file] = attribute.number
            self._add(Part.ATTRIBUTES, file, logged=True, attribute=attribute)

    def mode(self, file: int) -> int:
        """Return the permission bits as they are now."""
        known = self._modes.get(file)
        return stat.S_IMODE(self._living.files[file].mode) if known is None else known

    def _add(
        self,
        part: Part,
        file: int,
        *,
        logged: bool,
        overlays: tuple[Overlay, ...] = (),
        size: int | None = None,
        whole: int | None = None,
        cleared: int | None = None,
        entries: tuple[Entry, ...] = (),
        attribute: Attribute | None = None,
        pair: int | None = None,
        replaces: bool = False,
        creates: bool = False,
    ) -> None:
        self.atoms.append(
            Atom(
                number=len(self.atoms), step=self.step, part=part, file=file, logged=logged,
                overlays=overlays, size=size, whole=whole, cleared=cleared, entries=entries,
                attribute=attribute, pair=pair, replaces=replaces, creates=creates,
            )
        )  # fmt: skip
