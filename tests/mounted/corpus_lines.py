"""What a program of the corpus says of itself, and what was seen of it, in the same few words.

A program states its calls on the files of its working directory in comments, in strace's spelling
with files for descriptors and lengths for bytes::

    EXPECT lseek(f, 4096, SEEK_SET) = 4096
    EXPECT[child] write(f, 512) = 512 @4096
    EXPECT[worker 0-63] pwrite64(f, 512, {512*i}) = 512
    EXPECT dup2(f) = ok -- unknown: result: not visible at the entry

The name in brackets is the thread's, ``main`` without; ``ring`` is whatever the kernel does for an
asynchronous call. ``@`` is the offset that the call itself doesn't say, ``?`` stands for what the
program doesn't decide, as in a race, and ``50*`` before calls with ``;`` between them says how
often they come in a row. ``closes f by execve`` is a file that is closed without a close.
``PERHAPS-UNKNOWN LEVEL: REASON`` allows any call to be unknown for that reason.
After ``--`` stands what tracefs can't tell, all of it: ``unknown: FIELD: REASON`` or ``unheard``,
with the level before the colon where only one can't.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Final

from tracefs.report.strace import error_name
from tracefs.trace import Call

RING: Final = "ring"
"""Whatever the kernel does for an asynchronous call, in a thread of its choice."""
_EXPECT: Final = re.compile(
    r"EXPECT(?:\[(?P<thread>[a-z ]+?)(?: (?P<first>\d+)-(?P<last>\d+))?\])?"
    r"(?: (?P<times>\d+)\*)? (?P<call>.*?)(?: -- (?P<limit>.*?))?(?: \*/)?$"
)
_PERHAPS: Final = re.compile(r"PERHAPS-UNKNOWN (\w+): (.*?)(?: \*/)?$", re.MULTILINE)
_CALL: Final = re.compile(r"(\w+)\((.*)\) = (\S+)(?: @(\S+))?$")
_NUMBERED: Final = re.compile(r"\{(?:(\d+)\*)?i(?:\+(\d+))?\}")
_CLOSING: Final = frozenset({"execve", "exit_group", "exit", "close_range", "dup2", "dup3"})

# What the arguments are, in order; "extra" takes all that are left.
SHAPES: Final[Mapping[str, tuple[str, ...]]] = {
    "openat": ("file", "extra"),
    "lseek": ("file", "offset", "extra"),
    "write": ("file", "length"),
    "pwrite64": ("file", "length", "offset"),
    "writev": ("file", "length"),
    "pwritev": ("file", "length", "offset"),
    "pwritev2": ("file", "length", "offset", "extra"),
    "sendfile": ("file", "length"),
    "splice": ("file", "length"),
    "copy_file_range": ("file", "length"),
    "fsync": ("file",),
    "fdatasync": ("file",),
    "msync": ("file", "length", "extra"),
    "sync": (),
    "syncfs": ("file",),
    "sync_file_range": ("file", "offset", "length", "extra"),
    "ftruncate": ("file", "length"),
    "fallocate": ("file", "extra", "offset", "length"),
    "mmap": ("file", "length", "offset"),
    "dup": ("file",),
    "dup2": ("file",),
    "dup3": ("file",),
    "fcntl": ("file", "extra"),
    "close": ("file",),
    "close_range": (),
    "rename": ("file", "extra"),
    "renameat": ("file", "extra"),
    "renameat2": ("file", "extra"),
    "unlink": ("file",),
    "unlinkat": ("file",),
    "mkdir": ("file",),
    "io_uring_setup": (),
    "io_submit": (),
}


@dataclass(frozen=True)
class Line:
    """One call; a field is None where it has none such, or where it isn't known."""

    name: str | None
    file: str | None = None
    offset: str | None = None
    length: str | None = None
    extra: str | None = None
    """Flags, sorted, or the new name."""
    result: str | None = None
    """A number, ``ok`` for a descriptor or an address, or ``-EINVAL``."""

    def __str__(self) -> str:
        shown = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "name"}
        inside = ", ".join(f"{key} {value}" for key, value in shown.items() if value is not None)
        return f"{self.name or 'unknown'}({inside})"


