"""What is said of a name that is neither a call nor a family; the server never needs it."""

from typing import Final

from tracefs.callnames import HINTS
from tracefs.faults.asked import EXACTLY
from tracefs.faults.names import ALL_FAMILIES, FAMILY_MARK, KNOWN, SYSTEM_CALLS
from tracefs.pathtext import quoted
from tracefs.suggestion import suggestion

_HINTS: Final = {**HINTS, "fread": "read", "fsyncdir": "syncdir"}


def expected(name: str) -> str:
    """Return what to say of *name*, which is neither a call nor a family.

    >>> expected("fsynk")
    "expected a call or a family of calls, saw 'fsynk'; did you mean fsync?"
    """
    if name.startswith(FAMILY_MARK):
        what, instead = "a family of calls", suggestion(name[1:], ALL_FAMILIES)
    elif name.startswith(EXACTLY):
        exact = [f"{EXACTLY}{call}" for call in sorted(SYSTEM_CALLS)]
        what, instead = "a system call", suggestion(name, exact)
    else:
        what = "a call or a family of calls"
        instead = f"; did you mean {_HINTS[name]}?" if name in _HINTS else suggestion(name, KNOWN)
    return f"expected {what}, saw {quoted(name)}{instead}"
