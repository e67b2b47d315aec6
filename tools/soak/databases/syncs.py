"""The syncs that strace saw return 0, and those that a recording has."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tracefs.journal.reader import JournalReader
from tracefs.trace import Call, Trace

_CALLS: Final = ("fsync", "fdatasync", "msync")
# 123 fsync(4</dir/file>) = 0, cut in two where another thread's line came between.
_LINE: Final = re.compile(r"(?P<tid>\d+) +(?P<rest>.*)")
_RESUMED: Final = re.compile(r"<\.\.\. \w+ resumed>(?P<rest>.*)")
_UNFINISHED: Final = " <unfinished ...>"
_CALL: Final = re.compile(r"(?P<name>\w+)\((?:\d+<(?P<path>.*)>)?[^<>]*\) += (?P<result>\S+).*")

Sync = tuple[str, str]
"""Name of the call, and path below the directory; of msync, which has none, the path is empty."""


@dataclass
class Syncs:
    """How often each was made."""

    done: Counter[Sync] = field(default_factory=Counter)
    """It returned 0."""
    cut: int = 0
    """Calls that did not return: what they did is not known."""


def of_strace(lines: Iterable[str], directory: Path) -> Syncs:
    """Return the syncs below *directory* in a log of ``strace -f -y``."""
    found = Syncs()
    begun: dict[str, str] = {}
    prefix = f"{directory.resolve()}"
    for line in lines:
        parts = _LINE.fullmatch(line.rstrip("\n"))
        if parts is None:
            continue
        tid, rest = parts["tid"], parts["rest"]
        if rest.endswith(_UNFINISHED):
            begun[tid] = rest.removesuffix(_UNFINISHED)
            continue
        if resumed := _RESUMED.fullmatch(rest):
            rest = begun.pop(tid, "") + resumed["rest"]
        call = _CALL.fullmatch(rest)
        if call is None or call["name"] not in _CALLS:
            continue
        path = (call["path"] or "").removesuffix(" (deleted)")
        inside = not path or path == prefix or path.startswith(f"{prefix}/")
        if inside and call["result"] == "0":
            found.done[call["name"], path[len(prefix) + 1 :]] += 1
        elif inside and call["result"] == "?":
            found.cut += 1
    found.cut += len(begun)
    return found


def of_recording(recording: Path) -> Syncs:
    """Return the syncs that a recording, complete or not, has as calls with result 0."""
    found = Syncs()
    with JournalReader(recording) as reader:
        for item in Trace(reader).items():
            if not isinstance(item, Call) or item.family not in ("sync", "syncdir") or item.errno:
                continue
            path = "" if item.call == "msync" or item.path == "." else item.path
            found.done[item.call, path or ""] += 1
    return found


@dataclass(frozen=True)
class Difference:
    """What one of them has and the other lacks."""

    lost: Counter[Sync]
    """strace saw them return 0, the recording has none of them."""
    invented: Counter[Sync]
    """In the recording only, and more than may be of calls that did not return."""


def difference(strace: Syncs, recording: Syncs) -> Difference:
    """Compare what strace saw with the recording of the same run."""
    more = recording.done - strace.done
    return Difference(
        lost=strace.done - recording.done,
        invented=more if more.total() > strace.cut else Counter(),
    )
