"""Every sentence of ``page-write``: what was expected and seen, and how to mend it.

One sentence each, for people who meet these calls for the first time. Calls are named by their
index in the trace, as ``tracefs show`` numbers them.
"""

from errno import errorcode
from typing import Final, NamedTuple

from tracefs.trace.call import Call


class Text(NamedTuple):
    """The two sentences of a finding."""

    message: str
    repair: str


_WATCHED: Final = "Record again where tracefs may look at the caller (the same user, no io_uring)."
UNNOTICED: Final = "No program can notice this: leave the rule out to have the program judged."
"""How to mend what a fault did that claims success."""
_SYNC: Final = (
    "Call fdatasync(fd) after each pwrite and go on only when it has returned 0, "
    "before the next write and before close."
)


def write(call: Call, page_size: int) -> str:
    """Describe a write: call, length, offset, page."""
    if call.call == "mmap":
        verb = "a store through a shared mapping (mmap)"
    else:
        verb = "an unnamed write" if call.call == "unknown" else call.call
    length = "" if call.length is None else f" of {call.length} bytes"
    if call.offset is None:
        return f"{verb}{length} at an unknown offset"
    page, rest = divmod(call.offset, page_size)
    where = f"page {page}" if rest == 0 else f"{rest} bytes into page {page}"
    return f"{verb}{length} at offset {call.offset} ({where})"


def sync(call: Call) -> str:
    """Name a sync call."""
    return "an unnamed sync" if call.call == "unknown" else call.call


def error(number: int) -> str:
    """Return the symbol of error *number*."""
    return errorcode.get(number, f"error {number}")


def by_rule(call: Call) -> str:
    """Return `` (injected by RULE)`` where a fault that was made on purpose decided the outcome."""
    rules = dict.fromkeys(one.rule for one in call.faults if one.rule)
    return f" (injected by {' and '.join(rules)})" if rules else " (injected)" * bool(call.faults)


def outcome(call: Call) -> str:
    """Say how *call* failed, or that it did nothing of what it was said to; empty: it succeeded."""
    if call.errno:
        return f"failed with {error(call.errno)}{by_rule(call)}"
    if call.after_failed is not None:
        return f"proves nothing, since call {call.after_failed} had failed to save what was written"
    if call.pretended and call.loses:
        return f"claimed success, and what it was to save is lost{by_rule(call)}"
    return f"did nothing of what it was said to have done{by_rule(call)}" * call.pretended


def _because(call: Call) -> str:
    return f": {call.reason}" if call.reason else ""


# positional-write


def not_positional(call: Call, page_size: int) -> Text:
    """Something other than pwrite64 wrote."""
    repair = "Write with pwrite(fd, page, PAGE_SIZE, page_number * PAGE_SIZE)."
    if call.call == "mmap":
        repair = f"Do not map the file writable and shared. {repair}"
    return Text(f"Expected pwrite64; saw {write(call, page_size)}.", repair)


def unnamed(call: Call, page_size: int) -> Text:
    """Nobody saw which call wrote."""
    return Text(
        f"Expected pwrite64; saw {write(call, page_size)}{_because(call)}.",
        _WATCHED,
    )


# full-page, aligned


def not_full(call: Call, page_size: int) -> Text:
    """The length is not one page."""
    small = call.length is not None and call.length < page_size
    return Text(
        f"Expected one page of {page_size} bytes; saw {write(call, page_size)}.",
        "Fill the page up with zeros and write all of it in one call."
        if small
        else "Write one page with each pwrite, and sync it before the next.",
    )


def length_unknown(call: Call, page_size: int) -> Text:
    """The length is not known."""
    return Text(
        f"Expected one page of {page_size} bytes; how long {write(call, page_size)} was meant to be"
        f" is not known{_because(call)}.",
        _WATCHED,
    )


def not_aligned(call: Call, page_size: int) -> Text:
    """The offset is inside a page."""
    return Text(
        f"Expected an offset that is a multiple of {page_size}; saw {write(call, page_size)}.",
        "Compute the offset as page_number * PAGE_SIZE.",
    )


