"""``tracefs top``: a recording or a mount as it goes on."""

import argparse
import copy
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tracefs.cli import recording
from tracefs.cli.arguments import positive
from tracefs.contracts import find_all
from tracefs.contracts.base import Contract, Judge, Settings
from tracefs.errors import UsageError
from tracefs.events import Header
from tracefs.findings import Finding
from tracefs.journal.format import JOURNAL
from tracefs.journal.reader import FOLLOW_PAUSE_S, JournalReader, Source
from tracefs.journal.recordings import list_recordings
from tracefs.pathtext import printable
from tracefs.report.live import Live, Now, lines
from tracefs.trace import Call, Trace

NAME: Final = "top"
HELP: Final = "watch a mount or a recording: calls, syncs, unsynced bytes"
_EACH: Final = 256
"""Calls after which the clock is asked."""
_LONGEST_S: Final = 86_400.0
_NAMED: Final = 5
"""Recordings that a message names."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    parser.add_argument(
        "recording", metavar="MNT|RECORDING", nargs="?",
        help="a directory that is being traced, or a recording (default: the latest recording)",
    )  # fmt: skip
    parser.add_argument(
        "--plain", action="store_true",
        help="lines of text, one block after the other (so it is without a terminal, or textual)",
    )  # fmt: skip
    parser.add_argument(
        "--every",
        metavar="S",
        type=_seconds,
        default=1.0,
        help="seconds between two looks (default: 1)",
    )
    parser.add_argument(
        "--top", metavar="N", type=positive, default=20, help="files that are shown (default: 20)"
    )
    parser.add_argument(
        "--contract", metavar="NAME", action="append", default=[],
        help="show what this contract finds so far",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Show it until the recording ends, or Ctrl-C; return the exit code."""
    watch = Watch(
        find(args.recording), args.every, args.top,
        [contract for name in args.contract for contract in find_all(name)],
    )  # fmt: skip
    if not args.plain and sys.stdout.isatty():
        try:
            from tracefs.cli.top_screen import show  # noqa: PLC0415  # textual is an extra
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "textual":
                raise
            print("tracefs: plain, as textual is missing: pip install 'tracefs[live]'")
        else:
            show(watch)
            return 0
    watch.follow(_print)
    return 0


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < _LONGEST_S:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of seconds above 0 and below {_LONGEST_S:.0f}"
        )
    return seconds


def find(name: str | None) -> Source:
    """Return the recording that *name* stands for, a traced directory that of its trace.

    Raises:
        UsageError: nobody traces the directory.
        RecordingError: there is no such recording.
    """
    source = recording.find(name)
    if source == "-" or not source.is_dir() or (source / JOURNAL).exists():
        return source
    real = str(source.resolve())
    running = [one for one in list_recordings(recording.base()) if one.running]
    for one in reversed(running):
        # A relative one was relative to where somebody else was.
        if one.header is not None and one.header.source == real:
            return one.path
    names = ", ".join(printable(one.path.name) for one in running[-_NAMED:])
    raise UsageError(
        f"no recording in {printable(str(recording.base()))} is known to be of {printable(real)}",
        repair=f"name the recording; being made are: {names}" if names else "name the recording",
    )


class Watch:
    """One recording, followed."""

    def __init__(
        self, source: Source, every_s: float, top: int, contracts: Sequence[Contract] = ()
    ) -> None:
        self._source, self._every_s, self._top = source, every_s, top
        self._contracts = contracts
        self._live = Live()
        self._judges: list[Judge] = []
        self._next = self._overdue = 0.0
        self.stopped = False
        """Set to have `follow` return soon."""

    @property
    def name(self) -> str:
        """Of what is watched."""
        return "standard input" if self._source == "-" else Path(self._source).name

    def follow(self, told: Callable[[Now], None]) -> None:
        """Read until the recording ends, and tell how things are again and again."""

        def wait() -> bool:
            self._tell(told, behind=False)
            time.sleep(FOLLOW_PAUSE_S)
            return not self.stopped

        # What is there already is mostly read before anybody would look.
        self._overdue = time.monotonic() + self._every_s
        with JournalReader(self._source, follow=True, wait=wait) as reader:
            self._judges = [self._judge(one, reader.header) for one in self._contracts]
            trace = Trace(reader)
            for number, item in enumerate(trace.items()):
                for judge in self._judges:
                    judge.feed(item)
                if isinstance(item, Call) and item.index >= 0:
                    self._live.take(item)
                if not number % _EACH:
                    self._tell(told)
                    if self.stopped:
                        return
        lacks = None if self.stopped else trace.summary().incomplete_because
        self._tell(told, ended=not self.stopped, lacks=lacks, behind=False)

    def _judge(self, contract: Contract, header: Header) -> Judge:
        return contract.start(header, Settings(page_size=recording.page_size(header)))

    def _tell(
        self,
        told: Callable[[Now], None],
        *,
        ended: bool = False,
        lacks: str | None = None,
        behind: bool = True,
    ) -> None:
        at = time.monotonic()
        if at < (max(self._next, self._overdue) if behind else self._next) and not ended:
            return
        self._next = at + self._every_s
        told(
            self._live.now(
                self._top,
                self._findings(),
                ended=ended,
                incomplete_because=lacks,
                behind=behind,
            )
        )

    def _findings(self) -> tuple[Finding, ...]:
        """Return what is found so far: a judge can be asked once, so a copy is."""
        found: list[Finding] = []
        for judge in self._judges:
            result = copy.deepcopy(judge).finish(complete=False, why="it is still being made")
            found += [one for one in result.findings if one.call is not None]
        return tuple(sorted(found, key=lambda one: one.call or 0))


def _print(now: Now) -> None:
    print("\n".join([*lines(now), ""]), flush=True)
