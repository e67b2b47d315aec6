"""Calls of 32-bit programs in the words of the machine."""

import pytest

from tracefs.syscalls import numbers
from tracefs.witness.bpf import ARCHITECTURES, I386, X32_BIT
from tracefs.witness.foreign import Translator

NUMBERS = numbers("x86_64")
TRANSLATOR = Translator("x86_64")


@pytest.mark.parametrize(
    ("nr", "args", "name", "meant"),
    [
        (19, (3, 4096, 0, 9, 9, 9), "lseek", (3, 4096, 0)),
        (19, (3, 2**32 - 512, 1, 9, 9, 9), "lseek", (3, 2**64 - 512, 1)),
        (19, (3, 2**64 - 96, 1, 9, 9, 9), "lseek", (3, 2**64 - 96, 1)),
        (140, (3, 2**64 - 1, 2**64 - 512, 0xFFFF, 1, 9), "lseek", (3, 2**64 - 512, 1)),
        (140, (3, 1, 5, 0xFFFF, 0, 9), "lseek", (3, 2**32 + 5, 0)),
        (192, (0, 4096, 3, 1, 3, 2), "mmap", (0, 4096, 3, 1, 3, 8192)),
        (181, (3, 0x1000, 4096, 5, 1, 9), "pwrite64", (3, 0x1000, 4096, 2**32 + 5)),
        (324, (3, 0, 1, 2, 3, 4), "fallocate", (3, 0, 1 + 2 * 2**32, 3 + 4 * 2**32)),
        (221, (3, 4, 0o2000, 0, 0, 0), "fcntl", (3, 4, 0o2000)),
        (6, (3, 0, 0, 0, 0, 0), "close", (3,)),
    ],
)
def test_a_call_of_an_i386_program(
    nr: int, args: tuple[int, ...], name: str, meant: tuple[int, ...]
) -> None:
    number, translated = TRANSLATOR.translate(I386, nr, args)
    assert number == NUMBERS[name]
    assert translated[: len(meant)] == meant


def test_a_call_of_an_x32_program() -> None:
    args = (3, 4096, 0, 0, 0, 0)
    number = NUMBERS["lseek"]
    assert TRANSLATOR.translate(ARCHITECTURES["x86_64"], number | X32_BIT, args) == (number, args)


def test_a_call_of_an_unknown_architecture_has_no_number() -> None:
    assert TRANSLATOR.translate(0x12345678, 8, (1, 2, 3, 4, 5, 6)) == (-1, (1, 2, 3, 4, 5, 6))
