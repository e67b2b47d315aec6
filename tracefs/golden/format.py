r"""Golden traces as text: one call a line, made to be read, reviewed and committed.

::

    tracefs golden 1
    witness: seccomp
    page size: 4096

    T1 openat "pages.db" O_RDWR|O_CREAT|O_CLOEXEC created
    T1 pwrite64 "pages.db" offset=8192 length=4096 = 4096  # page 2

docs/reference/golden.md has the grammar. What stands behind ``  # `` is for people, and not read.
"""

import errno
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tracefs.errors import TracefsError
from tracefs.golden.entry import UNKNOWN, Entry, Golden
from tracefs.golden.names import usual_families
from tracefs.golden.normalise import renumbered
from tracefs.golden.temporary import escaped
from tracefs.pathtext import printable

VERSION: Final = 1
MAGIC: Final = "tracefs golden"
"""How each file begins."""
MAX_LINE: Final = 1 << 16
"""Characters; two names of 4096 bytes, each escaped, fit in."""

_NUMBER_BY_NAME: Final = {name: number for number, name in errno.errorcode.items()}
_FLAGS: Final = r"(?:[A-Z][A-Z0-9_]*|0x[0-9a-f]+)"
_TEXT: Final = r'"(?P<{0}>[^"\x00-\x1f]*)"'
_NUMBER: Final = "0|-?[1-9][0-9]{0,999}"
_LINE: Final = re.compile(
    r"T(?P<thread>\?|[1-9][0-9]{0,9})"
    r" (?P<call>[a-z_][a-z0-9_]*)(?:/(?P<family>[a-z]+))?(?P<guessed>\?)?"
    rf"(?: {_TEXT.format('path')}(?:#(?P<opened>[1-9][0-9]{{0,9}}))?)?"
    rf"(?: -> {_TEXT.format('target')})?"
    rf"(?: (?P<flags>{_FLAGS}(?:\|{_FLAGS})*))?"
    rf"(?: offset=(?P<offset>{_NUMBER}))?"
    rf"(?: length=(?P<length>{_NUMBER}))?"
    r"(?P<created> created)?"
    r"(?: synced=(?P<synced_by>[A-Z_]+))?"
    rf"(?: = (?:-1 (?P<errno>E[A-Z0-9]+|[1-9][0-9]{{0,9}})|(?P<result>{_NUMBER})))?"
    r"(?P<injected> injected)?"
)
_REMARK: Final = re.compile(r"(?:  # .*)? *")
_PARTS: Final = (
    ("thread", r"T(?:\?|[1-9][0-9]{0,9}) ", "a thread, T1, T2 … or T?, and a space"),
    ("call", r"[a-z_][a-z0-9_]*(?:/[a-z]+)?\??(?= |$)", "the name of a system call"),
)
_WITNESS: Final = re.compile("[a-z][a-z-]*")
_WORD: Final = re.compile("[a-z_][a-z0-9_]*")
_NUMBERS: Final = re.compile(r"\{[1-9][0-9]{0,9}\}")


class GoldenError(TracefsError):
    """A golden trace can't be read: which line of which file, and what was expected there."""


def is_golden(first: bytes) -> bool:
    """Tell whether a file that begins with *first* is meant to be a golden trace."""
    return first.startswith(MAGIC.encode())


def written(golden: Golden, remarks: Sequence[str] = ()) -> str:
    """Return the file for *golden*; *remarks* stand in it for people.

    Raises:
        ValueError: it is incomplete.
    """
    if golden.incomplete is not None:
        raise ValueError(f"an incomplete run is no golden trace: {golden.incomplete}")
    return "".join(f"{line}\n" for line in _lines(golden, remarks))


def _lines(golden: Golden, remarks: Sequence[str]) -> Iterator[str]:
    yield f"{MAGIC} {VERSION}"
    yield from (f"# {escaped(remark)}" for remark in remarks)
    yield f"witness: {golden.witness}"
    yield f"page size: {golden.page_size}"
    yield from (f'path: "{pattern}"' for pattern in golden.paths)
    if golden.only:
        yield f"only: {','.join(golden.only)}"
    yield ""
    for entry in golden.entries:
        remark = _pages(entry, golden.page_size)
        yield spelled(entry) + (f"  # {remark}" if remark else "")


