"""The command: arguments in, one clear line and an exit code out.

Written by hand and not with argparse, since the same command exists in other languages: arguments
count by position alone, so TEXT may begin with a dash, and messages are the same everywhere.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from pagealloc.arguments import page_count, page_number, seed, thread_count
from pagealloc.descriptor import place
from pagealloc.errors import ArgumentError, ContentError, PageError, SystemCallError, words
from pagealloc.filling import fill_pages
from pagealloc.hexdump import hexdump
from pagealloc.page import PAGE_SIZE, PAYLOAD_MAX, fault_of
from pagealloc.store import raw_pages, read_page, read_raw, write_page

HELP: Final = f"""\
usage: pagealloc write [--sync-dir] FILE PAGE_NO TEXT   write TEXT into a page and sync it
       pagealloc write [--sync-dir] FILE PAGE_NO -      the same from standard input
       pagealloc read FILE PAGE_NO                      print a page's payload
       pagealloc hexdump FILE [PAGE_NO]                 print file or page as xxd does
       pagealloc verify FILE                            check every page
       pagealloc fill FILE PAGES [--threads N] [--seed S]   write pages 0 to PAGES-1
       pagealloc --help                                 print this

A page has {PAGE_SIZE} bytes, of which {PAYLOAD_MAX} are payload. --sync-dir also makes the file's
name durable. fill lets N threads (1) write pages made from seed S (0).

exit codes: 0 done
            1 the file does not hold what it should
            2 wrong arguments; nothing was touched
            3 the system refused; the file has its old size
            4 the sync failed; the page may not be on the disk
"""

_HINT: Final = "(see pagealloc --help)"
_SYNC_DIR: Final = "--sync-dir"


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
    command, fits, wanted = _COMMANDS[name]
    if not fits(rest):
        raise ArgumentError(f"{name} takes {wanted} {_HINT}")
    command(*rest)


def _fits_write(given: Sequence[str]) -> bool:
    return len(given) == (4 if given[:1] == [_SYNC_DIR] else 3)


def _fits_fill(given: Sequence[str]) -> bool:
    options = given[2::2]
    return (
        len(given) >= 2
        and len(given) % 2 == 0
        and len(set(options)) == len(options)
        and set(options) <= {"--threads", "--seed"}
    )


def _write(*given: str) -> None:
    file, number, text = given[-3:]
    page_no = page_number(number)
    data = _standard_input() if text == "-" else os.fsencode(text)
    write_page(file, page_no, data, sync_dir=len(given) > 3)


def _fill(file: str, count: str, *given: str) -> None:
    options = dict(zip(given[::2], given[1::2], strict=True))
    fill_pages(
        file,
        page_count(count),
        threads=thread_count(options.get("--threads", "1")),
        seed=seed(options.get("--seed", "0")),
    )


def _read(file: str, number: str) -> None:
    _say(read_page(file, page_number(number)).rstrip(b"\0"))


def _hexdump(file: str, number: str | None = None) -> None:
    if number is not None:
        page_no = page_number(number)
        _say(hexdump(read_raw(file, page_no), page_no * PAGE_SIZE))
        return
    for page_no, raw in enumerate(raw_pages(file)):
        _say(hexdump(raw, page_no * PAGE_SIZE))


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


_COMMANDS: Final[dict[str, tuple[Callable[..., None], Callable[[list[str]], bool], str]]] = {
    "write": (_write, _fits_write, "FILE PAGE_NO TEXT"),
    "read": (_read, lambda given: len(given) == 2, "FILE PAGE_NO"),
    "hexdump": (_hexdump, lambda given: len(given) in (1, 2), "FILE [PAGE_NO]"),
    "verify": (_verify, lambda given: len(given) == 1, "FILE"),
    "fill": (_fill, _fits_fill, "FILE PAGES [--threads N] [--seed S]"),
}


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
    with suppress(OSError):  # nobody is left to be told
        os.write(2, os.fsencode(f"pagealloc: {message}\n"))
