"""The atoms of a history by what they are of, and which of them need which others."""

import stat

from tracefs.persistence.history import Atom, History, Part, Sync, bits
from tracefs.persistence.promises import Rules


class Index:
    """Masks of atoms, under the rules of one profile."""

    def __init__(self, rules: Rules, history: History) -> None:
        self._rules = rules
        self._history = history
        self.log = 0
        """Atoms that are one log; 0 where there is none."""
        self.needs: dict[int, int] = {}
        """Atom -> atoms that it needs beside those before it in the log."""
        self.needed_by: dict[int, int] = {}
        """The same, the other way round."""
        self.needing = 0
        """Atoms that need others, and"""
        self.needed = 0
        """those that others need."""
        self.data: dict[int, int] = {}
        self.sized: dict[int, int] = {}
        """File -> atoms that set its size, and that which made it."""
        self.attributes: dict[int, int] = {}
        self.touching: dict[int, int] = {}
        """File -> metadata atoms that name it, of a directory also what is in it."""
        self.entries: dict[int, int] = {}
        """Directory -> atoms that set names in it."""
        self.born = 0
        """Atoms that give a new file its first name."""
        self._forces: dict[int, int] = {}
        self._last: dict[tuple[int, bytes], int] = {}
        self._births: dict[int, int] = {}
        self._shortened: dict[int, int] = {}
        """File -> atoms that set its size after it was first made shorter."""
        self._bare: set[int] = set()
        """Files whose size no longer needs its data."""
        for atom in history.atoms:
            self._add(atom)

    def is_directory(self, file: int) -> bool:
        """Tell whether the file is one."""
        return stat.S_ISDIR(self._history.files[file].mode)

    def concerned(self, sync: Sync) -> int:
        """Return what a sync is to save."""
        if sync.file is None:
            return (1 << len(self._history.atoms)) - 1
        masks = (self.data, self.sized, self.attributes, self.entries)
        found = 0
        for mask in masks:
            found |= mask.get(sync.file, 0)
        return found

    def with_names(self, atoms: int) -> int:
        """Return *atoms*, and what is forced with the names among them."""
        seen = 0
        while new := atoms & ~seen:
            seen |= new
            for atom in bits(new):
                atoms |= self._forces.get(atom, 0)
        return atoms

    def _add(self, atom: Atom) -> None:
        bit = 1 << atom.number
        if atom.logged and self._rules.log:
            self.log |= bit
        match atom.part:
            case Part.DATA:
                _put(self.data, atom.file, bit)
                return
            case Part.SIZE:
                self._size(atom, bit)
            case Part.ATTRIBUTES:
                _put(self.attributes, atom.file, bit)
            case Part.NAME:
                self._name(atom, bit)
        _put(self.touching, atom.file, bit)

    def _size(self, atom: Atom, bit: int) -> None:
        _put(self.sized, atom.file, bit)
        if atom.cleared is not None or atom.file in self._shortened:
            _put(self._shortened, atom.file, bit)
        if atom.whole is not None:
            if not self._rules.tail_sets_size:
                self._need(atom, 1 << atom.whole)
        elif self._rules.size_needs_data and not atom.logged and atom.file not in self._bare:
            earlier = (1 << self._history.steps[atom.step].first) - 1
            self._need(atom, self.data.get(atom.file, 0) & ~earlier)

    def _name(self, atom: Atom, bit: int) -> None:
        rules, before = self._rules, 0
        for entry in atom.entries:
            place = entry.directory, entry.name
            before |= self._last.get(place, 0)
            self._last[place] = bit
            if rules.sync_forces_own_names:
                before |= self._births.get(entry.directory, 0)
            _put(self.entries, entry.directory, bit)
            for file in {entry.directory, entry.file, entry.before} - {0, atom.file}:
                _put(self.touching, file, bit)
        self._forces[atom.number] = before
        if not rules.log:
            self._need(atom, before)
        if atom.creates:
            self.born |= bit
            self._births[atom.file] = bit
            _put(self.sized, atom.file, bit)
        elif rules.named_anew_shows_size:
            self._name_anew(atom.file)
        if atom.pair is not None:
            self._pair(atom, atom.pair)
        if atom.replaces and rules.replacing_needs_size:
            self._need(atom, self.sized.get(atom.file, 0))

    def _name_anew(self, file: int) -> None:
        """Let the sizes of a file that was made shorter need no data any more."""
        if file in self._shortened:
            self._bare.add(file)
        for size in bits(self._shortened.get(file, 0)):
            self._need_nothing(size)

    def _pair(self, atom: Atom, other: int) -> None:
        """Both halves of a rename come together, but for a sync that forces the new name alone."""
        self._need(atom, 1 << other)
        if self._rules.rename_is_one or self.is_directory(atom.file) or other < atom.number:
            self._forces[atom.number] |= 1 << other

    def _need_nothing(self, number: int) -> None:
        self.needing &= ~(1 << number)
        for other in bits(self.needs.pop(number, 0)):
            self.needed_by[other] &= ~(1 << number)

    def _need(self, atom: Atom, needs: int) -> None:
        if not needs:
            return
        _put(self.needs, atom.number, needs)
        self.needing |= 1 << atom.number
        self.needed |= needs
        for number in bits(needs):
            _put(self.needed_by, number, 1 << atom.number)


def _put(masks: dict[int, int], key: int, bit: int) -> None:
    masks[key] = masks.get(key, 0) | bit
