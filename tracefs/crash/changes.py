"""Atoms, as the parts of calls that people know."""

from collections.abc import Iterable

from tracefs.crash.recorded import Recorded
from tracefs.crashes import Change
from tracefs.pathtext import to_text
from tracefs.persistence.history import Atom, History, Part, bits, origin

_MOST_KEPT = 50


class Describer:
    """Describes atoms of a recording's history."""

    def __init__(self, recorded: Recorded, history: History) -> None:
        self._recorded, self._history = recorded, history

    def changes(self, atoms: int, torn: Iterable[int] = ()) -> tuple[Change, ...]:
        """Return what *atoms* are parts of, in order; pages of one call are one change."""
        grouped: dict[tuple[int, int, Part], list[Atom]] = {}
        for number in bits(atoms):
            atom = self._history.atoms[number]
            call = origin(self._history.steps[atom.step])
            grouped.setdefault((call, atom.file, atom.part), []).append(atom)
        return tuple(
            self._change(part, found, torn=bool(set(torn) & _of(found)))
            for (_, _, part), found in grouped.items()
        )

    def kept(self, atoms: int, dropped: int) -> tuple[Change, ...]:
        """Return what of *atoms* came after the first one *dropped*, the last of it."""
        if not dropped:
            return ()
        first = (dropped & -dropped).bit_length() - 1
        later = bits(atoms >> first << first)
        return self.changes(sum(1 << number for number in later[-_MOST_KEPT:]))

    def _change(self, part: Part, atoms: list[Atom], *, torn: bool) -> Change:
        step = self._history.steps[atoms[0].step]
        pages = [overlay.page for atom in atoms for overlay in atom.overlays]
        data = part is Part.DATA and pages
        return Change(
            call=step.call,
            shown=self._recorded.shown(step.call),
            part=str(part),
            path=self._name(atoms[0]) if part is Part.NAME else step.path,
            first_page=min(pages) if data else None,
            last_page=max(pages) if data else None,
            source=self._recorded.place(step.call),
            torn=torn,
        )

    def _name(self, atom: Atom) -> str:
        step = self._history.steps[atom.step]
        return step.path or to_text(atom.entries[0].name)


def _of(atoms: list[Atom]) -> set[int]:
    return {atom.number for atom in atoms}
