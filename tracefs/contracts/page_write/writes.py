"""One write by itself: its name, its place, its length and what became of it.

Rules ``positional-write``, ``full-page``, ``aligned`` and ``complete``.
"""

from enum import Enum

from tracefs.contracts.page_write import text
from tracefs.contracts.page_write.report import (
    ALIGNED,
    COMPLETE,
    FULL_PAGE,
    POSITIONAL_WRITE,
    Reporter,
)
from tracefs.contracts.page_write.state import Open, Short
from tracefs.trace.call import Call


class Retry(Enum):
    """How a write takes up a short or failed one before it."""

    NO = "it doesn't"
    REST = "the bytes that are missing"
    WHOLE = "the same bytes again"


# A look into an enumeration costs as much as a call.
NO, REST, WHOLE = Retry.NO, Retry.REST, Retry.WHOLE


def is_fallocate(call: Call) -> bool:
    """Return whether glibc's posix_fallocate made *call*, not the program (posix_fallocate(3))."""
    return call.note is not None and "posix_fallocate" in call.note


def judge_name(reporter: Reporter, call: Call) -> None:
    """``positional-write``: only pwrite64 writes."""
    if call.call == "unknown":
        reporter.unknown(POSITIONAL_WRITE, call, text.unnamed, reporter.page_size)
    elif call.call != "pwrite64":
        reporter.broken(POSITIONAL_WRITE, call, text.not_positional, reporter.page_size)


def judge_shape(reporter: Reporter, call: Call) -> None:
    """``full-page`` and ``aligned``: one page, at a page boundary."""
    page_size = reporter.page_size
    # What is not named is one request, which may be a piece of a call that was whole.
    differs = reporter.unknown if call.call == "unknown" else reporter.broken
    if call.length is None:
        reporter.unknown(FULL_PAGE, call, text.length_unknown, page_size)
    elif call.length != page_size:
        differs(FULL_PAGE, call, text.not_full, page_size)
    if call.offset is None:
        reporter.unknown(ALIGNED, call, text.offset_unknown, page_size)
    elif call.offset % page_size:
        differs(ALIGNED, call, text.not_aligned, page_size)


def take_up(reporter: Reporter, opened: Open, call: Call) -> Retry:
    """``complete``: return how *call* takes up what is missing, or report what it passed over."""
    short = opened.short
    if short is None:
        return NO
    if call.offset == short.resume and call.length == short.end - short.resume:
        # A failed write is missing from its first byte: its rest is the whole.
        whole = call.length == short.call.length
        return WHOLE if whole else REST
    if call.offset == short.call.offset and call.length == short.call.length:
        return WHOLE
    pass_over(reporter, opened, call)
    return NO


def pass_over(reporter: Reporter, opened: Open, then: Call) -> None:
    """``complete``: *then* follows as if the short or failed write had been whole."""
    if opened.short is not None:
        short = opened.short.call
        reporter.broken(COMPLETE, short, text.passed_over, then, reporter.page_size)
        opened.short = None


def judge_result(reporter: Reporter, opened: Open, call: Call, retry: Retry) -> None:
    """``complete``: remember what *call* left undone."""
    done = 0 if call.errno or call.at_end else call.result
    if done is None or call.length is None or call.offset is None:
        opened.short = None
        if not call.errno:
            reporter.unknown(COMPLETE, call, text.result_unknown, reporter.page_size)
        return
    if done >= call.length:
        opened.short = None
        return
    first = opened.short.call if retry is REST and opened.short is not None else call
    opened.short = Short(first, call.offset + done, call.offset + call.length)
