"""The same bits of a file are wrong at each reading, however it is read."""

from hypothesis import given
from hypothesis import strategies as st

from tracefs.faults.rot import PAGE, rotten

CONTENTS = bytes(range(256)) * 64 + b"tail"

# A change here makes earlier seeds rot otherwise. By
# python3 -c 'import random; print(sorted(random.Random("7:0:f").sample(range(32768), 2)))'
PLACES = [6658, 32762]


def read(
    offset: int, size: int, *, bits: int = 3, seed: int = 7, name: str = "f", of: bytes = CONTENTS
) -> bytes:
    data = of[offset : offset + size]
    return rotten(data, offset=offset, end=len(of), bits=bits, seed=seed, name=name)


def wrong_bits(one: bytes, other: bytes) -> int:
    assert len(one) == len(other)
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


@given(st.integers(0, 64), st.integers())
def test_each_page_has_as_many_wrong_bits_as_asked_for(bits: int, seed: int) -> None:
    got = read(0, len(CONTENTS), bits=bits, seed=seed)
    for at in range(0, len(CONTENTS), PAGE):
        page = slice(at, at + PAGE)
        # "tail" has 32 bits and no more.
        assert wrong_bits(got[page], CONTENTS[page]) == min(bits, len(CONTENTS[page]) * 8)


@given(st.lists(st.integers(0, len(CONTENTS)), max_size=6), st.integers())
def test_pieces_are_as_wrong_as_the_whole(cuts: list[int], seed: int) -> None:
    whole = read(0, len(CONTENTS), seed=seed)
    ends = [*sorted(cuts), len(CONTENTS)]
    begins = [0, *ends[:-1]]
    pieces = [read(a, b - a, seed=seed) for a, b in zip(begins, ends, strict=True)]
    assert b"".join(pieces) == whole


def test_seeds_files_and_pages_differ() -> None:
    even = bytes(4 * PAGE)
    rots = [read(0, len(even), of=even), read(0, len(even), of=even, seed=8)]
    rots.append(read(0, len(even), of=even, name="g"))
    pages = {rot[at : at + PAGE] for rot in rots for at in range(0, len(even), PAGE)}
    assert len(pages) == 12


def test_the_bits_are_these_in_every_process() -> None:
    got = read(0, PAGE, bits=2)
    at = [8 * place + bit for place in range(PAGE) for bit in range(8)
          if (got[place] ^ CONTENTS[place]) >> bit & 1]  # fmt: skip
    assert at == PLACES


def test_nothing_read_is_nothing_wrong() -> None:
    assert read(len(CONTENTS), 10) == b""
    assert read(100, 0) == b""
