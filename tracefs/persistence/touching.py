"""Which atoms can change what a path shows."""

from collections import defaultdict
from collections.abc import Iterator

from tracefs.pathtext import to_bytes
from tracefs.persistence.difference import Aspect, Difference
from tracefs.persistence.history import ROOT, History, Part


class Touching:
    """The atoms of a history by what they change; masks are as in `tracefs.persistence.history`."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._names: dict[tuple[int, bytes], list[tuple[int, int]]] = defaultdict(list)
        """Entry -> atoms that set it, each with the file it then names, latest first."""
        self._attributes: dict[int, int] = defaultdict(int)
        self._sizes: dict[int, int] = defaultdict(int)
        self._data: dict[tuple[int, int], int] = defaultdict(int)
        for atom in reversed(history.atoms):
            mask = 1 << atom.number
            for entry in atom.entries:
                self._names[entry.directory, entry.name].append((mask, entry.file))
            if atom.part is Part.ATTRIBUTES:
                self._attributes[atom.file] |= mask
            if atom.part is Part.SIZE:
                self._sizes[atom.file] |= mask
            for overlay in atom.overlays:
                self._data[atom.file, overlay.page] |= mask

    def could_change(self, difference: Difference, atoms: int) -> int:
        """Return all atoms without one more of which *atoms* differ so, whatever else is added."""
        found = 0
        for path in (difference.path, difference.other):
            if path is None:
                continue
            file = self._history.root
            for entry, named in self._way(path, atoms):
                found |= sum(mask for mask, _ in self._names[entry])
                file = named
            if path == difference.path and file:
                found |= self._of_file(file, difference)
        return found

    def _way(self, path: str, atoms: int) -> Iterator[tuple[tuple[int, bytes], int]]:
        """Yield each entry on the way to *path*, as *atoms* have it, and the file it names."""
        directory = self._history.root
        for name in () if path == ROOT else to_bytes(path).split(b"/"):
            entry = directory, name
            directory = self._file(entry, atoms)
            yield entry, directory
            if not directory:
                return

    def _file(self, entry: tuple[int, bytes], atoms: int) -> int:
        for mask, file in self._names[entry]:
            if mask & atoms:
                return file
        directory, name = entry
        return self._history.names.get(directory, {}).get(name, 0)

    def _of_file(self, file: int, difference: Difference) -> int:
        match difference.aspect:
            case Aspect.ATTRIBUTES:
                return self._attributes[file]
            case Aspect.SIZE:
                return self._sizes[file]
            case Aspect.DATA:
                # A page is cleared, too, when the file gets shorter before it.
                return self._data[file, difference.page or 0] | self._sizes[file]
            case Aspect.NAME:
                return 0
