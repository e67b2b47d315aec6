"""``open-flags``: what a file may be opened with."""

from typing import Final

from tracefs.contracts.page_write import text
from tracefs.contracts.page_write.report import OPEN_FLAGS, Reporter
from tracefs.contracts.page_write.state import Open
from tracefs.trace.call import Call

_FORBIDDEN: Final = frozenset({"O_APPEND", "O_TRUNC"})
# These change neither what is written nor when it is durable.
_HARMLESS: Final = frozenset(
    {
        "O_RDWR",
        "O_CREAT",
        "O_CLOEXEC",
        "O_EXCL",
        "O_LARGEFILE",
        "O_NOATIME",
        "O_NOCTTY",
        "O_NOFOLLOW",
    }
)


def is_writable(call: Call) -> bool:
    """Return whether the open *call* asks for writing."""
    return "O_RDWR" in call.flags or "O_WRONLY" in call.flags


def judge_late_append(reporter: Reporter, opened: Open, call: Call) -> None:
    """Report, once for each open, that O_APPEND was set by fcntl(F_SETFL)."""
    if not opened.append and call.note is not None and call.note.startswith("O_APPEND"):
        opened.append = True
        reporter.broken(OPEN_FLAGS, call, text.late_append, reporter.page_size)


def judge_flags(reporter: Reporter, call: Call) -> None:
    """Report flags that the contract forbids, and advise on others that it doesn't need."""
    forbidden = [flag for flag in call.flags if flag in _FORBIDDEN]
    if forbidden:
        reporter.broken(OPEN_FLAGS, call, text.wrong_flags, forbidden)
    other = [
        flag
        for flag in call.flags
        # A flag that has no name is one of the kernel's own and shows as a number.
        if flag not in _FORBIDDEN and flag not in _HARMLESS and not flag.startswith("0")
    ]
    if other:
        reporter.advice(OPEN_FLAGS, call, text.other_flags, other)
