"""The arguments and the result of one call, as strace prints them.

Strings and the paths beside descriptors are escaped as in C (``string_quote`` in strace's
``src/util.c``); a path beside a descriptor has no raw ``<`` or ``>``.
"""

import re
from errno import errorcode
from typing import Final, NamedTuple

from tracefs.events import PRETENDED, Injected

_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"(?:\.\.\.)?'
    r"|(?<=[0-9D/])<(?:->|[^<>]|<[^<>]*>)*>"
    r"|/\*[^*]{0,200}\*/|[(\[{]|[)\]}]|,"
)
_RESULT: Final = re.compile(r"\s*= (.*)$")
_FAULT: Final = r"(?: \((?:INJECTED|DELAYED)[^()]{0,40}\))"
_ENDING: Final = re.compile(
    rf"(?P<before>{_FAULT}*)(?: <(?P<s>\d{{1,12}})\.(?P<part>\d{{1,9}})>)?(?P<behind>{_FAULT}*)$"
)
"""print_injected_note in strace's ``src/syscall.c``."""
_FAILED: Final = re.compile(r"-1 (E[A-Z0-9]+)\b")
_NUMBER: Final = re.compile(r"-?(?:0x[0-9a-f]{1,16}|\d{1,20})")
_DESCRIPTOR: Final = re.compile(
    r"(-?\d{1,10}|AT_FDCWD)(?: /\* AT_FDCWD \*/)?"
    r"(?:<((?:->|[^<>]|<[^<>]*>)*)>(\(deleted\))?)?(?: .*)?$"
)
_DEVICE: Final = re.compile(r"<[^<>]*>$")
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_NAMED: Final = {"t": 9, "n": 10, "r": 13, "v": 11, "f": 12, "a": 7, "b": 8, "e": 27}
_BY_NAME: Final = {name: number for number, name in errorcode.items()} | {
    "EWOULDBLOCK": 11,
    "ENOTSUP": 95,
}
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_LENGTH: Final = re.compile(r"iov_len=(\d{1,20})\b")
_POINTED: Final = re.compile(r"\[(-?\d{1,20})\]")
_DELETED: Final = b" (deleted)"
_FLAGS: Final = re.compile(r"[A-Z][A-Z0-9_]*(?:\|(?:[A-Z0-9_]+|0x[0-9a-f]+))*$")

AT_FDCWD: Final = -100


class Descriptor(NamedTuple):
    """A descriptor with what it is of."""

    number: int
    path: bytes | None
    """Absolute path; None: not told. Pipes, sockets and such have something without a slash."""
    deleted: bool


class Outcome(NamedTuple):
    """What a call returned."""

    text: str
    """As printed, without the duration."""
    value: int | None
    """None: it failed, or never returned."""
    errno: int
    took_ns: int | None
    injected: tuple[Injected, ...] = ()
    """What ``strace --inject`` made of it; strace doesn't print its rules."""

    @property
    def returned(self) -> bool:
        """It came to its end: it wasn't interrupted, to be begun again, nor cut off by an exit."""
        return self.value is not None or self.errno != 0


class UnreadableError(Exception):
    """What stands there is not what strace prints of this call."""


def split(text: str) -> tuple[list[str], Outcome]:
    """Return the arguments and the outcome in what follows a call's name and bracket.

    Raises:
        UnreadableError: it isn't whole.
    """
    found, end = _arguments(text)
    result = None if end is None else _RESULT.match(text, end)
    if result is None:
        raise UnreadableError
    return found, _outcome(result[1])


def begun(text: str) -> list[str]:
    """Return the arguments in the first part of a call, the last of which may be cut off."""
    return _arguments(text)[0]


def _arguments(text: str) -> tuple[list[str], int | None]:
    """Return the arguments, and where their closing bracket ends; None: it isn't there."""
    found: list[str] = []
    depth = start = 0
    end = None
    for token in _TOKEN.finditer(text):
        mark = text[token.start()]
        if mark in "([{":
            depth += 1
        elif mark == "," and not depth:
            found.append(text[start : token.start()].strip())
            start = token.end()
        elif mark in ")]}":
            if not depth:
                text = text[: token.start()]
                end = token.end() if mark == ")" else None
                break
            depth -= 1
    last = text[start:].strip()
    return [*found, last] if found or last else [], end


