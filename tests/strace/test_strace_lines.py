"""One line taken apart, and the arguments of a call."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strace_samples import BODY, HEAD, TAIL

from tracefs.strace import words
from tracefs.strace.lines import Kind, joined, read

CALL = "fsync(3</d/a>) = 0"


@pytest.mark.parametrize(
    ("leader", "pid", "when"),
    [
        ("", None, None),
        ("12 ", 12, None),
        ("5     ", 5, None),
        ("[pid    12] ", 12, None),
        ("29231<python3> ", 29231, None),
        ("[pid 12<sh>] ", 12, None),
        ("01:00:02 ", None, 3_602_000_000_000),
        ("12 21:32:23.949656 ", 12, 77_543_949_656_000),
        ("12 1795728744.067942 ", 12, 1_795_728_744_067_942_000),
        ("1795728744.067942 ", None, 1_795_728_744_067_942_000),
        ("12      0.000232 ", 12, 232_000),
        ("     0.000232 ", None, 232_000),
        ("12 21:32:23 (+     0.000232) ", 12, 77_543_000_000_000),
        ("12 [ 257] ", 12, None),
        ("12 [00007fd2f436fad7] ", 12, None),
        ("12 [ 257] [????????????????] ", 12, None),
    ],
)
def test_who_and_when(leader: str, pid: int | None, when: int | None) -> None:
    line = read(leader + CALL)
    assert (line.kind, line.pid, line.when, line.name) == (Kind.CALL, pid, when, "fsync")
    assert line.text == "3</d/a>) = 0"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 write(3</d/a>, \"x\", 1 <unfinished ...>", Kind.BEGUN),
        ("1 <... write resumed>) = 1", Kind.RESUMED),
        ("1 execve(\"/bin/true\", [\"true\"], 0x7 /* 3 vars */ <pid changed to 2 ...>", Kind.BEGUN),
        ("1 +++ exited with 0 +++", Kind.EXIT),
        ("1 +++ killed by SIGKILL +++", Kind.EXIT),
        ("1 +++ killed by SIGSEGV (core dumped) +++", Kind.EXIT),
        ("1 +++ superseded by execve in pid 3 +++", Kind.SUPERSEDED),
        ("1 --- SIGCHLD {si_signo=SIGCHLD} ---", Kind.NOTHING),
        ("1 --- stopped by SIGSTOP ---", Kind.NOTHING),
        ("1 read(0<pipe:[3]>,  <detached ...>", Kind.DETACHED),
        ("1 ???( <unfinished ...>", Kind.NOTHING),
        ("1 <... ??? resumed>)                = ?", Kind.NOTHING),
        ("strace: Process 12 attached", Kind.NOTHING),
        ("strace: Process 12 detached", Kind.DETACHED),
        ("[ Process PID=12 runs in 32 bit mode. ]", Kind.NOTHING),
        (" > /usr/lib/libc.so.6(write+0x13) [0xf71b3]", Kind.NOTHING),
        (" | 00000  61 20 70 61 67 65                                a page           |",
         Kind.NOTHING),
        ("", Kind.NOTHING),
        ("hello, world", Kind.UNREADABLE),
        (") = 5", Kind.UNREADABLE),
    ],
)  # fmt: skip
def test_kinds(text: str, kind: Kind) -> None:
    assert read(text).kind is kind


@pytest.mark.parametrize("line", (HEAD + BODY + TAIL).splitlines())
def test_real_lines_are_readable(line: str) -> None:
    found = read(line)
    assert found.kind is not Kind.UNREADABLE
    if found.kind is Kind.CALL:
        words.split(found.text)


@given(st.text())
def test_any_text_is_some_line(text: str) -> None:
    read(text)


@given(st.text(st.characters(max_codepoint=255)))
def test_arguments_are_read_or_refused(text: str) -> None:
    for reads in (words.split, words.number, words.descriptor, words.flags, words.pointed):
        with contextlib.suppress(words.UnreadableError):
            reads(text)
    words.string(text)
    words.begun(text)


@pytest.mark.parametrize(
    "shape",
    [
        "{}",
        "{}</a>",
        "[{}]",
        "[pid {}] a(1) = 1",
        "a({}) = {}",
        "{}.{} a() = 0 <{}.{}>",
        "strace: Process {} attached",
        '3, [{{iov_base="", iov_len={}}}], 1',
    ],
)
def test_a_number_of_any_length_is_read_or_refused(shape: str) -> None:
    """Python converts no more than 4300 digits."""
    text = shape.replace("{}", "9" * 5000).replace("{{", "{").replace("}}", "}")
    test_any_text_is_some_line.hypothesis.inner_test(text)  # type: ignore[attr-defined]
    test_arguments_are_read_or_refused.hypothesis.inner_test(text)  # type: ignore[attr-defined]
    words.vector_length(text, "1")


def escaped(name: bytes, also: bytes = b"") -> str:
    """Spell bytes as strace does (string_quote in src/util.c): shortest octal escapes."""
    named = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
    found = ""
    for place, byte in enumerate(name):
        if byte in named:
            found += named[byte]
        elif 32 <= byte < 127 and byte not in also:
            found += chr(byte)
        else:
            digit_follows = name[place + 1 : place + 2].isdigit()
            found += f"\\{byte:03o}" if digit_follows else f"\\{byte:o}"
    return found


names = st.binary(min_size=1).map(lambda name: name.replace(b"\0", b"0"))


@given(names)
def test_a_quoted_string_is_its_bytes(name: bytes) -> None:
    word = f'"{escaped(name)}"'
    assert words.string(word) == name
    assert words.split(f"{word}, {word}, 1) = 0") == (
        [word, word, "1"],
        words.Outcome("0", 0, 0, None),
    )
    hexadecimal = "".join(f"\\x{byte:02x}" for byte in name)  # -xx
    assert words.string(f'"{hexadecimal}"') == name


@given(names)
def test_a_descriptor_has_its_path(name: bytes) -> None:
    path = b"/" + name.removesuffix(b" (deleted)")
    word = f"3<{escaped(path, b'<>')}>"
    if not path.endswith(b" (deleted)"):
        assert words.descriptor(word) == words.Descriptor(3, path, deleted=False)
    found, outcome = words.split(f"{word}(deleted), {word}) = {word}")
    assert words.descriptor(found[0]).path == path
    assert words.descriptor(found[0]).deleted
    assert (words.descriptor(outcome.text).path, outcome.value) == (path, 3)


@pytest.mark.parametrize(
    ("text", "value", "errno", "took"),
    [
        ("0", 0, 0, None),
        ("-1 ENOSPC (No space left on device) <0.000012>", None, 28, 12_000),
        ("? ERESTARTSYS (To be restarted if SA_RESTART is set)", None, 0, None),
        ("-1 ERESTARTSYS (To be restarted)", None, 0, None),
        ("?", None, 0, None),
        ("0x7f15 <0.000000123>", 0x7F15, 0, 123),
        ("1 (INJECTED)", 1, 0, None),
        ("2048 <0.000031> (INJECTED)", 2048, 0, 31_000),
        ("0x8002 (flags O_RDWR|O_LARGEFILE)", 0x8002, 0, None),
    ],
)
def test_outcomes(text: str, value: int | None, errno: int, took: int | None) -> None:
    _, outcome = words.split(f"3) = {text}")
    assert (outcome.value, outcome.errno, outcome.took_ns) == (value, errno, took)


@pytest.mark.parametrize(
    ("text", "kinds", "took"),
    [
        ("-1 EIO (Input/output error) (INJECTED)", ["error"], None),
        (
            "-1 EIO (Input/output error) (INJECTED) (DELAYED) <0.000214>",
            ["error", "delay"],
            214_000,
        ),
        ("3 (INJECTED)", ["retval"], None),
        ("3 (INJECTED: args, retval)", ["retval"], None),
        ("3 (INJECTED: args)", [], None),
        ("3 (DELAYED) <0.000028>", ["delay"], 28_000),
        ("3</tmp/a (INJECTED)> <0.000028>", [], 28_000),
        ("3", [], None),
    ],
)
def test_what_strace_injected(text: str, kinds: list[str], took: int | None) -> None:
    _, outcome = words.split(f"3) = {text}")
    assert [one.kind for one in outcome.injected] == kinds
    assert outcome.took_ns == took


@pytest.mark.parametrize(
    ("vector", "count", "length"),
    [
        ('[{iov_base="iov_len=9", iov_len=9}]', "1", 9),
        ('[{iov_base="ab", iov_len=2}, {iov_base=""..., iov_len=40}]', "2", 42),
        ('[{iov_base="ab", iov_len=2}, ...]', "2", None),
        ("0x8", "2", None),
        ("[]", "0", 0),
    ],
)
def test_lengths_of_vectors(vector: str, count: str, length: int | None) -> None:
    assert words.vector_length(vector, count) == length


def test_what_strace_says_in_the_middle_of_a_line() -> None:
    lines = [
        "futex(0x1, FUTEX_WAITstrace: Process 9 attached\n",
        " <unfinished ...>\n",
        "[pid 9] x\n",
    ]
    assert list(joined(lines)) == ["\n", "futex(0x1, FUTEX_WAIT <unfinished ...>\n", "[pid 9] x\n"]
