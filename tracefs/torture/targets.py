"""The calls of a run that faults can strike, numbered as the rules of faults count them.

The rules count requests, by their own ways (`tracefs.faults.engine`); so the requests of the
recording are given to them again, and each that counts is looked up among the calls.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tracefs import events
from tracefs.events import AnyEvent
from tracefs.faults import asked
from tracefs.faults.engine import Faults
from tracefs.faults.model import Rule
from tracefs.journal.reader import JournalReader
from tracefs.pathtext import fits
from tracefs.report.strace import spelled
from tracefs.torture import kinds
from tracefs.tortures import Target
from tracefs.trace import Call, Trace

_FAMILY: Final = {"syncdir": "sync"}
"""Of a call -> of a rule, where they differ."""
_TELL_NOBODY: Final = frozenset(
    {"close_range", "dup2", "dup3", "execve", "execveat", "exit", "exit_group"}
)
"""Calls that close files, and drop what FLUSH says: a fault there proves nothing."""


def targets(recording: Path) -> list[Target]:
    """Return the calls of *recording* in the order in which they were met.

    Raises:
        RecordingError: it can't be read.
    """
    with JournalReader(recording) as journal:
        calls = _Calls(item for item in Trace(journal).items() if isinstance(item, Call))
    found, names = [], []
    with JournalReader(recording) as journal:
        for family, number, event in _counted(journal):
            call = calls.at(event, family)
            if call is not None:
                found.append(_target(call, family, number))
                names.append(call.call)
    # All are numbered, as rules count them all.
    both = zip(numbered(found), names, strict=True)
    return [one for one, name in both if one.family != "close" or name not in _TELL_NOBODY]


def numbered(found: Iterable[Target]) -> list[Target]:
    """Number those of each family that one pattern means."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    done = []
    for target in found:
        number = None
        if target.path is not None:
            mine = counts[target.family]
            mine[target.path] += 1
            glob = kinds.pattern(target.path)
            if glob is not None:
                number = sum(count for path, count in mine.items() if fits(path, glob))
        done.append(replace(target, path_number=number))
    return done


class _Calls:
    """Calls, to be found by a request of theirs."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self._by_thread: dict[int | None, list[Call]] = defaultdict(list)
        for call in calls:
            if family_of(call) is not None:
                self._by_thread[call.tid].append(call)
        for mine in self._by_thread.values():
            mine.sort(key=lambda call: call.start_ns)
        self._starts = {
            tid: [call.start_ns for call in mine] for tid, mine in self._by_thread.items()
        }

    def at(self, event: AnyEvent, family: str) -> Call | None:
        """Return the call that *event* is a request of."""
        mine: Sequence[Call] = self._by_thread.get(event.tid, ())
        place = bisect_right(self._starts.get(event.tid, []), event.start_ns)
        for call in reversed(mine[:place]):
            if family_of(call) == family:
                return call if event.start_ns <= call.end_ns else None
        return None


def family_of(call: Call) -> str | None:
    """Return the family that a rule counts *call* by; None: it has none, or is none to strike."""
    family = _FAMILY.get(call.family, call.family)
    stands = family in kinds.FAMILIES and call.call != "mmap"
    return family if stands else None


def _counted(journal: JournalReader) -> Iterator[tuple[str, int, AnyEvent]]:
    """Yield each request that a rule for its family counts, with its number."""
    machine = journal.header.machine
    rules = {
        family: Faults([Rule(text=family, calls=(family,))], machine, lambda _: "")
        for family in kinds.FAMILIES
    }
    numbers: dict[str, int] = defaultdict(int)
    for unique, event in enumerate(journal.events(), start=1):
        request = _request(event)
        if request is None:
            continue
        kind, family = request
        fault = rules[family].of_file(
            unique,
            kind,
            event.tid,
            getattr(event, "seen", None),
            getattr(event, "ino", 0),
            getattr(event, "offset", 0),
            getattr(event, "size", 0),
        )
        if fault is not None:
            numbers[family] += 1
            yield family, numbers[family], event


def _request(event: AnyEvent) -> tuple[str, str] | None:
    """Return the request as rules name it, and the family that it counts for."""
    if isinstance(event, events.Write) and event.cached:
        return None
    if events.acknowledged(event) is not None:
        return None  # no rule is asked about it
    kind = str(type(event).__struct_config__.tag)
    if isinstance(event, events.Setattr) and event.size is not None:
        kind = asked.TRUNCATE
    family = _BY_REQUEST.get(kind)
    return None if family is None else (kind, family)


_BY_REQUEST: Final = {
    request: family for family in kinds.FAMILIES for request in asked.family(family)
}
"""Request -> family that it counts for."""


def _target(call: Call, family: str, number: int) -> Target:
    return Target(
        family=family,
        number=number,
        index=call.index,
        call=call.call,
        shown=spelled(call),
        path=call.path,
        offset=call.offset,
        length=call.length,
        created=bool(call.created) or "O_CREAT" in call.flags,
    )
