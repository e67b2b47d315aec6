"""The command: arguments in, one clear line and an exit code out.

Written by hand and not with argparse, since the same command exists in other languages: arguments
count by position alone, so TEXT may begin with a dash, and messages are the same everywhere.
"""

import os
import re
from collections.abc import Callable, Sequence
from typing import Final

from pagealloc.errors import ArgumentError, ContentError, PageError, SystemCallError, words
from pagealloc.hexdump import hexdump
from pagealloc.page import LAST_PAGE_NO, PAGE_SIZE, PAYLOAD_MAX, fault_of, offset_of
from pagealloc.store import place, raw_pages, read_page, read_raw, write_page

HELP: Final = f"""\
usage: pagealloc write FILE PAGE_NO TEXT   write TEXT into a page and sync it
       pagealloc write FILE PAGE_NO -      the same from standard input
       pagealloc read FILE PAGE_NO         print a page's payload
       pagealloc hexdump FILE [PAGE_NO]    print file or page as xxd does
       pagealloc verify FILE               check every page
       pagealloc --help                    print this

A page has {PAGE_SIZE} bytes, of which {PAYLOAD_MAX} are payload.

exit codes: 0 done
            1 the file does not hold what it should
            2 wrong arguments; nothing was touched
            3 the system refused; the file has its old size
            4 the sync failed; the page may not be on the disk
"""

_HINT: Final = "(see pagealloc --help)"


def main(arguments: Sequence[str]) -> int:
    """Run the command with *arguments*, the program's name not among them; return the exit code."""
    try:
        if arguments and arguments[0] in ("--help", "-h"):
            _say(HELP.encode("ascii"))
        else:
            _run(arguments)
    except PageError as error:
        _complain(str(error))
        return error.exit_code
    return 0


def _run(arguments: Sequence[str]) -> None:
    if not arguments:
        raise ArgumentError(f"no command given {_HINT}")
    name, *rest = arguments
    if name not in _COMMANDS:
        raise ArgumentError(f"unknown command: {name} {_HINT}")
    command, counts, wanted = _COMMANDS[name]
    if len(rest) not in counts:
        raise ArgumentError(f"{name} takes {wanted} {_HINT}")
    command(*rest)


def _write(file: str, number: str, text: str) -> None:
    page_no = page_number(number)
    write_page(file, page_no, _standard_input() if text == "-" else os.fsencode(text))


def _read(file: str, number: str) -> None:
    _say(read_page(file, page_number(number)).rstrip(b"\0"))


def _hexdump(file: str, number: str | None = None) -> None:
    if number is not None:
        page_no = page_number(number)
        _say(hexdump(read_raw(file, page_no), offset_of(page_no)))
        return
    for page_no, raw in enumerate(raw_pages(file)):
        _say(hexdump(raw, offset_of(page_no)))


def _verify(file: str) -> None:
    pages = bad = 0
    for page_no, raw in enumerate(raw_pages(file)):
        pages += 1
        fault = fault_of(raw)
        if fault is not None:
            bad += 1
            _complain(f"{place(file, page_no)}: {fault}")
    if bad:
        raise ContentError(f"{file}: bad pages: {bad} of {pages}")
    _say(os.fsencode(f"{file}: good pages: {pages}\n"))


_COMMANDS: Final[dict[str, tuple[Callable[..., None], tuple[int, ...], str]]] = {
    "write": (_write, (3,), "FILE PAGE_NO TEXT"),
    "read": (_read, (2,), "FILE PAGE_NO"),
    "hexdump": (_hexdump, (1, 2), "FILE [PAGE_NO]"),
    "verify": (_verify, (1,), "FILE"),
}


def page_number(text: str) -> int:
    """Return the page number that *text* spells: ASCII digits and nothing else.

    Raises:
        ArgumentError: It is not a number, negative, or over `LAST_PAGE_NO`.
    """
    if re.fullmatch("-[0-9]+", text):
        raise ArgumentError(f"page number is negative: {text}")
    if not re.fullmatch("[0-9]+", text):
        raise ArgumentError(f"page number is not a decimal number: {text}")
    digits = text.lstrip("0") or "0"
    # Compared by length first: int() refuses very long numbers with an error of its own.
    if len(digits) > len(str(LAST_PAGE_NO)) or int(digits) > LAST_PAGE_NO:
        raise ArgumentError(f"page number is over {LAST_PAGE_NO}: {text}")
    return int(digits)


def _standard_input() -> bytes:
    """Return standard input up to its end, or one byte more than a page can hold."""
    data = b""
    try:
        while len(data) <= PAYLOAD_MAX and (more := os.read(0, PAYLOAD_MAX + 1 - len(data))):
            data += more
    except OSError as error:
        raise SystemCallError(f"standard input: {words(error.errno or 0)}") from error
    return data


def _say(data: bytes) -> None:
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError as error:
        raise SystemCallError(f"standard output: {words(error.errno or 0)}") from error


def _complain(message: str) -> None:
    os.write(2, os.fsencode(f"pagealloc: {message}\n"))