@dataclass(frozen=True)
class Expected:
    """A line of a program, and what tracefs may not know of it."""

    line: Line
    limits: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By level: the fields that are not known, and part of the reason."""
    unheard: frozenset[str] = frozenset()
    """Levels that see nothing of the call."""


@dataclass(frozen=True)
class Seen:
    """A line of a recording."""

    line: Line
    reason: str | None


@dataclass
class Tally:
    """How the calls of a recording compare with those of the program."""

    equal: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    """By call, field and reason."""
    unheard: int = 0
    missing: int = 0
    wrong: int = 0
    complaints: list[str] = field(default_factory=list)
    perhaps: frozenset[str] = frozenset()
    """Reasons for which any call may be unknown."""

    def complain(self, thread: str, text: str) -> None:
        self.wrong += 1
        self.complaints.append(f"[{thread}] {text}")


def program(source: Path) -> tuple[dict[str, list[Expected]], list[tuple[str, str]]]:
    """Return what each thread of a program does, and what else closes files: call and file."""
    threads: dict[str, list[Expected]] = {}
    closings = []
    for text in source.read_text().splitlines():
        found = _EXPECT.search(text)
        if found is None:
            assert "EXPECT" not in text, text
            continue
        if found["call"].startswith("closes "):
            _, file, _, by = found["call"].split()
            closings.extend([(by, file)] * int(found["times"] or 1))
            continue
        name = found["thread"] or "main"
        for number in range(int(found["first"] or 0), int(found["last"] or 0) + 1):
            thread = name if found["first"] is None else f"{name} {number}"
            group = [
                _expected(_numbered(call, number), found["limit"])
                for call in found["call"].split(" ; ")
            ]
            threads.setdefault(thread, []).extend(group * int(found["times"] or 1))
    assert threads, f"{source.name} says nothing of itself"
    return threads, closings


def perhaps(source: Path, level: str) -> frozenset[str]:
    """Return the reasons for which any call of a program may be unknown."""
    found = _PERHAPS.findall(source.read_text())
    return frozenset(reason for where, reason in found if where == level)


def _numbered(call: str, number: int) -> str:
    return _NUMBERED.sub(lambda m: str(int(m[1] or 1) * number + int(m[2] or 0)), call)


def _expected(call: str, limit: str | None) -> Expected:
    line = read(call)
    if limit is None:
        return Expected(line)
    words, _, rest = limit.partition(": ")
    kind, *level = words.split()
    levels = level or ["seccomp", "full"]
    if kind == "unheard":
        return Expected(line, unheard=frozenset(levels))
    assert kind == "unknown", limit
    which, _, reason = rest.partition(": ")
    assert reason, limit
    return Expected(line, limits=dict.fromkeys(levels, (which, reason)))


def read(text: str) -> Line:
    """Return the line that *text* spells."""
    found = _CALL.match(text)
    assert found is not None, text
    name, inside, result, at = found.groups()
    return line(name, inside.split(", ") if inside else [], result, at)


def of_runtime(source: Path, line: Line) -> bool:
    """Tell whether a language's runtime made a call of its own.

    Go's tries whether epoll takes a file and sets O_NONBLOCK for that; a FUSE file is taken, a file
    of most other filesystems isn't, and gets its flags back by one more call.
    """
    flags = (line.extra or "").split("|")
    return source.suffix == ".go" and line.name == "fcntl" and "F_SETFL" in flags


def line(name: str, words: Sequence[str], result: str, at: str | None = None) -> Line:
    """Return the line of a call whose arguments are *words*, in the order of `SHAPES`."""
    shape = SHAPES[name]
    named: dict[str, str | None] = dict(zip(shape, words, strict=False))
    if "extra" in shape:
        rest = words[shape.index("extra") :] if shape[-1] == "extra" else [named["extra"] or ""]
        named["extra"] = sort_flags("|".join(rest))
    if at is not None:
        named["offset"] = at
    length = named.get("length") or ""
    if length.isdigit() and int(length) >= 1 << 63:
        named["length"] = str(int(length) - (1 << 64))
    return Line(name, result=result, **named)


def sort_flags(text: str) -> str | None:
    """Return flags in one order, without those that say nothing."""
    silent = {"0", "", "O_LARGEFILE"}
    return "|".join(sorted(set(text.split("|")) - silent)) or None


def without_offset(line: Line) -> Line:
    """Return what of a line strace shows: not where a write without an offset goes."""
    return (
        line if line.name is None or "offset" in SHAPES[line.name] else replace(line, offset=None)
    )


def of_call(call: Call) -> Seen:
    """Return a call of a trace as a line."""
    name = None if call.call == "unknown" else call.call
    if call.errno:
        result: str | None = f"-{error_name(call.errno)}"
    elif call.family == "open" and call.reason is None:
        result = "ok"
    else:
        result = _text(call.result)
    extra = sort_flags("|".join(call.flags))
    if call.family == "rename":
        extra = sort_flags("|".join((call.target or "?", *call.flags)))
    return Seen(
        Line(
            name,
            file=call.path,
            offset=_text(call.offset),
            length=_text(call.length),
            extra=extra,
            result=result,
        ),
        call.reason,
    )


def closing(call: Call) -> tuple[str, str] | None:
    """Return what closed a file, and which, if the program didn't say so by a close."""
    if call.family == "close" and call.call in _CLOSING:
        return call.call, call.path or "?"
    return None


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def assign(
    threads: Mapping[str, Sequence[Line]], found: Mapping[int, Sequence[Line]]
) -> dict[str, int]:
    """Return which thread id belongs to which of the program's threads: what they do decides."""
    left = dict(found)
    chosen = {}
    for name, lines in sorted(threads.items(), key=lambda item: -len(item[1])):
        if not left:
            break
        best = max(left, key=lambda tid: _likeness(lines, left[tid]))
        chosen[name] = best
        del left[best]
    return chosen


