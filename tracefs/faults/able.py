"""Which requests a rule can do to what it says: a sync can't be short, nor an open return 1.

A rule strikes these alone, whatever else its calls come as.
"""

import errno
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tracefs.faults import asked
from tracefs.faults.model import Rule
from tracefs.faults.names import calls_of

WRITES: Final = frozenset({"write"})
READS: Final = frozenset({"read"})
SYNCS_FILE: Final = frozenset({"fsync"})
SHORTENED: Final = frozenset({"copy", "write"})
"""What may have done a part, and says how much."""
FILLS: Final = frozenset({"copy", "fallocate", "mkdir", "symlink", "write"})
"""What takes room on a disk: for contents, a directory, a long target."""
MOVES: Final = frozenset({"copy", "read", "write"})
"""What moves bytes."""
DONE: Final = frozenset({"flush", "fsync", "fsyncdir"})
"""What answers no more than that it is done. With others the kernel learns of a file that there
must be then, or changes names and sizes in its memory, which the directory doesn't have."""
_WALKS: Final = asked.EVERY - {"copy", "fallocate", "flush", "fsync", "fsyncdir", "read", "write"}
KEPT_BACK: Final[Mapping[int, frozenset[str]]] = MappingProxyType(
    {
        # The kernel copies by READ and WRITE instead (vfs_copy_file_range in fs/read_write.c).
        errno.EOPNOTSUPP: frozenset({"copy"}),
        errno.EXDEV: frozenset({"copy"}),
        # It walks the path anew and asks once more (retry_estale in include/linux/namei.h).
        errno.ESTALE: _WALKS,
    }
)
"""Error -> requests that the kernel doesn't tell the program of, if they end so."""


def requests(rule: Rule) -> frozenset[str]:
    """Return the requests that *rule* can strike, if they are among its calls.

    >>> from tracefs.faults.spelling import parse
    >>> sorted(requests(parse("all:rot=3"))), sorted(requests(parse("sync:retval=0")))
    (['read'], ['flush', 'fsync', 'fsyncdir'])
    """
    if rule.rot is not None:
        return READS
    if rule.mode is not None:
        return SYNCS_FILE
    if rule.short is not None:
        return SHORTENED
    if rule.full is not None:
        return FILLS
    if rule.retval is not None:
        return WRITES if rule.retval else DONE
    return asked.EVERY - KEPT_BACK.get(rule.error or 0, frozenset())


def requests_of(name: str) -> frozenset[str]:
    """Return the requests that a call or family *name* of a rule comes as."""
    if asked.is_family(name):
        return asked.family(name)
    return frozenset().union(*map(asked.of_call, calls_of(name)))


def struck(rule: Rule) -> frozenset[str]:
    """Return the requests that *rule* strikes."""
    return requests(rule) & frozenset().union(*map(requests_of, rule.calls))


def callers(rule: Rule, request: str) -> tuple[bool, frozenset[str]]:
    """Return whether *rule* means the request whoever asks, or else which calls of it."""
    names: set[str] = set()
    for name in rule.calls:
        if asked.is_family(name):
            if request in asked.family(name):
                return True, frozenset()
            continue
        exact = calls_of(name)
        if any(request in asked.of_call(one) for one in exact):
            if request in asked.UNWITNESSED:
                return True, frozenset()
            names |= exact
    return False, frozenset(names)
