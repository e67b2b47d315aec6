"""Names of calls in rules: system calls, the C library's names for them, and families."""

from typing import Final

from tracefs.callnames import ALIASES
from tracefs.faults.asked import ALL, EXACTLY, FAMILIES, READS, is_family
from tracefs.syscalls import table

ALL_FAMILIES: Final = frozenset({*FAMILIES, ALL})
FAMILY_MARK: Final = "@"
"""Before a family, as in contracts; it says nothing here."""

SYSTEM_CALLS: Final = READS.union(
    *({call.name for call in table(machine).values()} for machine in ("x86_64", "aarch64"))
)
_ALIASES: Final = {**ALIASES, "pread": frozenset({"pread64"})}
KNOWN: Final = sorted({*SYSTEM_CALLS, *_ALIASES, *ALL_FAMILIES})
"""All names but those with a mark."""


def calls_of(name: str) -> frozenset[str]:
    """Return the system calls that *name*, no family's, stands for; none: there is no such name.

    >>> sorted(calls_of("lchown")), sorted(calls_of("=rename")), sorted(calls_of("rename"))
    (['fchownat', 'lchown'], ['rename'], [])
    """
    if name.startswith(EXACTLY):
        exact = name.removeprefix(EXACTLY)
        return frozenset({exact}) if exact in SYSTEM_CALLS else frozenset()
    if is_family(name):
        return frozenset()
    return _ALIASES.get(name) or frozenset({name} & SYSTEM_CALLS)


def canonical(name: str) -> str | None:
    """Return the one spelling of *name*; None: it is neither a call nor a family.

    >>> canonical("pwrite"), canonical("@write"), canonical("=fsync"), canonical("=write")
    ('pwrite64', 'write', 'fsync', '=write')
    """
    if name.startswith(FAMILY_MARK):
        family = name.removeprefix(FAMILY_MARK)
        return family if is_family(family) else None
    if is_family(name):
        return name
    calls = calls_of(name)
    if not calls:
        return None
    if len(calls) > 1:
        return name
    [call] = calls
    # Some name a family or several calls when they stand alone.
    return f"{EXACTLY}{call}" if is_family(call) or call in _ALIASES else call