def offset_unknown(call: Call, page_size: int) -> Text:
    """The offset is not known."""
    return Text(
        f"Expected an offset that is a multiple of {page_size}; saw {write(call, page_size)}"
        f"{_because(call)}.",
        _WATCHED,
    )


# synced


def not_synced(
    call: Call, page_size: int, then: str, elsewhere: Call | None, early: Call | None
) -> Text:
    """No sync covers *call*; *then* says what came first."""
    also = ""
    if early is not None:
        also = f"; {_not_enough(early)}"
    elif elsewhere is not None:
        also = f"; {sync(elsewhere)} (call {elsewhere.index}) was on '{elsewhere.path}' instead"
    return Text(f"Expected a sync after {write(call, page_size)}; {then}{also}.", _SYNC)


def _not_enough(call: Call) -> str:
    """Say why *call*, a kind of sync that succeeded, does not cover the write."""
    which = f"{sync(call)} (call {call.index})"
    if call.family == "range":
        return f"{which} starts writing, and promises nothing (sync_file_range(2))"
    if call.family == "syncfs":
        return f"{which} was of the whole filesystem; what it tells of errors is not of this file"
    return f"{which} began before the write was done"


def next_write(call: Call) -> str:
    """*call* wrote the file before it was synced."""
    return f"the next write (call {call.index}) came first"


def overlapping(call: Call) -> str:
    """*call* began to write the file while it was being synced."""
    return f"the next write (call {call.index}) began before the sync had succeeded"


def closed(call: Call | None) -> str:
    """The open came to its end first."""
    which = "" if call is None else f" (call {call.index})"
    return f"the file was closed{which} first"


ENDED: Final = "the trace ends first"


def cut_short(why: str | None) -> str:
    """The trace stops without its end."""
    because = f" ({why})" if why else ""
    return f"the trace is incomplete{because} and ends first, so a sync may have followed"


def sync_failed(failed: Call, call: Call, page_size: int) -> Text:
    """The sync after *call* failed."""
    if failed.pretended:
        return Text(
            f"Expected {sync(failed)} to succeed after {write(call, page_size)}; it "
            f"{outcome(failed)}.",
            UNNOTICED,
        )
    return Text(
        f"Expected {sync(failed)} to succeed after {write(call, page_size)}; it "
        f"{outcome(failed)}, and the page may be lost although a retry succeeds (fsync(2); "
        '"Can Applications Recover from fsync Failures?", USENIX ATC 2020).',
        "Stop and report the failure, or write the page again and then sync; "
        "never only sync again.",
    )


# complete


def passed_over(call: Call, then: Call, page_size: int) -> Text:
    """*call* was short or failed, and *then* followed as if it had been whole."""
    did = outcome(call) or f"wrote only {call.result} bytes{by_rule(call)}"
    what = sync(then) if then.family == "sync" else write(then, page_size)
    return Text(
        f"Expected a whole page; {write(call, page_size)} {did}, and {what} "
        f"(call {then.index}) followed as if it had been whole.",
        "Compare what pwrite returns with PAGE_SIZE: write the rest at offset + result, "
        "or stop and report the failure.",
    )


def result_unknown(call: Call, page_size: int) -> Text:
    """Whether the write was whole is not known."""
    return Text(
        f"Expected a whole page; whether {write(call, page_size)} wrote all it was asked to "
        f"is not known{_because(call)}.",
        _WATCHED,
    )


# no-seek


def moved(call: Call, expected: int, position: int) -> Text:
    """The file position moved as only a seek moves it."""
    return Text(
        f"Expected the file position to stay at {expected}; it was {position} during {call.call}, "
        "which only a seek explains.",
        "Take the lseek out: pwrite is told its offset and needs no file position.",
    )


def perhaps_moved(call: Call, expected: int, position: int) -> Text:
    """The file position moved as a seek or a read moves it."""
    return Text(
        f"Expected the file position to stay at {expected}; it was {position} during {call.call}, "
        "which an lseek explains but a read does too.",
        "Take the lseek out, or read with pread, which leaves the file position alone.",
    )


