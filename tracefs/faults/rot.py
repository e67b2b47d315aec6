"""Which bits of a file read wrong, as those of a rotten medium do: the same at each reading.

A page (4096 bytes) that is read has a given number of wrong bits, at places that follow from the
seed, the file and the page alone. So a page that is read again is wrong in the same way, be it in
one piece or in several, and two runs with one seed rot alike. Writing does not heal it.
"""

from random import Random
from typing import Final

PAGE: Final = 4096
"""Bytes that have so many wrong bits."""


def rotten(data: bytes, *, offset: int, end: int, bits: int, seed: int, name: str) -> bytes:
    """Return *data* with its wrong bits.

    Args:
        data: what the file has at *offset*.
        offset: in bytes.
        end: size of the file; of the last page only the bytes before it rot.
        bits: that are wrong in each page; a page that has fewer is wrong altogether.
        seed: of the rule.
        name: of the file, as it is told from others in every run alike: its path.
    """
    wrong = bytearray(data)
    stop = offset + len(data)
    for page in range(offset // PAGE, -(-stop // PAGE)):
        start = page * PAGE
        for bit in _places(max(min(end - start, PAGE), 0), bits, f"{seed}:{page}:{name}"):
            at = start + bit // 8 - offset
            if 0 <= at < len(wrong):
                wrong[at] ^= 1 << bit % 8
    return bytes(wrong)


def _places(size: int, bits: int, seed: str) -> list[int]:
    # A text as seed is hashed the same way in every process (random.seed, version 2).
    return Random(seed).sample(range(size * 8), min(bits, size * 8))  # noqa: S311  # no secret
