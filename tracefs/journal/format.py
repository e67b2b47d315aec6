"""One journal line as bytes, and the names of the files that make a recording."""

import re
from typing import Final, NoReturn

import msgspec

from tracefs.errors import RecordingError
from tracefs.events import FORMAT, READABLE, VERSION, AnyEvent, Header, Line

SUFFIX: Final = ".trace"
"""Ending of a recording's folder."""
JOURNAL: Final = "journal.jsonl"
PAYLOAD: Final = "payload.bin"
START: Final = "start.jsonl"
"""The tree as it was when the recording began (`tracefs.journal.start`)."""
KEPT: Final = "start"
"""Folder of what its files held, of those that were changed."""
TABLE: Final = "calls.parquet"
CARD: Final = "calls.json"
"""The index, where one was made (`tracefs.index`)."""
IMPORT: Final = "import.json"
TEXT: Final = "strace.txt"
"""In the place of a journal: a text of strace (`tracefs.journal.imported`)."""

MAX_LINE: Final = 16 << 20
"""Longest line that is read, in bytes: room for any command line of execve(2), 6 MiB at most."""

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoders raise for bytes that are not such a line."""

encode: Final = msgspec.json.Encoder().encode
"""Bytes of one line, without its newline."""

# Aliases of bound methods: the reader calls the first a million times.
_events: Final[msgspec.json.Decoder[AnyEvent]] = msgspec.json.Decoder(AnyEvent)
decode_event: Final = _events.decode
"""The event in one line; raises one of `UNREADABLE`, also for a header or footer."""

_lines: Final[msgspec.json.Decoder[Line]] = msgspec.json.Decoder(Line)
decode_line: Final = _lines.decode
"""Whatever one line holds; raises one of `UNREADABLE`."""


_STRACE: Final = re.compile(rb"(?:\[pid +\d+\] |\d+ +)?(?:[\d:.]+ +)?[a-z_]\w*\(.* = ")
"""The first line of what strace writes."""


class _Probe(msgspec.Struct):
    """What is looked at in a first line of which nothing is known yet."""

    type: object = None
    format: object = None
    version: object = None


def decode_header(line: bytes, name: str) -> Header:
    """Return the header in *line*, the first of the journal that people know as *name*.

    Raises:
        RecordingError: it is no header, or one of a version that can't be read.
    """
    if _STRACE.match(line):
        raise RecordingError(
            f"{name} is strace text, not a tracefs journal",
            repair="tracefs check, show, stats, report, export and pages read such text.",
        )
    probe = _probe(line, name)
    if probe.format != FORMAT or probe.type != "header":
        _refuse(name, "its first line is JSON, but not the header of a journal")
    version = probe.version
    if isinstance(version, int) and version > VERSION:
        raise RecordingError(
            f"{name} was written by a newer tracefs (journal version {version}); "
            f"this one reads up to {VERSION}",
            repair="Read it with the tracefs that wrote it, or a later one.",
        )
    if version not in READABLE:
        raise RecordingError(f"{name}: the header can't be read: there is no version {version!r}")
    try:
        return msgspec.json.decode(line, type=Header)
    except UNREADABLE as error:
        raise RecordingError(f"{name}: the header can't be read: {error}") from error


def _probe(line: bytes, name: str) -> _Probe:
    try:
        return msgspec.json.decode(line, type=_Probe)
    except msgspec.ValidationError:
        _refuse(name, "its first line is JSON, but not the header of a journal")
    except UNREADABLE:
        _refuse(name, "it holds binary data" if _is_binary(line) else "its first line is not JSON")


def _is_binary(line: bytes) -> bool:
    try:
        return not line.decode().replace("\t", " ").rstrip("\r").isprintable()
    except UnicodeDecodeError:
        return True


def _refuse(name: str, why: str) -> NoReturn:
    raise RecordingError(f"{name} is not a tracefs journal: {why}")
