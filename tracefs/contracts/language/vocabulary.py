"""The words of contract files that come from Linux: calls and flags."""

from typing import Final

from tracefs.syscalls import call_names
from tracefs.trace.flags import flag_names
from tracefs.trace.unheard import flag_names as unheard_flag_names

END: Final = "end"
"""Where a scope ends; no call, and known to ``until`` alone."""
FAILURE: Final = "failure"
"""The end of a process that says it failed; no call, and known to ``next`` alone."""
UNKNOWN: Final = "unknown"
"""A call that has no name."""

CALLS: Final = call_names() | {UNKNOWN}
"""Names that a call of a trace can have."""

SYNC_DIRECTORY: Final = "fsyncdir"
"""Any sync of a directory: the family ``syncdir``."""

NOT_RECORDED: Final = frozenset({"pread", "pread64", "preadv", "preadv2", "read", "readv"})
"""Calls that no recording has: often the kernel has the pages already."""

FLAGS: Final = flag_names() | unheard_flag_names() | {"O_LARGEFILE"}
"""Names that a call's flags can have; the kernel adds O_LARGEFILE, and few recordings show it."""

SYNCING_FLAGS: Final = frozenset({"O_DSYNC", "O_SYNC", "RWF_DSYNC", "RWF_SYNC"})
"""What ``synced_by`` can be, beside nothing."""
