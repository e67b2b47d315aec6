"""Notes of ELF files, well formed and not."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from tracefs.elfnotes import notes

NOTE = st.tuples(st.binary(max_size=9), st.integers(0, 2**32 - 1), st.binary(max_size=40))


def segment(*all_notes: tuple[bytes, int, bytes]) -> bytes:
    parts = []
    for name, kind, content in all_notes:
        parts.append(struct.pack("<III", len(name), len(content), kind))
        parts += [text + bytes(-len(text) % 4) for text in (name, content)]
    return b"".join(parts)


@given(st.lists(NOTE, max_size=5))
def test_each_is_found(all_notes: list[tuple[bytes, int, bytes]]) -> None:
    assert list(notes(segment(*all_notes))) == all_notes


@given(st.binary(max_size=200))
def test_any_bytes_come_to_an_end(raw: bytes) -> None:
    assert len(list(notes(raw))) <= len(raw) // 12