def sought(call: Call) -> Text:
    """An lseek was seen."""
    to = "" if call.result is None else f" to {call.result}"
    moved = "" if call.result is None or call.result != call.position else ", where it was already"
    return Text(
        f"Expected the file position never to be used; saw lseek{to}{moved}.",
        "Take the lseek out: pwrite is told its offset and needs no file position.",
    )


def seek_unseen(call: Call) -> Text:
    """An lseek was heard of, but not on which file."""
    return Text(
        "Expected the file position never to be used; an lseek may be on this file"
        f"{_because(call)}.",
        _WATCHED,
    )


def position_unseen(call: Call) -> Text:
    """No call of the open showed the file position."""
    return Text(
        "Expected the file position to stay where it was; no write or sync of this open shows it"
        f"{_because(call)}.",
        _WATCHED,
    )


# open-flags

_FLAG_REPAIRS: Final = {
    "O_APPEND": "Leave O_APPEND out: with it Linux appends, whatever offset pwrite is given.",
    "O_TRUNC": "Leave O_TRUNC out: it empties the file, so that every page in it is lost.",
    "O_SYNC": "Leave O_SYNC out and call fdatasync, which reports its own failure.",
    "O_DSYNC": "Leave O_DSYNC out and call fdatasync, which reports its own failure.",
}
_FLAGS: Final = "Open with O_RDWR | O_CREAT and no other flag."


def late_append(call: Call, page_size: int) -> Text:
    """O_APPEND was set after the open."""
    return Text(
        f"Expected an open without O_APPEND; it was set later, and {write(call, page_size)} went"
        " to the end of the file.",
        "Take the fcntl(F_SETFL, O_APPEND) out: with it Linux appends, whatever offset pwrite is"
        " given.",
    )


def wrong_flags(call: Call, flags: list[str]) -> Text:
    """The open has *flags* that the contract forbids."""
    return Text(
        f"Expected an open without {' and '.join(flags)}; saw {'|'.join(call.flags)}.",
        _FLAG_REPAIRS[flags[0]],
    )


def other_flags(call: Call, flags: list[str]) -> Text:
    """The open has *flags* that are not needed."""
    return Text(
        f"Expected O_RDWR|O_CREAT; saw {'|'.join(flags)} in {'|'.join(call.flags)}.",
        _FLAG_REPAIRS.get(flags[0], _FLAGS),
    )


def open_unseen(call: Call, page_size: int) -> Text:
    """The trace doesn't show the open that a write came through."""
    return Text(
        f"Expected to see the open; {write(call, page_size)} came through one "
        "that the trace does not show.",
        "Start recording before the program opens the file.",
    )


# advice on syncs and directories


def fsync_of_same_size(call: Call) -> Text:
    """Fsync where fdatasync would do."""
    return Text(
        f"Expected fdatasync, since the file's size is the same as at the last sync; "
        f"saw {call.call}.",
        "Call fdatasync: it makes the data durable and does not wait for the file's times.",
    )


def idle_sync(call: Call) -> Text:
    """A sync with nothing to sync."""
    return Text(
        f"Expected a write before each sync; saw {sync(call)} with nothing written "
        "since the last one.",
        "Take this sync out: it costs time and makes nothing durable.",
    )


def directory_not_synced(directory: str) -> Text:
    """A new file's name may be lost."""
    return Text(
        f"Expected fsync of the directory '{directory}' after the file was created in it; "
        "saw none by the end of the trace.",
        "Open the directory with O_RDONLY|O_DIRECTORY and fsync it: "
        "fsync of the file does not make its name durable (fsync(2)).",
    )


def nothing_written(paths: tuple[str, ...]) -> Text:
    """There is nothing to judge."""
    where = f" matching {', '.join(paths)}" if paths else ""
    return Text(
        f"Expected at least one page write; none was recorded on any file{where}.",
        "Check that the program ran in the traced directory and wrote a file there; "
        "nothing written is never counted as kept.",
    )
