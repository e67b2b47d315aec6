"""The index of a history: which atoms are of what, and which of them need which others."""

import pytest
from litmus_model import Modelled
from msgspec.structs import replace

from tracefs.persistence.history import Atom, Part, Sync, bits
from tracefs.persistence.index import Index
from tracefs.persistence.profiles import ALL

KEPT = "create a; write a 0 4096 x; mkdir d"


class Indexed:
    """A program's history, and its index under one profile."""

    def __init__(self, before: str, text: str, profile: str) -> None:
        self.history = Modelled(before, text).history
        self.index = Index(ALL[profile], self.history)

    def atoms(self, step: int, part: Part | None = None) -> list[Atom]:
        """Return the atoms of a step, all or those of a part."""
        one = self.history.steps[step]
        atoms = self.history.atoms[one.first : one.stop]
        return [atom for atom in atoms if part in {None, atom.part}]

    def mask(self, step: int, part: Part | None = None) -> int:
        """Return them as a mask, which is not empty."""
        found = sum(1 << atom.number for atom in self.atoms(step, part))
        assert found
        return found

    def file(self, step: int) -> int:
        """Return the file that a step is about."""
        return self.atoms(step)[0].file

    def needs(self, step: int, part: Part) -> int:
        """Return what the only atom of a part needs."""
        (atom,) = self.atoms(step, part)
        return self.index.needs.get(atom.number, 0)


def agree(index: Index) -> None:
    """Check that all masks tell the same needs."""
    pairs = {(one, other) for one, needs in index.needs.items() for other in bits(needs)}
    turned = {(one, other) for other, mask in index.needed_by.items() for one in bits(mask)}
    assert pairs == turned
    assert set(bits(index.needing)) == {one for one, _ in pairs}
    assert {other for _, other in pairs} <= set(bits(index.needed))


def test_each_atom_is_found_by_what_it_is_of() -> None:
    made = Indexed(KEPT, "write a 4096 5000 A; chmod a 600; create d/b", "posix-strict")
    index, a, b = made.index, made.file(0), made.file(2)
    root = made.history.root
    d = made.atoms(2)[0].entries[0].directory
    assert index.data == {a: made.mask(0, Part.DATA)}
    assert index.sized == {a: made.mask(0, Part.SIZE), b: made.mask(2)}
    assert index.attributes == {a: made.mask(1)}
    assert index.entries == {d: made.mask(2)}
    assert index.born == made.mask(2)
    assert index.touching == {
        a: made.mask(0, Part.SIZE) | made.mask(1),
        b: made.mask(2),
        d: made.mask(2),
    }
    assert [one for one in (root, d, a, b) if index.is_directory(one)] == [root, d]


def test_a_rename_touches_what_it_moves_and_replaces_and_both_directories() -> None:
    made = Indexed(f"{KEPT}; create d/b", "rename d/b a", "ext4-ordered")
    (new, old) = made.atoms(0)
    root, moved, replaced = made.history.root, new.file, new.entries[0].before
    d = old.entries[0].directory
    assert made.index.entries == {root: 1 << new.number, d: 1 << old.number}
    assert made.index.touching == {
        root: 1 << new.number,
        replaced: 1 << new.number,
        d: 1 << old.number,
        moved: made.mask(0),
    }
    assert not made.index.born


@pytest.mark.parametrize("profile", ALL)
def test_the_log_is_of_metadata_alone_where_there_is_one(profile: str) -> None:
    made = Indexed(KEPT, "write a 0 9000 A; truncate a 100; chmod a 600; rename a d/c", profile)
    logged = made.mask(1, Part.SIZE) | made.mask(2) | made.mask(3)
    assert made.index.log == (logged if ALL[profile].log else 0)


@pytest.mark.parametrize("profile", ["xfs", "btrfs"])
def test_a_grown_size_needs_the_data_of_its_own_write(profile: str) -> None:
    made = Indexed(KEPT, "write a 0 4096 A; write a 4096 10 B; truncate a 9000", profile)
    assert made.needs(1, Part.SIZE) == made.mask(1, Part.DATA)
    assert made.needs(2, Part.SIZE) == 0
    agree(made.index)


@pytest.mark.parametrize("profile", ["ext4-ordered", "ext4-writeback", "posix-strict"])
def test_elsewhere_a_size_needs_no_data(profile: str) -> None:
    made = Indexed(KEPT, "write a 4096 10 B", profile)
    assert made.index.needing == made.index.needed == 0


def test_a_size_that_is_in_the_log_needs_no_data() -> None:
    """As fallocate(2) sets it after the zeros that it writes (``FALLOC_FL_ZERO_RANGE``)."""
    history = Modelled(KEPT, "write a 4096 10 B").history
    atoms = tuple(replace(atom, logged=atom.part is Part.SIZE) for atom in history.atoms)
    assert Index(ALL["xfs"], history).needing
    assert not Index(ALL["xfs"], replace(history, atoms=atoms)).needing


# On its way the second write makes the file as long as its last page.
TAIL = "write a 4096 10 B; write a 9000 10 C"


