"""A seccomp filter as BPF: which calls a supervisor is notified of; all others pass.

The kernel remembers, for each call number, whether a filter lets it pass whatever its arguments
(``seccomp_cache_prepare`` in kernel/seccomp.c): such a call costs one look into a bitmap.
"""

import struct
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

# linux/bpf_common.h and linux/filter.h
_LOAD: Final = 0x20
_JUMP_EQUAL: Final = 0x15
_JUMP_AT_LEAST: Final = 0x35
_JUMP_SET: Final = 0x45
_RETURN: Final = 0x06
_INSTRUCTION: Final = struct.Struct("=HBBI")

# linux/seccomp.h
_ALLOW: Final = 0x7FFF0000
_NOTIFY: Final = 0x7FC00000
_NUMBER: Final = 0
_ARCHITECTURE: Final = 4
_ARGUMENTS: Final = 16

X32_BIT: Final = 0x40000000
"""Set in the numbers of x32 programs, whose architecture reads as x86_64 (asm/unistd.h)."""

# linux/audit.h
ARCHITECTURES: Final[Mapping[str, int]] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
I386: Final = 0x40000003


class Test(Struct, frozen=True):
    """A condition on one 32-bit half of an argument."""

    word: int
    """Which half: 2 * i is the low one of argument i, 2 * i + 1 the high one (little-endian)."""
    values: frozenset[int] = frozenset()
    """It is one of these; empty: not asked."""
    any_of: int = 0
    """At least one of these bits is set; 0: not asked."""
    none_of: int = 0
    """None of these bits is set."""

    def holds(self, args: tuple[int, ...]) -> bool:
        """Return whether it is met, as the filter would find."""
        word = args[self.word // 2] >> 32 * (self.word % 2) & 0xFFFFFFFF
        return (
            (not self.values or word in self.values)
            and (not self.any_of or bool(word & self.any_of))
            and not word & self.none_of
        )


class Rule(Struct, frozen=True):
    """When a call is notified."""

    tests: tuple[Test, ...] = ()
    notify: bool = True
    """Whether it is when all tests hold; when one does not, it is the other way round."""

    def holds(self, args: tuple[int, ...]) -> bool:
        """Return whether a call with these six arguments is notified, as the filter would find."""
        return all(test.holds(args) for test in self.tests) == self.notify


def assemble(machine: str, rules: Mapping[int, Rule], other: Iterable[int] | None) -> bytes:
    """Return the filter.

    Args:
        machine: ``uname -m`` of the kernel; a name in `ARCHITECTURES`.
        rules: by call number of that machine.
        other: numbers of i386 calls to notify; None: every call of any other architecture.
    """
    native = [_load(_NUMBER)]
    if machine == "x86_64":
        native += _if(_JUMP_AT_LEAST, X32_BIT, [_give(_NOTIFY)])
    for number, rule in sorted(rules.items()):
        native += _if(_JUMP_EQUAL, number, _conditions(rule))
    native.append(_give(_ALLOW))
    foreign = [_give(_NOTIFY)]
    if other is not None:
        foreign = [_load(_NUMBER)]
        for number in sorted(other):
            foreign += _if(_JUMP_EQUAL, number, [_give(_NOTIFY)])
        foreign.append(_give(_ALLOW))
        foreign = [*_if(_JUMP_EQUAL, I386, foreign), _give(_NOTIFY)]
    first = [_load(_ARCHITECTURE)]
    # A conditional jump reaches 255 instructions, the unconditional one in front of *foreign* all.
    first += [_jump(_JUMP_EQUAL, ARCHITECTURES[machine], 1, 0), _skip(len(native))]
    return b"".join([*first, *native, *foreign])


def _conditions(rule: Rule) -> list[bytes]:
    """Return code that ends in one return for "all tests hold" and one for "one does not"."""
    code = [_give(_NOTIFY if rule.notify else _ALLOW)]
    if rule.tests:
        code.append(_give(_ALLOW if rule.notify else _NOTIFY))
    for test in reversed(rule.tests):
        # Whatever comes behind, "one does not" is its last instruction.
        if test.none_of:
            code.insert(0, _jump(_JUMP_SET, test.none_of, len(code) - 1, 0))
        if test.any_of:
            code.insert(0, _jump(_JUMP_SET, test.any_of, 0, len(code) - 1))
        if test.values:
            last = len(code) - 1
            for place, value in enumerate(sorted(test.values)):
                code.insert(0, _jump(_JUMP_EQUAL, value, place, last if place == 0 else 0))
        code.insert(0, _load(_ARGUMENTS + 4 * test.word))
    return code


def _if(kind: int, value: int, body: list[bytes]) -> list[bytes]:
    """Run *body*, which ends in a return, if the comparison holds."""
    if len(body) > 0xFF:
        return [_jump(kind, value, 1, 0), _skip(len(body)), *body]
    return [_jump(kind, value, 0, len(body)), *body]


def _load(offset: int) -> bytes:
    return _INSTRUCTION.pack(_LOAD, 0, 0, offset)


def _jump(kind: int, value: int, yes: int, no: int) -> bytes:
    return _INSTRUCTION.pack(kind, yes, no, value)


def _skip(count: int) -> bytes:
    return _INSTRUCTION.pack(0x05, 0, 0, count)


def _give(result: int) -> bytes:
    return _INSTRUCTION.pack(_RETURN, 0, 0, result)
