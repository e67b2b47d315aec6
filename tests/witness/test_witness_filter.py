"""The filter, run by a small BPF machine of the test's own: what is notified, what passes."""

import struct
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.syscalls import i386_names, numbers
from tracefs.witness.bpf import ARCHITECTURES, I386, X32_BIT
from tracefs.witness.level_names import FULL, LEVELS, SECCOMP
from tracefs.witness.levels import filter_code, notified, notifies

ALLOW: Final = 0x7FFF0000
NOTIFY: Final = 0x7FC00000
X86_64: Final = ARCHITECTURES["x86_64"]
NUMBERS: Final = numbers("x86_64")
WORDS: Final = st.integers(0, 2**64 - 1)


def run(code: bytes, architecture: int, nr: int, args: tuple[int, ...]) -> int:
    """Interpret classic BPF (bpf(4) of BSD, linux/bpf_common.h) over a struct seccomp_data."""
    data = struct.pack("=IIQ6Q", nr, architecture, 0, *(args + (0,) * (6 - len(args))))
    program = list(struct.iter_unpack("=HBBI", code))
    at = accumulator = 0
    while True:
        kind, yes, no, value = program[at]
        at += 1
        if kind == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif kind == 0x05:  # BPF_JMP | BPF_JA
            at += value
        elif kind == 0x06:  # BPF_RET | BPF_K
            return int(value)
        else:
            holds = {
                0x15: accumulator == value,  # BPF_JEQ
                0x35: accumulator >= value,  # BPF_JGE
                0x45: bool(accumulator & value),  # BPF_JSET
            }[kind]
            at += yes if holds else no


def answer(name: str, *args: int, level: str = SECCOMP) -> int:
    return run(filter_code("x86_64", notified(level)), X86_64, NUMBERS[name], args)


@pytest.mark.parametrize("level", LEVELS)
@given(nr=st.integers(0, 600), args=st.tuples(*[WORDS] * 6))
def test_only_the_calls_of_a_level_are_notified(level: str, nr: int, args: tuple[int, ...]) -> None:
    names = notified(level)
    got = run(filter_code("x86_64", names), X86_64, nr, args)
    if nr not in {NUMBERS[name] for name in names}:
        assert got == ALLOW
    elif nr not in {NUMBERS[name] for name in ("lseek", "mmap", "fcntl")}:
        assert got == NOTIFY


@given(fd=WORDS, offset=WORDS, whence=st.sampled_from([0, 1, 2, 3, 4]), high=st.integers(0, 9))
def test_a_seek_passes_only_when_it_is_a_query(
    fd: int, offset: int, whence: int, high: int
) -> None:
    # The kernel takes whence as an unsigned int: the upper half of the register is not looked at.
    query = offset == 0 and whence == 1
    assert answer("lseek", fd, offset, whence + (high << 32)) == (ALLOW if query else NOTIFY)


@pytest.mark.parametrize("offset", [1, 2**32, 2**63, 2**64 - 1])
def test_a_relative_seek_is_no_query(offset: int) -> None:
    assert answer("lseek", 3, offset, 1) == NOTIFY
    assert answer("lseek", 3, 0, 1) == ALLOW


@pytest.mark.parametrize(
    ("prot", "flags", "wanted"),
    [
        (3, 0x01, NOTIFY),  # MAP_SHARED
        (2, 0x03, NOTIFY),  # MAP_SHARED_VALIDATE
        (3, 0x11, NOTIFY),  # with MAP_FIXED
        (1, 0x01, ALLOW),  # not writable
        (3, 0x02, ALLOW),  # MAP_PRIVATE
        (3, 0x21, ALLOW),  # MAP_ANONYMOUS
    ],
)
def test_a_mapping_is_notified_when_stores_reach_the_file(
    prot: int, flags: int, wanted: int
) -> None:
    assert answer("mmap", 0, 4096, prot, flags, 3, 0) == wanted


@pytest.mark.parametrize(("command", "wanted"), [(0, NOTIFY), (4, NOTIFY), (1030, NOTIFY)])
def test_fcntl_that_copies_or_sets_flags(command: int, wanted: int) -> None:
    assert answer("fcntl", 3, command, 0) == wanted


@given(st.integers(0, 2000).filter(lambda command: command not in {0, 4, 1030}))
def test_fcntl_that_does_neither_passes(command: int) -> None:
    assert answer("fcntl", 3, command, 0) == ALLOW


@given(
    name=st.sampled_from(sorted(NUMBERS)),
    args=st.tuples(*[st.one_of(WORDS, st.integers(0, 4), st.just(2**32))] * 6),
)
def test_the_conditions_are_those_of_the_filter(name: str, args: tuple[int, ...]) -> None:
    got = run(filter_code("x86_64", tuple(NUMBERS)), X86_64, NUMBERS[name], args)
    assert (got == NOTIFY) == notifies(name, args)


@given(nr=st.integers(0, 600))
def test_calls_of_32_bit_programs_go_by_their_own_table(nr: int) -> None:
    got = run(filter_code("x86_64", notified(FULL)), I386, nr, (0,) * 6)
    assert (got == NOTIFY) == (nr in i386_names())


@given(nr=st.integers(0, 600))
def test_calls_of_x32_programs_never_pass(nr: int) -> None:
    assert run(filter_code("x86_64", notified(SECCOMP)), X86_64, nr | X32_BIT, ()) == NOTIFY


@given(architecture=st.integers(0, 2**32 - 1), nr=st.integers(0, 600))
def test_calls_of_an_unknown_architecture_never_pass(architecture: int, nr: int) -> None:
    if architecture not in {X86_64, I386}:
        assert run(filter_code("x86_64", notified(SECCOMP)), architecture, nr, ()) == NOTIFY


def test_stacks_of_writes_have_them_notified() -> None:
    assert set(notified(SECCOMP, ("write", "lseek"))) - set(notified(SECCOMP)) == {"write"}


def test_what_no_seccomp_witness_watches_notifies_nothing() -> None:
    assert notified("proc") == notified("none", ("write",)) == ()