def _likeness(lines: Sequence[Line], others: Sequence[Line]) -> int:
    alike = sum(
        (a.name == b.name) + (a.file == b.file) + (a.offset == b.offset) + (a.length == b.length)
        for a, b in zip(lines, others, strict=False)
    )
    return alike - 4 * abs(len(lines) - len(others))


def compare(source: Path, level: str, calls: Iterable[Call]) -> Tally:
    """Compare the calls of a recording, made by *level*, with what the program in *source* says."""
    threads, _ = program(source)
    tally = Tally(perhaps=perhaps(source, level))
    found: dict[int, list[Seen]] = {}
    rings: list[Seen] = []
    ringing = RING in threads
    for call in calls:
        seen = of_call(call)
        if closing(call) or (call.call == "mmap" and call.family == "write"):
            continue
        if call.call != "unknown" and call.call not in SHAPES:
            tally.complain(f"thread {call.tid}", f"not among what is compared: {call.call}")
            continue
        if of_runtime(source, seen.line):
            continue
        if ringing and call.call == "unknown":
            rings.append(seen)
        else:
            found.setdefault(call.tid or 0, []).append(seen)
    heard = {
        name: [item for item in expected if level not in item.unheard]
        for name, expected in threads.items()
    }
    tally.unheard = sum(map(len, threads.values())) - sum(map(len, heard.values()))
    if ringing:
        _compare_ring(tally, level, heard.pop(RING), rings)
    heard = {name: expected for name, expected in heard.items() if expected}
    tids = assign(
        {name: [item.line for item in expected] for name, expected in heard.items()},
        {tid: [item.line for item in seen] for tid, seen in found.items()},
    )
    for name, expected in heard.items():
        _compare_thread(tally, level, name, expected, found.pop(tids.get(name, -1), []))
    for tid, others in found.items():
        for other in others:
            tally.complain(f"thread {tid}", f"invented: {other.line}")
    return tally


