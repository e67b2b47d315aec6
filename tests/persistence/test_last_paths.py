"""A file that has lost its name is known by the one that it had last."""

from tracefs.journal.start import Entry as Starting
from tracefs.persistence.history import Entry
from tracefs.persistence.living import Living


def living() -> Living:
    paths = {".": 1, "d": 2, "d/f": 3, "g": 3}
    modes = {1: 0o40755, 2: 0o40755, 3: 0o100644}
    return Living(
        Starting(path=path, ino=ino, mode=modes[ino], uid=0, gid=0) for path, ino in paths.items()
    )


def test_a_file_that_has_a_name_is_known_by_that() -> None:
    tree = living()
    assert tree.last_path(3) == tree.path(3)
    tree.name(Entry(1, b"g", 0, 3))
    assert tree.last_path(3) == "d/f"


def test_the_last_name_is_remembered() -> None:
    tree = living()
    tree.name(Entry(1, b"g", 0, 3))
    tree.name(Entry(2, b"f", 0, 3))
    assert tree.path(3) is None
    assert tree.last_path(3) == "d/f"


def test_a_new_name_counts_again() -> None:
    tree = living()
    tree.name(Entry(2, b"f", 0, 3))
    tree.name(Entry(1, b"g", 0, 3))
    tree.name(Entry(1, b"h", 3, 0))
    assert tree.last_path(3) == "h"


def test_what_never_had_a_name_has_none() -> None:
    assert living().last_path(9) is None
