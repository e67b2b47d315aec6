"""Which calls a name stands for that only the request tells (`Call.known_by` is ``fuse``).

A RENAME is a rename, whichever of the three calls asked for it. What closed a descriptor is a close
here, whatever else the call did.
"""

from typing import Final

from tracefs.syscalls import CHOWNS
from tracefs.trace.call import Call

_ALIKE: Final = {
    "open": frozenset({"open", "openat", "openat2", "creat"}),
    "execve": frozenset({"execve", "execveat"}),
    "rename": frozenset({"rename", "renameat", "renameat2"}),
    "link": frozenset({"link", "linkat"}),
    "symlink": frozenset({"symlink", "symlinkat"}),
    "unlink": frozenset({"unlink", "unlinkat"}),
    "rmdir": frozenset({"rmdir", "unlinkat"}),
    "mkdir": frozenset({"mkdir", "mkdirat"}),
    "mknod": frozenset({"mknod", "mknodat", "bind"}),
    "chown": CHOWNS,
    "utimensat": frozenset({"utime", "utimes", "futimesat", "utimensat"}),
    "setxattr": frozenset({"setxattr", "lsetxattr", "fsetxattr"}),
    "removexattr": frozenset({"removexattr", "lremovexattr", "fremovexattr"}),
}


def alike(name: str) -> frozenset[str]:
    """Return the calls whose requests are named *name* where nobody saw the call."""
    return _ALIKE.get(name, frozenset({name}))


def is_guessed(call: Call) -> bool:
    """Return whether *call* may have another name than it has here."""
    return call.known_by == "fuse" and call.call in _ALIKE
