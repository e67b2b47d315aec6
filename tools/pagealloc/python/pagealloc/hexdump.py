"""Bytes as xxd prints them: offset, eight groups of two bytes, text."""

_GROUPS_WIDTH = 40


def hexdump(data: bytes, offset: int) -> bytes:
    """Return the lines of *data*, which lies at *offset* (a multiple of 16) of its file."""
    rows = range(0, len(data), 16)
    return b"".join(_row(data[at : at + 16], offset + at) for at in rows)


def _row(row: bytes, offset: int) -> bytes:
    # Pairs are counted from the left, so that an odd last byte stands alone.
    groups = " ".join(row[at : at + 2].hex() for at in range(0, len(row), 2))
    text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
    return f"{offset:08x}: {groups:<{_GROUPS_WIDTH}} {text}\n".encode("ascii")