def spelled(entry: Entry) -> str:
    """Return the line of *entry*, without a remark."""
    return f"T{entry.thread or '?'} {' '.join(_words(entry))}"


def _words(entry: Entry) -> Iterator[str]:
    usual = usual_families().get(entry.call)
    name = entry.call if entry.family == usual else f"{entry.call}/{entry.family}"
    yield f"{name}?" if entry.guessed else name
    if entry.path is not None:
        yield f'"{entry.path}"' + (f"#{entry.opened}" if entry.opened > 1 else "")
    if entry.target is not None:
        yield f'-> "{entry.target}"'
    if entry.flags:
        yield "|".join(entry.flags)
    if entry.offset is not None:
        yield f"offset={entry.offset}"
    if entry.length is not None:
        yield f"length={entry.length}"
    if entry.created:
        yield "created"
    if entry.synced_by is not None:
        yield f"synced={entry.synced_by}"
    yield from _outcome(entry)


def _outcome(entry: Entry) -> Iterator[str]:
    if entry.errno:
        yield f"= -1 {errno.errorcode.get(entry.errno, entry.errno)}"
    elif entry.result is not None:
        yield f"= {entry.result}"
    if entry.injected:
        yield "injected"


def _pages(entry: Entry, page_size: int) -> str:
    length = entry.result if entry.length is None else entry.length
    if entry.family != "write" or entry.offset is None or length is None or entry.offset < 0:
        return ""
    first, start = divmod(entry.offset, page_size)
    last = (entry.offset + max(length, 1) - 1) // page_size
    name = f"page {first}" if first == last else f"pages {first}-{last}"
    return f"{name} at +{start}" if start else name


