"""``tracefs replay``: what was recorded, done again in another directory, and compared."""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tracefs.cli import recording, target
from tracefs.cli.progress import Progress
from tracefs.errors import RecordingError, UsageError
from tracefs.events import AnyEvent, Fsync
from tracefs.journal.reader import JournalReader
from tracefs.journal.start import StartTree
from tracefs.journal.start_build import build
from tracefs.pathtext import printable, to_text
from tracefs.replay import Replay
from tracefs.report.frame import plural
from tracefs.rlimits import raise_descriptor_limit
from tracefs.treehash import digest, tree

NAME: Final = "replay"
HELP: Final = "do in a directory what a recording says was done"
EXIT_DIFFERS: Final = 1
_SHOWN: Final = 10


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.add_argument("recording", metavar="RECORDING", help="made with --payload")
    parser.add_argument("directory", metavar="DIR", help="an empty directory, or a new one")
    parser.add_argument(
        "--timing", action="store_true",
        help="with the pauses that there were (default: as fast as it can)",
    )  # fmt: skip
    parser.add_argument("--no-syncs", action="store_true", help="leave out fsync and fdatasync")
    parser.add_argument(
        "--compare", metavar="OTHER",
        help="compare with this directory (default: the one that was traced, if it is there)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Replay and compare; return 0, 1 where something differs, 4 where that can't be told."""
    source = recording.folder(args.recording, "a replay")
    place = Path(args.directory)
    raise_descriptor_limit()
    began = time.monotonic()
    with (
        Progress("replay") as progress,
        JournalReader(source) as reader,
        StartTree.open(source) as start,
    ):
        traced = start.source
        _prepare(place)
        build(start, place)
        with Replay(place, source, start.entries) as replay:
            events = _paced(reader.events(), progress, timing=args.timing)
            replay.run(_synced(events, replay) if not args.no_syncs else events)
            doubt = replay.doubt(reader.ending)
    took = time.monotonic() - began
    target.say(f"replayed {plural(reader.ending.events, 'event')} in {took:.2f} s")
    if doubt is not None:
        target.say(f"what came of it may not be all: {doubt}")
    other = os.fsencode(args.compare) if args.compare else traced
    return _compared(place, Path(os.fsdecode(other)), asked=bool(args.compare)) or (
        recording.EXIT_UNKNOWN if doubt is not None else 0
    )


def _prepare(place: Path) -> None:
    """Make the directory, unless it is there and empty."""
    place.mkdir(exist_ok=True)
    if any(place.iterdir()):
        raise UsageError(f"{printable(str(place))} is not empty", repair="name a new directory")


def _paced(events: Iterator[AnyEvent], progress: Progress, *, timing: bool) -> Iterator[AnyEvent]:
    """Yield *events*, each when its time has come, if *timing*."""
    begin, first = time.monotonic(), None
    for number, event in enumerate(events):
        if first is None:
            first = event.start_ns
        if timing:
            time.sleep(max(0.0, begin + (event.start_ns - first) / 1e9 - time.monotonic()))
        if not number & 255:
            progress.count("events", number)
        yield event


def _synced(events: Iterator[AnyEvent], replay: Replay) -> Iterator[AnyEvent]:
    for event in events:
        yield event
        if isinstance(event, Fsync):
            replay.sync(event)


def _without(found: dict[str, str], place: Path, other: Path) -> dict[str, str]:
    """Return what was *found* in *other* without *place*, which was made for the replay."""
    if not place.is_relative_to(other) or place == other:
        return found
    name = to_text(os.fsencode(place.relative_to(other)))
    return {
        path: it for path, it in found.items() if path != name and not path.startswith(f"{name}/")
    }


def _compared(place: Path, other: Path, *, asked: bool) -> int:
    ours = tree(os.fsencode(place))
    if not asked and not other.is_dir():
        target.say(f"{printable(str(other))} is gone: nothing to compare with")
        target.say(f"{plural(len(ours), 'name')}, sha256 {digest(ours)}")
        return 0
    try:
        theirs = _without(tree(os.fsencode(other)), place.resolve(), other.resolve())
    except OSError as error:
        raise RecordingError(f"cannot read {other}: {error.strerror}") from error
    if ours == theirs:
        target.say(
            f"the same as {printable(str(other))}: {plural(len(ours), 'name')}, "
            f"sha256 {digest(ours)}"
        )
        return 0
    names = sorted(path for path in {*ours, *theirs} if ours.get(path) != theirs.get(path))
    target.say(f"not as {printable(str(other))}: {plural(len(names), 'name')} of {len(theirs)}")
    for path in names[:_SHOWN]:
        target.say(
            f"  {printable(path)}: {ours.get(path, 'not there')}, and there "
            f"{theirs.get(path, 'not there')}"
        )
    return EXIT_DIFFERS
