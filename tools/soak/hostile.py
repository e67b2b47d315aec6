"""Journals that no honest tracefs wrote: real ones, damaged in every way that a line can be.

A real journal is the best start: what it holds reaches the code that joins, names and judges, where
random bytes end at the first line. The same seed gives the same journal.
"""

import hashlib
import json
import random
from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args

import msgspec

from tracefs.events import AnyEvent, Footer, Frame, Header, Sighting

_NUMBERS: Final = (
    0, -1, 1, 2, 7, 255, 4095, 4096, 2**31 - 1, 2**31, 2**32, 2**53, 2**62, 2**63 - 1, 2**63,
    2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**30, -(10**400),
)  # fmt: skip
_TEXTS: Final = (
    "", ".", "..", "/", "../../etc/passwd", "a\nb", "\r\x1b[2K\x1b]0;owned\x07", "\x9b31m", "\x00",
    "\u202egpj.exe", "\u2066\u2069", "\u2028", "\ud800", "\\x", "\\xzz", "\\", "<b>", "<>", '"',
    "a" * 70_000, "\U000e0041", "openat", "unknown", "-", "--help", "%s%n{0}",
    "<script>alert(1)</script>", "/dev/zero", "/proc/self/mem",
)  # fmt: skip
_OTHERS: Final[tuple[Any, ...]] = (
    None, True, False, 0.5, -1e308, [], [[]], {}, {"nr": 1}, [0] * 7, ["x"] * 3, [None],
    [-1, 2**70],
)  # fmt: skip
_KINDS: Final = (*get_args(AnyEvent), Header, Footer, Sighting, Frame)
_FIELDS: Final = sorted({field for kind in _KINDS for field in kind.__struct_fields__})
"""Of all lines; most are left out of a line where they have their default."""
_NESTED: Final = (b"[" * 100_000, b'{"type":' * 50_000, b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}")
_RAW: Final = (
    b"", b"\n", b"\0", b"\xff\xfe", b"{}", b"null", b"[]", b"0", b'"x"', b"}{", b"\xef\xbb\xbf",
    b'{"type":"footer"}', b'{"type":"lost"}', b"1" * 5000, b'{"type":"write","ino":1e999}',
)  # fmt: skip


def mutated(random_: random.Random, seeds: list[bytes]) -> bytes:
    """Return one of the journals *seeds*, damaged in a few places."""
    lines = random_.choice(seeds).splitlines()
    for _ in range(random_.choice((1, 1, 2, 3, 8, 30))):
        _damage(random_, lines)
    if random_.random() < 0.5:
        _sign(lines)
    data = b"\n".join(lines) + b"\n"
    if random_.random() < 0.15:
        data = _flipped(random_, data)
    if random_.random() < 0.1:
        data = data[: random_.randrange(len(data) + 1)]
    return data


def _damage(random_: random.Random, lines: list[bytes]) -> None:
    at = random_.randrange(len(lines)) if lines else 0
    kind = random_.random()
    if not lines or kind < 0.04:
        lines.insert(at, random_.choice(_RAW))
    elif kind < 0.06:
        lines.insert(at, random_.choice(_NESTED))
    elif kind < 0.12:
        del lines[at]
    elif kind < 0.18:
        lines.insert(random_.randrange(len(lines) + 1), lines[at])
    elif kind < 0.24:
        other = random_.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    else:
        lines[at] = _changed(random_, lines[at])


