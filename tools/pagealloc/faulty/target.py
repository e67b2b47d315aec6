"""What the faulty programs share: their arguments, and a page as it should be.

Everything that matters, the calls on the file, is spelled out in each program.
"""

import sys

PAGE_SIZE = 4096


def arguments() -> tuple[str, int]:
    """Return FILE and PAGE_NO (0 when not given) from the command line."""
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: {sys.argv[0]} FILE [PAGE_NO]")
    return sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 0


def full_page(payload: bytes) -> bytes:
    """Return a whole page in the layout of ``pagealloc``."""
    header = (0x4453453150414745).to_bytes(8, "little") + bytes(8)
    return (header + payload).ljust(PAGE_SIZE, b"\0")
