"""No more than the standard promises: each page, size and name is written when it pleases.

fsync(2) saves a file's data and attributes, fdatasync(2) its data and what is needed to read it,
and neither its name, which is an fsync of the directory. A rename is one step (rename(2),
POSIX.1-2017). How programs fail on it: Pillai et al., "All File Systems Are Not Created Equal"
(OSDI 2014), ALICE.
"""

from typing import Final

from tracefs.persistence.promises import Rules

RULES: Final = Rules(
    name="posix-strict",
    title="only what was synced is there, in any combination with the rest; "
    "a name needs a sync of its directory",
    tail_sets_size=True,
)
