"""Calls of 32-bit programs in the words of the machine."""

import re
import subprocess

import pytest

from tracefs.syscalls import i386_names, numbers
from tracefs.witness.bpf import ARCHITECTURES, I386, X32_BIT
from tracefs.witness.foreign import Translator, untold
from tracefs.witness.levels import native_name

NUMBERS = numbers("x86_64")
TRANSLATOR = Translator("x86_64")


HIGH = 7 << 32
"""What the upper halves of registers hold is not looked at."""
BIG = 5 + (6 << 32)
"""5 and 6 are its halves."""
ALIKE = (3, 11, 12, 13, 14, 15)
"""Arguments of a call that takes none of 64 bits."""
SPLIT: dict[str, list[tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "lseek": [
        ((3, 4096, 0, 9, 9, 9), (3, 4096, 0)),
        ((3, 2**32 - 512, 1, 9, 9, 9), (3, 2**64 - 512, 1)),
        ((3, 2**64 - 96, 1, 9, 9, 9), (3, 2**64 - 96, 1)),
    ],
    "_llseek": [
        ((3, 2**64 - 1, 2**64 - 512, 0xFFFF, 1, 9), (3, 2**64 - 512, 1)),
        ((3, 6, 5, 0xFFFF, 0, 9), (3, BIG, 0)),
    ],
    "mmap2": [
        ((0, 4096, 3, 1, 3, 2), (0, 4096, 3, 1, 3, 8192)),
        ((0, 4096, 3, 1, 3, 2**31), (0, 4096, 3, 1, 3, 2**43)),
    ],
    "pwrite64": [((3, 11, 4096, 5, 6, 9), (3, 11, 4096, BIG))],
    "pwritev": [((3, 11, 2, 5, 6, 9), (3, 11, 2, BIG))],
    "pwritev2": [
        ((3, 11, 2, 5, 6, 4), (3, 11, 2, BIG, 0, 4)),
        ((3, 11, 2, 2**32 - 1, 2**32 - 1, 4), (3, 11, 2, 2**64 - 1, 0, 4)),
    ],
    "ftruncate": [((3, 4096, 9, 9, 9, 9), (3, 4096)), ((3, 2**32 - 1, 9, 9, 9, 9), (3, 2**64 - 1))],
    "ftruncate64": [((3, 5, 6, 9, 9, 9), (3, BIG)), ((3, 2**32 - 1, 0, 9, 9, 9), (3, 2**32 - 1))],
    "fallocate": [((3, 1, 5, 6, 7, 8), (3, 1, BIG, 7 + (8 << 32)))],
    "sync_file_range": [
        ((3, 4096, 0, 8192, 0, 2), (3, 4096, 8192, 2)),
        ((3, 5, 6, 7, 8, 4), (3, BIG, 7 + (8 << 32), 4)),
    ],
}
"""Calls with arguments of 64 bits, or of a long: as given, and as x86_64 has them.

arch/x86/kernel/sys_ia32.c, and COMPAT_SYSCALL_DEFINE in fs/.
"""
UNTOLD = {"old_mmap"}


@pytest.mark.parametrize("name", sorted(set(i386_names().values()) - UNTOLD))
def test_a_call_of_an_i386_program(name: str) -> None:
    (nr,) = [number for number, known in i386_names().items() if known == name]
    for given, meant in SPLIT.get(name, [(ALIKE, ALIKE)]):
        for args in (given, tuple(arg & 0xFFFFFFFF | HIGH for arg in given)):
            number, translated = TRANSLATOR.translate(I386, nr, args)
            assert number == NUMBERS[native_name(name)]
            assert translated[: len(meant)] == meant


def test_arguments_in_memory_are_not_told() -> None:
    assert TRANSLATOR.translate(I386, 90, ALIKE) == (-1, ALIKE)
    assert untold(I386, 90) == "old_mmap of a 32-bit program: its arguments are in memory"
    assert untold(0x12345678, 8) == "call 8 of another ABI (AUDIT_ARCH 0x12345678)"


def test_the_numbers_are_those_of_the_kernel() -> None:
    header = "#include <asm/unistd_32.h>\n"
    done = subprocess.run(
        ["gcc", "-E", "-dM", "-"], input=header, capture_output=True, text=True, check=True
    )
    known = dict(re.findall(r"#define __NR_(\w+) (\d+)", done.stdout))
    names = i386_names().values()
    kernel = {name: int(known["mmap" if name == "old_mmap" else name]) for name in names}
    assert kernel == {name: number for number, name in i386_names().items()}


def test_a_call_of_an_x32_program() -> None:
    args = (3, 4096, 0, 0, 0, 0)
    number = NUMBERS["lseek"]
    assert TRANSLATOR.translate(ARCHITECTURES["x86_64"], number | X32_BIT, args) == (number, args)


def test_a_call_of_an_unknown_architecture_has_no_number() -> None:
    assert TRANSLATOR.translate(0x12345678, 8, (1, 2, 3, 4, 5, 6)) == (-1, (1, 2, 3, 4, 5, 6))


@pytest.mark.parametrize(("nr", "with_x32"), [(-1, True), (X32_BIT | 8, False), (8, False)])
def test_numbers_that_no_call_has(nr: int, with_x32: bool) -> None:
    own = ARCHITECTURES["x86_64"]
    none = nr != 8
    assert Translator("x86_64").is_none(own, nr) is none
    assert Translator("x86_64", x32=True).is_none(own, nr) is (none and with_x32)
    assert not Translator("x86_64").is_none(I386, nr)