def read(data: bytes, name: str) -> Golden:
    """Return the golden trace in *data*, which people know as *name*.

    Raises:
        GoldenError: it is none, or of another version.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _fault(name, line, "UTF-8", f"the byte 0x{data[error.start]:02x}") from None
    return _Reader(text, name).golden()


def _fault(name: str, line: int, expected: str, found: str) -> GoldenError:
    return GoldenError(
        f"{name}:{line}: expected {expected}; found {found}",
        repair="mend the line, or record it anew with tracefs record-golden --update",
    )


class _Reader:
    """One pass over a file's lines."""

    def __init__(self, text: str, name: str) -> None:
        self._lines = text.split("\n")
        self._name = name
        self._at = 0

    def golden(self) -> Golden:
        self._version()
        known: dict[str, Any] = {"paths": (), "only": ()}
        while self._at < len(self._lines) and self._lines[self._at]:
            line = self._lines[self._at]
            if not line.startswith("#"):
                self._head(line, known)
            self._at += 1
        for key in ("witness", "page_size"):
            if key not in known:
                self._fail(f"a line '{key.replace('_', ' ')}: …' before the first empty line")
        entries = []
        # An editor may add or take the last newline, and people leave empty lines.
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line and not line.startswith("#"):
                entries.append(self._entry(line))
            self._at += 1
        return Golden(entries=renumbered(entries), **known)

    def _fail(self, expected: str, found: str | None = None) -> None:
        if found is None:
            at_end = self._at >= len(self._lines)
            found = "the end of the file" if at_end else repr_short(self._lines[self._at])
        raise _fault(self._name, self._at + 1, expected, found)

    def _version(self) -> None:
        first = self._lines[0]
        head, _, version = first.rpartition(" ")
        if head != MAGIC or not re.fullmatch("[0-9]{1,9}", version):
            self._fail(f"'{MAGIC} {VERSION}'")
        if int(version) != VERSION:
            raise GoldenError(
                f"{self._name}:1: a golden trace of version {version}; this tracefs reads version "
                f"{VERSION}",
                repair="record it anew with tracefs record-golden --update, or use the tracefs "
                "that made it",
            )
        self._at = 1

    def _head(self, line: str, known: dict[str, Any]) -> None:
        key, colon, value = line.partition(": ")
        if not colon:
            self._fail("'witness: …', 'page size: …', 'path: …', 'only: …' or an empty line")
        if key == "witness" and "witness" not in known and _WITNESS.fullmatch(value):
            known["witness"] = value
        elif key == "page size" and "page_size" not in known and _is_size(value):
            known["page_size"] = int(value)
        elif key == "path" and re.fullmatch(_TEXT.format("glob"), value) and value.isprintable():
            known["paths"] += (value[1:-1],)
        elif (
            key == "only"
            and not known["only"]
            and all(_WORD.fullmatch(word) for word in value.split(","))
        ):
            known["only"] = tuple(value.split(","))
        else:
            self._fail(
                {
                    "witness": "one line 'witness: seccomp', or another level",
                    "page size": "one line 'page size: 4096', or another number from 1",
                    "path": "a glob in double quotes",
                    "only": "one line 'only: write,sync', or other names and families",
                }.get(key, "'witness: …', 'page size: …', 'path: …', 'only: …' or an empty line")
            )

    def _entry(self, line: str) -> Entry:
        match = _LINE.match(line) if len(line) <= MAX_LINE else None
        if match is None or not _REMARK.fullmatch(line, match.end()):
            raise self._fault_in(line)
        found = match.groupdict()
        for text in (found["path"], found["target"]):
            if text is not None and _NUMBERS.sub("", text) != escaped(_NUMBERS.sub("", text)):
                self._fail("a name in which only {1} and the like has braces, and all is printable")
        call, family = found["call"], found["family"]
        if family is None:
            family = usual_families().get(call)
            if not family:
                self._fail(
                    "a system call that is known, or one with its family, as in name/write", call
                )
        thread, flags, opened = found["thread"], found["flags"], found["opened"]
        return Entry(
            call=call,
            family=family or UNKNOWN,
            guessed=found["guessed"] is not None,
            thread=None if thread == "?" else int(thread),
            path=found["path"],
            opened=1 if opened is None else int(opened),
            target=found["target"],
            flags=() if flags is None else tuple(flags.split("|")),
            offset=_number(found["offset"]),
            length=_number(found["length"]),
            created=found["created"] is not None,
            synced_by=found["synced_by"],
            result=_number(found["result"]),
            errno=self._errno(found["errno"]),
            injected=found["injected"] is not None,
        )

    def _errno(self, name: str | None) -> int:
        if name is None:
            return 0
        number = int(name) if name.isdigit() else _NUMBER_BY_NAME.get(name)
        if number is None:
            self._fail("the name of an error, or its number", name)
        return number or 0

    def _fault_in(self, line: str) -> GoldenError:
        """Return what is wrong in *line*: how far it is right, and what it should go on with."""
        number = self._at + 1
        if len(line) > MAX_LINE:
            return _fault(self._name, number, f"a line of at most {MAX_LINE} characters", "more")
        at = 0
        for _, pattern, what in _PARTS:
            match = re.compile(pattern).match(line, at)
            if match is None:
                return _fault(self._name, number, what, repr_short(line[at:]))
            at = match.end()
        at = max(at, _furthest(line))
        rest = line[at:].strip()
        what = f"what may stand behind {repr_short(line[:at].strip(), last=True)}"
        return _fault(self._name, number, what, repr_short(rest))


def _furthest(line: str) -> int:
    """Return up to where *line* could be the beginning of a call."""
    match = _LINE.match(line)
    return match.end() if match is not None else 0


def _is_size(text: str) -> bool:
    return re.fullmatch("[1-9][0-9]{0,17}", text) is not None


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def repr_short(text: str, *, last: bool = False) -> str:
    """Return *text* in quotes, no longer than a line; *last*: its end rather than its beginning."""
    if len(text) > 60:
        text = f"…{text[-59:]}" if last else f"{text[:59]}…"
    return f"'{printable(text)}'" if text else "nothing"