def _compare_ring(
    tally: Tally, level: str, expected: Sequence[Expected], seen: Sequence[Seen]
) -> None:
    """Compare what has no thread of its own and no order."""
    left = list(seen)
    for item in expected:
        match = next((s for s in left if _differing(item.line, s) == {"name": False}), None)
        parts = _parts(item.line, left) if match is None else []
        if parts:
            # The kernel cut it, and nobody can say that the parts belong together.
            left = [one for one in left if one not in parts]
            tally.unknown[f"{item.line.name}: in {len(parts)} parts: {parts[0].reason}"] += 1
            continue
        if match is None:
            tally.missing += 1
            tally.complaints.append(f"[ring] missing: {item.line}")
            continue
        left.remove(match)
        _judge(tally, level, RING, item, match)
    for other in left:
        tally.complain(RING, f"invented: {other.line} ({other.reason})")


def _parts(expected: Line, seen: Sequence[Seen]) -> list[Seen]:
    """Return the unknown requests that make up a write one behind the other; none: they don't."""
    if expected.offset is None or expected.length is None:
        return []
    parts, at, end = [], int(expected.offset), int(expected.offset) + int(expected.length)
    for other in seen:
        line = other.line
        if line.name is None and line.file == expected.file and line.offset == str(at):
            parts.append(other)
            at += int(line.result or 0)
    return parts if at == end else []


def _compare_thread(
    tally: Tally, level: str, name: str, expected: Sequence[Expected], seen: Sequence[Seen]
) -> None:
    if len(expected) != len(seen):
        tally.missing += max(0, len(expected) - len(seen))
        both = zip(expected, seen, strict=False)
        first = next(
            (n for n, (e, s) in enumerate(both) if _wrong(e.line, s)), min(len(expected), len(seen))
        )
        tally.complain(
            name,
            f"{len(expected)} calls are expected and {len(seen)} seen; from {first}: expected "
            f"{[str(e.line) for e in expected[first : first + 3]]}, seen "
            f"{[f'{s.line} {s.reason}' for s in seen[first : first + 3]]}",
        )
        return
    for item, other in zip(expected, seen, strict=True):
        _judge(tally, level, name, item, other)


def _judge(tally: Tally, level: str, thread: str, expected: Expected, seen: Seen) -> None:
    differing = _differing(expected.line, seen)
    limit = expected.limits.get(level)
    both = f"expected {expected.line}, seen {seen.line} ({seen.reason})"
    if any(differing.values()):
        tally.complain(thread, both)
    elif limit is None and set(differing) <= {"name", "length"} and seen.reason in tally.perhaps:
        tally.unknown[f"{expected.line.name}: {seen.reason}"] += 1
    elif limit is None and differing:
        tally.complain(thread, f"{both}: nothing says that it may be unknown")
    elif limit is None:
        tally.equal += 1
    elif ",".join(sorted(differing)) != limit[0] or limit[1] not in (seen.reason or ""):
        tally.complain(thread, f"{both}: {limit} is said to be unknown")
    else:
        tally.unknown[f"{expected.line.name}: {limit[0]}: {limit[1]}"] += 1


def _wrong(expected: Line, seen: Seen) -> bool:
    return any(_differing(expected, seen).values())


def _differing(expected: Line, seen: Seen) -> dict[str, bool]:
    """Return which fields differ: True where that is wrong, False where it is not known."""
    differing = {}
    for part in fields(Line):
        wanted, got = getattr(expected, part.name), getattr(seen.line, part.name)
        if wanted in {got, "?"} or (wanted is None and part.name in {"offset", "length"}):
            continue
        differing[part.name] = not (got is None and seen.reason is not None)
    return differing


def pairs(lines: Sequence[Line], others: Sequence[Line]) -> Iterator[tuple[Line, Line | None]]:
    """Yield each of *lines* with what stands at its place among *others*."""
    for number, item in enumerate(lines):
        yield item, others[number] if number < len(others) else None


def decided(line: Line, other: Line | None) -> Line:
    """Return *line* with what it leaves open as *other* has it."""
    if other is None:
        return line
    given = {f.name: getattr(other, f.name) for f in fields(Line) if getattr(line, f.name) == "?"}
    if other.name == "pwritev2" and other.offset == "-1":
        given["offset"] = "-1"  # the file position: strace doesn't show it
    return replace(line, **given)
