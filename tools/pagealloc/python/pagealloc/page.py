"""The layout of a page, and where it lies.

====== ====== ====================================================
offset bytes  meaning
====== ====== ====================================================
0      8      magic 0x4453453150414745, little-endian
8      8      zero
16     4080   payload, zero-padded; its length is not stored
====== ====== ====================================================
"""

from typing import Final

from pagealloc.errors import ArgumentError

PAGE_SIZE: Final = 4096
MAGIC: Final = 0x4453453150414745
HEADER: Final = MAGIC.to_bytes(8, "little") + bytes(8)
PAYLOAD_MAX: Final = PAGE_SIZE - len(HEADER)
LAST_PAGE_NO: Final = (2**63 - 1) // PAGE_SIZE - 1
"""The last page whose end, too, is an offset that a signed 64-bit number holds."""
PAGES_MAX: Final = LAST_PAGE_NO + 1


def check_page_no(page_no: int) -> None:
    """Accept the number of a page that a file can have.

    Raises:
        ArgumentError: The number is negative or over `LAST_PAGE_NO`.
    """
    _check(page_no, "page number", LAST_PAGE_NO)


def check_page_count(pages: int) -> None:
    """Accept a number of pages that a file can have.

    Raises:
        ArgumentError: The number is negative or over `PAGES_MAX`.
    """
    _check(pages, "page count", PAGES_MAX)


def _check(number: int, what: str, most: int) -> None:
    if number < 0:
        raise ArgumentError(f"{what} is negative: {number}")
    if number > most:
        raise ArgumentError(f"{what} is over {most}: {number}")


def build_page(payload: bytes) -> bytes:
    """Return the whole page that carries *payload*.

    Raises:
        ArgumentError: The payload is longer than `PAYLOAD_MAX`.
    """
    if len(payload) > PAYLOAD_MAX:
        raise ArgumentError(f"payload is over {PAYLOAD_MAX} bytes")
    return (HEADER + payload).ljust(PAGE_SIZE, b"\0")


def fault_of(page: bytes) -> str | None:
    """Return what is wrong with *page*, None when nothing is."""
    if len(page) != PAGE_SIZE:
        return f"short page: {len(page)} of {PAGE_SIZE} bytes"
    if page.startswith(HEADER):
        return None
    if not any(page):
        return "all zero: never written, or lost"
    magic = int.from_bytes(page[:8], "little")
    if magic != MAGIC:
        return f"wrong magic: 0x{magic:016x}, not 0x{MAGIC:016x}"
    return "bytes 8 to 15 are not zero"