@pytest.mark.parametrize(("profile", "by_itself"), [("xfs", True), ("btrfs", False)])
def test_a_size_on_the_way_comes_by_itself_or_with_the_whole(profile: str, by_itself: bool) -> None:
    made = Indexed(KEPT, TAIL, profile)
    first, whole = sorted(made.atoms(1, Part.SIZE), key=lambda atom: atom.whole is None)
    assert first.whole == whole.number
    assert made.index.needs.get(first.number, 0) == (0 if by_itself else 1 << whole.number)
    assert made.index.needs[whole.number] & made.mask(1, Part.DATA)
    agree(made.index)


SHORTER = "truncate a 100; write a 100 10 B"


@pytest.mark.parametrize(
    ("text", "profile", "bare"),
    [
        (f"{SHORTER}; link a c", "btrfs", True),
        (f"truncate a 100; link a c; {SHORTER}", "btrfs", True),
        (f"{SHORTER}; chmod a 600", "btrfs", False),
        (f"{SHORTER}; link a c", "xfs", False),
        ("write a 4096 10 B; link a c", "btrfs", False),
    ],
    ids=["named after it", "named before it", "not named", "xfs", "not shorter"],
)
def test_a_file_made_shorter_and_named_anew_may_show_its_size_on_btrfs(
    text: str, profile: str, bare: bool
) -> None:
    made = Indexed(KEPT, text, profile)
    (size,) = (
        atom
        for step in range(len(made.history.steps))
        for atom in made.atoms(step, Part.SIZE)
        if atom.cleared is None
    )
    assert made.index.needs.get(size.number, 0) == (0 if bare else made.mask(size.step, Part.DATA))
    agree(made.index)


@pytest.mark.parametrize("profile", ["posix-strict", "ext4-ordered"])
def test_a_name_needs_what_it_was_before_unless_the_log_tells(profile: str) -> None:
    made = Indexed(KEPT, "create b; unlink b; create b; create c", profile)
    needs = [made.needs(step, Part.NAME) for step in range(4)]
    strict = [0, made.mask(0), made.mask(1), 0]
    assert needs == (strict if profile == "posix-strict" else [0] * 4)
    # What is forced of a name takes the earlier ones along, all of them.
    assert made.index.with_names(made.mask(2)) == made.mask(0) | made.mask(1) | made.mask(2)
    assert made.index.with_names(made.mask(3)) == made.mask(3)


@pytest.mark.parametrize("profile", ["btrfs", "posix-strict"])
def test_the_new_directories_above_a_name_are_forced_with_it_on_btrfs(profile: str) -> None:
    made = Indexed(KEPT, "mkdir d/e; mkdir d/e/f; create d/e/f/g", profile)
    above = made.mask(0) | made.mask(1) if profile == "btrfs" else 0
    assert made.index.with_names(made.mask(2)) == made.mask(2) | above


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("moved", ["a", "e"])
def test_the_new_name_is_forced_without_the_old_one_only_of_files_on_btrfs(
    profile: str, moved: str
) -> None:
    made = Indexed(f"{KEPT}; mkdir e", f"rename {moved} d/{moved}", profile)
    new, old = (1 << atom.number for atom in made.atoms(0))
    apart = profile == "btrfs" and moved == "a"
    assert made.index.with_names(new) == (new if apart else new | old)
    assert made.index.with_names(old) == new | old
    # Nobody's commit has one half alone.
    assert made.index.needs == {bits(new)[0]: old, bits(old)[0]: new}


@pytest.mark.parametrize("profile", ALL)
def test_only_on_ext4_ordered_a_rename_over_a_file_brings_the_size_along(profile: str) -> None:
    made = Indexed(KEPT, "create b; write b 0 10 B; rename b a", profile)
    size, brought = made.mask(0) | made.mask(1, Part.SIZE), made.needs(2, Part.NAME)
    assert brought & made.mask(1) == (made.mask(1, Part.SIZE) if profile == "ext4-ordered" else 0)
    if profile == "ext4-ordered":
        assert brought == size
    over_nothing = Indexed(KEPT, "create b; write b 0 10 B; rename b c", profile)
    assert not over_nothing.needs(2, Part.NAME) & over_nothing.mask(1)


def test_a_sync_concerns_what_its_file_is_and_holds_and_no_other() -> None:
    text = "write a 4096 10 A; chmod a 600; rename a c; create d/b; write d/b 0 10 B"
    made = Indexed(KEPT, text, "posix-strict")
    a, b, d = made.file(0), made.file(3), made.atoms(3)[0].entries[0].directory
    concerned = made.index.concerned
    assert concerned(Sync(a)) == made.mask(0) | made.mask(1)
    assert concerned(Sync(b)) == made.mask(3) | made.mask(4)
    assert concerned(Sync(d)) == made.mask(3)
    assert concerned(Sync(made.history.root)) == made.mask(2)
    assert concerned(Sync(None)) == (1 << len(made.history.atoms)) - 1