def _outcome(text: str) -> Outcome:
    ending = _ENDING.search(text)
    assert ending is not None  # each of its parts may be missing
    text = text[: ending.start()]
    took_ns = None
    if ending["s"] is not None:
        took_ns = int(ending["s"]) * 1_000_000_000 + int(ending["part"].ljust(9, "0"))
    notes = ending["before"] + ending["behind"]
    if text.startswith("?"):
        return Outcome(text, None, 0, took_ns)
    failed = _FAILED.match(text)
    if failed is not None:
        number = _BY_NAME.get(failed[1])
        if number is None:
            # ERESTARTSYS and such: the kernel begins the call again.
            return Outcome(text, None, 0, took_ns)
        return Outcome(text, None, number, took_ns, _injected(notes, "error"))
    value = _NUMBER.match(text)
    if value is None:
        raise UnreadableError
    return Outcome(text, int(value[0], 0), 0, took_ns, _injected(notes, PRETENDED))


def _injected(notes: str, kind: str) -> tuple[Injected, ...]:
    """Return the faults that *notes* behind a result tell of, one that made it being of *kind*."""
    if not notes:
        return ()
    # "INJECTED: args" changed what the call was given, and the call was made.
    made = "(INJECTED)" in notes or ", retval" in notes
    kinds = [kind] * made + ["delay"] * ("DELAYED" in notes)
    return tuple(Injected(rule="", kind=each) for each in kinds)


def number(word: str) -> int:
    """Return the integer *word*, as a signed 64-bit one; a comment may follow it.

    Raises:
        UnreadableError: it is none.
    """
    found = _NUMBER.match(word)
    if found is None or word[found.end() : found.end() + 1].strip():
        raise UnreadableError
    text = found[0]
    octal = text.lstrip("-").startswith("0") and text.lstrip("-").isdigit()
    try:
        value = int(text, 8 if octal else 0)
    except ValueError:
        raise UnreadableError from None
    return value - 2**64 if value >= 2**63 else value


def string(word: str) -> bytes | None:
    """Return the bytes of the quoted *word*; None: it isn't all there, or no string."""
    if len(word) < 2 or word[0] != '"' or word[-1] != '"':
        return None
    return unescape(word[1:-1])


def unescape(text: str) -> bytes:
    """Return the bytes that *text* stands for."""
    if "\\" not in text:
        return text.encode("latin-1", "replace")
    return _ESCAPE.sub(_character, text).encode("latin-1", "replace")


def _character(escape: re.Match[str]) -> str:
    text = escape[1]
    if text[0] == "x" and len(text) > 1:
        return chr(int(text[1:], 16))
    if text[0] in "01234567":
        return chr(int(text, 8) & 0xFF)
    return chr(_NAMED[text]) if text in _NAMED else text


def descriptor(word: str) -> Descriptor:
    """Return the descriptor *word*, ``3</tmp/a>(deleted)``.

    Raises:
        UnreadableError: it is none.
    """
    found = _DESCRIPTOR.match(word)
    if found is None:
        raise UnreadableError
    what = found[1]
    of = AT_FDCWD if what == "AT_FDCWD" else int(what)
    if found[2] is None:
        return Descriptor(of, None, deleted=False)
    path = unescape(_DEVICE.sub("", found[2]))
    deleted = found[3] is not None
    if path.endswith(_DELETED):  # before strace 5.8, and of a working directory
        path, deleted = path[: -len(_DELETED)], True
    return Descriptor(of, path, deleted)


def flags(word: str) -> tuple[str, ...]:
    """Return the names in ``O_RDWR|O_CREAT``, in their order.

    Raises:
        UnreadableError: it has numbers alone (-X raw).
    """
    if "/*" in word:  # -X verbose: 0x42 /* O_RDWR|O_CREAT */
        word = word.partition("/*")[2].rpartition("*/")[0].strip()
    if word == "0":
        return ()
    if not _FLAGS.match(word):
        raise UnreadableError
    return tuple(word.split("|"))


def vector_length(vector: str, count: str) -> int | None:
    """Return the sum of the lengths in a printed ``struct iovec`` array; None: it isn't whole."""
    lengths = _LENGTH.findall(_STRING.sub("", vector))
    return sum(map(int, lengths)) if len(lengths) == number(count) else None


def pointed(word: str) -> int | None:
    """Return the offset in ``[5]`` or ``[5] => [10]``; None for NULL.

    Raises:
        UnreadableError: it is neither.
    """
    if word == "NULL":
        return None
    found = _POINTED.match(word)
    if found is None:
        raise UnreadableError
    return int(found[1])
