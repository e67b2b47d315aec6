"""What filesystems promise, one module each; weakest assumption first.

The first is what every system keeps, the last what the standard promises. They are no chain: Btrfs
allows a few states that the standard does not, as both names of a file that was moved to another
directory.
"""

from typing import Final

from tracefs.errors import UsageError
from tracefs.persistence.profiles import (
    btrfs,
    ext4_ordered,
    ext4_writeback,
    posix_strict,
    prefix,
    xfs,
)
from tracefs.persistence.promises import Rules

ALL: Final = {
    module.RULES.name: module.RULES
    for module in (prefix, ext4_ordered, ext4_writeback, xfs, btrfs, posix_strict)
}
LINUX: Final = ("ext4-ordered", "xfs", "btrfs")
"""What is asked where nobody says which."""
_GROUPS: Final = {"linux": LINUX, "all": tuple(ALL)}


def chosen(names: str) -> tuple[Rules, ...]:
    """Return the profiles that *names* says, with commas between; ``linux``, ``all`` are groups.

    Raises:
        UsageError: there is no such profile.
    """
    found: dict[str, Rules] = {}
    for name in names.split(","):
        for each in _GROUPS.get(name, (name,)):
            if each not in ALL:
                known = ", ".join((*ALL, *_GROUPS))
                raise UsageError(f"there is no profile {each!r}", repair=f"known: {known}")
            found[each] = ALL[each]
    return tuple(found.values())
