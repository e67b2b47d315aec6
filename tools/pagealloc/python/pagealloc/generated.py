"""The pages that ``fill`` writes: made from a seed and the page number alone.

The payload of page p is 510 numbers of 64 bits, little-endian, out of the generator splitmix64
(Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014), whose state
begins at seed + p times its increment.
"""

import struct
from typing import Final

from pagealloc.page import PAYLOAD_MAX, build_page

SEED_MAX: Final = 2**64 - 1
_INCREMENT: Final = 0x9E3779B97F4A7C15
_NUMBERS: Final = struct.Struct(f"<{PAYLOAD_MAX // 8}Q")


def generated_page(seed: int, page_no: int) -> bytes:
    """Return the whole page *page_no* that *seed* makes; both are taken modulo 2**64."""
    state = seed + page_no * _INCREMENT
    states = (state + at * _INCREMENT for at in range(1, PAYLOAD_MAX // 8 + 1))
    return build_page(_NUMBERS.pack(*map(_mixed, states)))


def _mixed(state: int) -> int:
    """Return splitmix64's output for *state*."""
    z = state & SEED_MAX
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & SEED_MAX
    z = (z ^ z >> 27) * 0x94D049BB133111EB & SEED_MAX
    return z ^ z >> 31
