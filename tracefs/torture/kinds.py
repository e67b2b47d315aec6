"""Which faults a call can have, and the rule that makes one of them.

That a call can fail so is from section 2 of the manual: ENOSPC where something new needs room,
EINTR where a call waits.
"""

import errno
import re
from collections.abc import Iterable
from typing import Final

from tracefs.errors import UsageError
from tracefs.faults import asked, names
from tracefs.faults.model import Mode, Rule
from tracefs.faults.spelling import parse
from tracefs.pathtext import quoted
from tracefs.suggestion import closest
from tracefs.tortures import Strike, Target

SHORT: Final = "short"
DEFAULT: Final = ("EIO", "ENOSPC", SHORT, "EINTR")

FAMILIES: Final = frozenset(asked.FAMILIES) - {"read", "syncdir"}
"""What calls are counted by, syncs of directories as syncs. Reads are not: the kernel makes them
when it likes."""

_NEEDS_ROOM: Final = frozenset(
    {"allocate", "link", "mkdir", "mknod", "rename", "symlink", "write", "xattr"}
)
_CHANGES: Final = FAMILIES - {"close", "sync"}
_WHERE: Final = {
    "ENOSPC": _NEEDS_ROOM,
    "EDQUOT": _NEEDS_ROOM,
    "EINTR": frozenset({"sync", "write"}),
    "EROFS": _CHANGES,
    "EMFILE": frozenset({"open"}),
    "ENFILE": frozenset({"open"}),
    "EFBIG": frozenset({"allocate", "truncate", "write"}),
    SHORT: frozenset({"write"}),
} | {str(mode): frozenset({"sync"}) for mode in Mode}
"""Families whose calls have the fault; of others all have it."""
CONTRACTS: Final = {
    "ENOSPC": "no-space-handled",
    "EDQUOT": "no-space-handled",
    "EINTR": "interrupted-retried",
    SHORT: "short-write-handled",
}
"""Fault -> the contract about it; of any other at a sync it is `AT_SYNC`."""
AT_SYNC: Final = "sync-failure-handled"
_CREATES: Final = frozenset({"ENOSPC", "EDQUOT", "EROFS"})
"""What an open fails with only if it makes the file, or may."""
_WHOLE: Final = frozenset({"copy_file_range", "sendfile", "splice"})
"""Calls that do less than they are asked for anyway."""
_PLAIN: Final = re.compile(r"[\w./+@ -]+", re.ASCII)
"""Paths that a pattern spells as they are."""


def known() -> frozenset[str]:
    """Return all faults that can be asked for."""
    return frozenset(_WHERE) | frozenset(errno.errorcode.values())


def chosen(text: str) -> tuple[str, ...]:
    """Read ``EIO,short``.

    Raises:
        UsageError: one of them is none.
    """
    found: dict[str, None] = {}
    for word in filter(None, (word.strip() for word in text.split(","))):
        name = next((each for each in known() if each.lower() == word.lower()), None)
        if name is None:
            near = closest(word, sorted({*_WHERE, *DEFAULT})) or closest(word, sorted(known()))
            raise UsageError(
                f"there is no fault {word}",
                repair=f"did you mean {near}?" if near else f"as in --faults {','.join(DEFAULT)}",
            )
        found[name] = None
    if not found:
        raise UsageError("there are no faults to try", repair=f"--faults {','.join(DEFAULT)}")
    return tuple(found)


def calls(text: str) -> tuple[str, ...]:
    """Read ``fdatasync,pwrite,rename``: families and calls, the C library's names for them too.

    Raises:
        UsageError: one of them is none.
    """
    found: dict[str, None] = {}
    for word in filter(None, (word.strip() for word in text.split(","))):
        name = word.removeprefix(names.FAMILY_MARK)
        meant = {name} & names.ALL_FAMILIES or names.calls_of(word)
        if not meant:
            near = closest(word, names.KNOWN)
            raise UsageError(
                f"there is no call {quoted(word)} and no such family of calls",
                repair=f"did you mean {near}?" if near else "tracefs show names the calls",
            )
        found.update(dict.fromkeys(FAMILIES if asked.ALL in meant else sorted(meant)))
    return tuple(found)


def strikes(target: Target, faults: Iterable[str], *, by_path: bool = False) -> list[Strike]:
    """Return those of *faults* that *target* can have, each with its rule.

    *by_path*: calls on a file are counted, since others come in another order each time.
    """
    return [
        Strike(fault=fault, rule=_rule(target, fault, by_path=by_path), target=target)
        for fault in faults
        if _has(target, fault)
    ]


def contracts(made: Iterable[Strike]) -> tuple[str, ...]:
    """Return the built-in contracts about what was *made*, each once."""
    at_sync = {"sync": AT_SYNC}
    names = (CONTRACTS.get(one.fault) or at_sync.get(one.target.family) for one in made)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def pattern(path: str | None) -> str | None:
    """Return the pattern for *path*; None: there is none that means no other."""
    return path if path is not None and _PLAIN.fullmatch(path) else None


def _has(target: Target, fault: str) -> bool:
    if fault in _CREATES and target.family == "open":
        return target.created
    if fault == SHORT:
        long_enough = target.length is None or target.length >= 2
        return target.family == "write" and target.call not in _WHOLE and long_enough
    return target.family in _WHERE.get(fault, FAMILIES)


def _rule(target: Target, fault: str, *, by_path: bool) -> Rule:
    # A short write takes a file past the kernel's cache: no other file is to change its ways.
    where = pattern(target.path) if by_path or fault == SHORT else None
    number = target.number if where is None else target.path_number
    if number is None:
        where, number = None, target.number
    glob = "" if where is None else f"({where})"
    return parse(f"{target.family}{glob}:{_effect(target, fault)}:when={number}")


def _effect(target: Target, fault: str) -> str:
    if fault == SHORT:
        return f"short={(target.length or 2) // 2}"
    return f"error=EIO:mode={fault}" if fault in set(Mode) else f"error={fault}"
