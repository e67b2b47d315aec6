"""64 threads and 16 processes at once: no error, every call in the journal once, nothing kept."""

import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mounting import Run

from soak import crowd, settled
from soak.arena import Arena, Done, Place
from soak.suite import Scale, Suite, Tally
from tracefs import events
from tracefs.journal.reader import JournalReader
from tracefs.trace import Call, Trace

_THREADS: Final = 64
_PROCESSES: Final = 16
_GROWTH_MIB: Final = 8
"""More than threads that wait to be used again and the allocator's arenas account for."""

_REQUESTS: Final[Mapping[type[events.AnyEvent], tuple[str, ...]]] = {
    events.Fsync: ("fsync", "fdatasync"),
    events.Fsyncdir: ("fsync of a directory",),
    events.Flush: ("close",),
    events.Setattr: ("ftruncate", "chmod"),
    events.Mkdir: ("mkdir",),
    events.Rmdir: ("rmdir",),
    events.Link: ("link",),
    events.Symlink: ("symlink",),
    events.Unlink: ("unlink",),
    events.Rename: ("rename",),
}
"""Which calls make which request, one each."""


def _run(arena: Arena, scale: Scale) -> Tally:
    seconds = scale.pick(3, 600)
    return _counted(arena, seconds) + _kept(arena, scale.pick(2, 60))


def _command(seconds: float) -> list[str]:
    program = str(Path(crowd.__file__))
    return [sys.executable, "-I", "-S", program, str(seconds), str(_THREADS), str(_PROCESSES)]


def _counted(arena: Arena, seconds: float) -> Tally:
    """Compare the program's own counts with requests and with calls, seccomp witness on."""
    run = arena.run_traced(_command(seconds), arena.bare(), limit_s=10 * seconds + 120)
    made, failure = _counts(run)
    if failure:
        return Tally(failures=(failure,))
    size = made.pop("bytes")
    requests, called, written = _recorded(run.recording)
    failures = [
        f"{' and '.join(names)}: {wanted} made, {requests[kind.__name__]} requests in the journal"
        for kind, names in _REQUESTS.items()
        if (wanted := sum(made[name] for name in names)) != requests[kind.__name__]
    ]
    # A directory's sync has a name of its own here, for its request has.
    made["fsync"] += made.pop("fsync of a directory")
    opened = requests["Open"] + requests["Create"]
    if opened != made["openat"]:
        failures.append(f"openat: {made['openat']} made, {opened} requests in the journal")
    if written != size:
        failures.append(f"{size} bytes written, {written} in the journal")
    failures += [
        f"{name}: {made[name]} made, {called[name]} told"
        for name in sorted(made.keys() | called.keys())
        if made[name] != called[name]
    ]
    lost = sum((made - called).values())
    note = f"{made.total()} calls in {seconds} s, {requests.total()} events"
    return Tally(operations=made.total(), events_lost=lost, failures=tuple(failures), notes=(note,))


def _counts(done: Run | Done) -> tuple[Counter[str], str]:
    """Return what the program counted, and what went wrong."""
    if done.returncode != 0:
        return Counter(), f"crowd: exit status {done.returncode}: {done.stderr[-2000:]}"
    return Counter(json.loads(done.stdout)), ""


def _recorded(recording: Path) -> tuple[Counter[str], Counter[str], int]:
    """Return how often each request was made, and each call, and how many bytes were written."""
    requests: Counter[str] = Counter()
    written = 0
    with JournalReader(recording) as reader:
        for event in reader.events():
            requests[type(event).__name__] += 1
            if isinstance(event, events.Write):
                written += event.result
    with JournalReader(recording) as reader:
        called = Counter(item.call for item in Trace(reader).items() if isinstance(item, Call))
    return requests, called, written


def _kept(arena: Arena, seconds: float) -> Tally:
    """Look at what the server keeps once the kernel has forgotten all files."""
    with arena.mounted() as place:
        before = settled.descriptors_below(place.server, place.source)
        first, failure = _crowd(arena, place, seconds)
        settled.forget(place)
        resident = settled.resident_mib(place.server)
        second, more = _crowd(arena, place, seconds)
        settled.forget(place)
        grown = settled.resident_mib(place.server) - resident
        after = settled.descriptors_below(place.server, place.source)
        left = os.listdir(place.source)
    failures = [text for text in (failure, more) if text]
    if after != before:
        failures.append(f"the server kept {after} descriptors of files, {before} at the start")
    if grown > _GROWTH_MIB:
        failures.append(f"the server grew by {grown:.1f} MiB when the same was done again")
    if left:
        failures.append(f"files are left: {left}")
    notes = (f"server: {resident:.1f} MiB resident, {grown:+.1f} after the same again",)
    return Tally(operations=(first + second).total(), failures=tuple(failures), notes=notes)


def _crowd(arena: Arena, place: Place, seconds: float) -> tuple[Counter[str], str]:
    done = arena.run(_command(seconds), place.path, limit_s=10 * seconds + 120)
    made, failure = _counts(done)
    made.pop("bytes", None)
    return made, failure


SUITE: Final = Suite(
    name="concurrency", about="64 threads and 16 processes, each call counted", run=_run
)
