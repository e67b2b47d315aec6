"""Calls that no filesystem hears of: recorded only where somebody was notified of them."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

_UNHEARD: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "seek": ("lseek",),
        "dup": ("dup", "dup2", "dup3", "fcntl"),
        "flags": ("fcntl",),
        "map": ("mmap",),
        "range": ("sync_file_range",),
        "syncfs": ("sync", "syncfs"),
        "ring": ("io_uring_setup",),
    }
)
"""Names of such calls, by family."""
_ALL: Final = frozenset(name for names in _UNHEARD.values() for name in names)


def unseen(
    names: Iterable[str], families: Iterable[str], heard: Collection[str]
) -> tuple[str, ...]:
    """Return those of *names*, and of the calls of *families*, that may have been made unseen.

    Args:
        names: Of calls.
        families: Of calls.
        heard: Names of the calls that somebody was notified of.
    """
    asked = {*names, *(name for family in families for name in _UNHEARD.get(family, ()))}
    return tuple(sorted(name for name in asked & _ALL if name not in heard))
