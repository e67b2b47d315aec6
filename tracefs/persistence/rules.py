"""A profile applied to a history: what may be lost of it at each point.

A state that a power failure may leave is a set of atoms: those that syncs had forced, and of the
others any that has with each atom the ones that it needs.
"""

from typing import Final

from tracefs.persistence.history import History, Step, Sync, bits
from tracefs.persistence.index import Index
from tracefs.persistence.promises import Rules

_SLACK: Final = 64
"""Steps before a sync that are looked at, whether they had ended when it began; lines stand in the
order of their replies, but for threads that reply at once."""


class Persistence:
    """A profile applied to a history."""

    def __init__(self, rules: Rules, history: History) -> None:
        self.rules = rules
        self.history = history
        self._index = Index(rules, history)
        self._happened = [0]
        self._forced = [0]
        self._replay()

    def happened(self, point: int) -> int:
        """Return all atoms of the first *point* steps."""
        return self._happened[point]

    def forced(self, point: int) -> int:
        """Return the atoms that no crash after *point* steps can lose."""
        return self._forced[point] if self.rules.loses else self._happened[point]

    def closed(self, point: int, atoms: int) -> int:
        """Return the smallest state at *point* that has *atoms*."""
        return self.forced(point) | self._closure(atoms & ~self.forced(point))

    def without(self, point: int, dropped: int) -> int:
        """Return the largest state at *point* that has none of *dropped* but what is forced."""
        index = self._index
        may_go = self._happened[point] & ~self.forced(point)
        gone, seen = dropped & may_go, 0
        while new := gone & ~seen:
            seen |= new
            if missing := new & index.log:
                first = (missing & -missing).bit_length() - 1
                gone |= index.log & may_go & ~((1 << first) - 1)
            for atom in bits(new & index.needed):
                gone |= index.needed_by[atom] & may_go
        return self._happened[point] & ~gone

    def allows(self, point: int, atoms: int) -> bool:
        """Tell whether a crash after *point* steps may leave *atoms*."""
        possible = not atoms & ~self._happened[point] and not self.forced(point) & ~atoms
        return possible and self.closed(point, atoms) == atoms

    def _closure(self, atoms: int) -> int:
        """Return *atoms* with all that they need."""
        index, seen = self._index, 0
        atoms |= index.log & ((1 << (atoms & index.log).bit_length()) - 1)
        while new := atoms & index.needing & ~seen:
            seen |= new
            for atom in bits(new):
                atoms |= index.needs[atom]
            atoms |= index.log & ((1 << (atoms & index.log).bit_length()) - 1)
        return atoms

    # -- what syncs force

    def _replay(self) -> None:
        """Go through the history, and note what each sync forces."""
        lost = happened = forced = 0
        for step in self.history.steps:
            if step.sync is not None:
                if step.sync.failed:
                    lost |= self._index.concerned(step.sync) & happened & ~forced
                else:
                    # What is forced has all that it needs: only what is new must be followed.
                    covered = self._covered(step, happened) & ~lost & ~forced
                    forced |= self._saved(step.sync, covered)
            happened |= (1 << step.stop) - (1 << step.first)
            self._happened.append(happened)
            self._forced.append(forced)

    def _covered(self, step: Step, happened: int) -> int:
        """Return what had been answered when the sync came."""
        for before in self.history.steps[max(0, step.number - _SLACK) : step.number]:
            if before.end_ns > step.start_ns:
                happened &= ~((1 << before.stop) - (1 << before.first))
        return happened

    def _saved(self, sync: Sync, covered: int) -> int:
        """Return what a sync that succeeded forces of *covered*."""
        index, rules = self._index, self.rules
        if sync.file is None:
            return covered
        entries = index.entries.get(sync.file, 0)
        touching = index.touching.get(sync.file, 0)
        names_too = not sync.data_only or rules.data_sync_forces_names
        own = index.data.get(sync.file, 0) | index.sized.get(sync.file, 0)
        if names_too:
            own |= index.attributes.get(sync.file, 0)
        if rules.sync_forces_own_names:
            return index.with_names((own | entries | touching) & covered)
        if not index.log:
            own &= ~index.born  # a new file's name is its directory's
            return self._closure((own | entries) & covered)
        if rules.directory_sync_forces_all and index.is_directory(sync.file):
            return self._closure((own | index.log) & covered)
        # Bytes overwritten in place change nothing in the log but times, and these not always.
        logged = own & ~index.data.get(sync.file, 0)
        reached = (logged | entries | (touching if names_too else 0)) & covered
        prefix = index.log & ((1 << reached.bit_length()) - 1)
        return self._closure((own | prefix) & covered)
