"""The location table of a Python function: which instruction is of which line.

The same in CPython 3.11 to 3.14 (Objects/locations.md, in 3.14 InternalDocs/code_objects.md).
"""

from tracefs.witness.varint import LOCATIONS, unsigned


def line_at(table: bytes, first: int, offset: int) -> int | None:
    """Return the line of the instruction at *offset* bytes; None: it has none.

    *first* is the function's first line.
    """
    line, at, begin = first, 0, 0
    while at < len(table):
        kind, length = table[at] >> 3 & 15, 2 * ((table[at] & 7) + 1)
        at += 1
        if kind == 14:  # line, end line, column, end column
            delta, at = _signed(table, at)
            line += delta
            for _ in range(3):
                _, at = unsigned(table, at, LOCATIONS)
        elif kind == 13:  # line alone
            delta, at = _signed(table, at)
            line += delta
        elif 10 <= kind <= 12:  # the same line, the next, the one after; two columns
            line += kind - 10
            at += 2
        elif kind < 10:  # columns in one byte
            at += 1
        if begin <= offset < begin + length:
            return None if kind == 15 else line
        begin += length
    return None


def _signed(table: bytes, at: int) -> tuple[int, int]:
    value, at = unsigned(table, at, LOCATIONS)
    return (-(value >> 1) if value & 1 else value >> 1), at