def _changed(random_: random.Random, line: bytes) -> bytes:
    """Return a line with another value in one of its fields, on whatever level."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return line
    if not isinstance(value, dict) or not value:
        return line
    place: Any = value
    key: Any = random_.choice(list(place))
    while isinstance(place[key], dict | list) and place[key] and random_.random() < 0.8:
        place = place[key]
        key = (
            random_.choice(list(place))
            if isinstance(place, dict)
            else random_.randrange(len(place))
        )
    how = random_.random()
    if how < 0.1 and isinstance(place, dict):
        del place[key]
    elif how < 0.2 and isinstance(place, dict):
        place[random_.choice(_FIELDS)] = _value(random_)
    else:
        place[key] = _like(random_, place[key])
    return _spelled(value)


def _like(random_: random.Random, old: Any) -> Any:
    """Return another value, mostly of the type that is wanted there: it goes further in."""
    if random_.random() < 0.15:
        return _value(random_)
    if isinstance(old, bool):
        return not old
    if isinstance(old, int):
        near = (old + 1, old - 1, -old, old << 32, random_.getrandbits(64), random_.randrange(600))
        return random_.choice((*_NUMBERS, *near))
    if isinstance(old, str):
        return random_.choice((*_TEXTS, old + random_.choice(_TEXTS)))
    if isinstance(old, list):
        return random_.choice(([], old * 2, old * 500, old[:1]))
    return _value(random_)


def _value(random_: random.Random) -> Any:
    return random_.choice((*_NUMBERS, *_TEXTS, *_OTHERS))


def _spelled(value: Any) -> bytes:
    # The standard library's spelling: msgspec refuses lone surrogates and numbers beyond 64 bits.
    return json.dumps(value, separators=(",", ":")).encode()


def _sign(lines: list[bytes]) -> None:
    """Let the last line be a footer that agrees with the rest."""
    if lines and b'"footer"' in lines[-1]:
        del lines[-1]
    digest = hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()
    events = sum(line.count(b"\n") + 1 for line in lines) - 1
    lines.append(
        _spelled({"type": "footer", "events": events, "sha256": digest, "end_ns": 9 * 10**18,
                  "reason": "unmounted"})
    )  # fmt: skip


def _flipped(random_: random.Random, data: bytes) -> bytes:
    raw = bytearray(data)
    for _ in range(random_.choice((1, 3, 20))):
        if raw:
            raw[random_.randrange(len(raw))] ^= 1 << random_.randrange(8)
    return bytes(raw)


def bombs(header: bytes, count: int) -> dict[str, Iterator[bytes]]:
    """Return the lines of journals of *count* events that make a reader remember all it can."""
    opens = [b'"path":"d/f%d","ino":%d,"fh":%d,"flags":2' % (i, i, i) for i in range(1, count)]

    def each(kind: bytes, fields: Iterable[bytes]) -> Iterator[bytes]:
        yield header
        for at, rest in enumerate(fields):
            times = b'"start_ns":%d,"end_ns":%d,"tid":%d' % (at, at, at + 1)
            yield b'{"type":"%s",%s,%s}' % (kind, times, rest)

    def opened_then(kind: bytes, fields: Iterable[bytes]) -> Iterator[bytes]:
        yield from each(b"open", opens)
        lines = each(kind, fields)
        next(lines)
        yield from lines

    def write(file: int, offset: int, size: int, asked: int) -> bytes:
        return (
            b'"ino":%d,"fh":%d,"offset":%d,"size":%d,"result":%d,'
            b'"seen":{"nr":18,"args":[3,0,%d,%d,0,0],"fd":3,"pid":1}'
            % (file, file, offset, size, size, asked, offset)
        )

    def notice(nr: int, number: int) -> bytes:
        return (
            b'"seen":{"nr":%d,"args":[3,0,1,0,0,0],"fd":3,"pid":%d,"position":0,"fd_ino":5},'
            b'"path":"a"' % (nr, number)
        )

    numbers = range(1, count)
    return {
        "opens": each(b"open", opens),
        "closes": opened_then(b"flush", (b'"ino":%d,"fh":%d' % (i, i) for i in numbers)),
        "names of one file": opened_then(
            b"link", (b'"ino":5,"path":"e%d","old":"d/f5"' % i for i in numbers)
        ),
        "pieces of writes": each(b"write", (write(i, 0, 4096, 8192) for i in numbers)),
        "files written": opened_then(b"write", (write(i, 0, 4096, 4096) for i in numbers)),
        "pages far apart": each(b"write", (write(1, i << 40, 4096, 4096) for i in numbers)),
        "seeks of threads": each(b"notice", (notice(8, i) for i in numbers)),
        "copies of descriptors": each(b"notice", (notice(32, i) for i in numbers)),
        "new directories": each(
            b"mkdir", (b'"path":"d%d","ino":%d,"mode":448' % (i, i) for i in numbers)
        ),
    }
