"""A process of tracefs is killed at any moment while a program writes and syncs.

Whatever dies, and when: what the program was told is in the source and in the journal, it ends and
is not held, nothing stays mounted or running, and no recording accuses it of what it didn't do.
"""

import json
import os
import random
import select
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

import watchdog
from mounting import PATIENCE_S, TRACEFS

from soak import processes
from soak.arena import Arena, await_unmounted
from soak.suite import Scale, Suite, Tally
from tracefs.check import check
from tracefs.events import Create, Fsync, Write
from tracefs.findings import Verdict
from tracefs.journal.reader import JournalReader
from tracefs.trace import Trace

_PAGES: Final = 120
_PAGE: Final = 4096
_SEED: Final = 20261126

# Writes page after page and syncs each, telling what has succeeded, and what failed at last.
_WRITER: Final = f"""
import json, os
fd = os.open("pages", os.O_RDWR | os.O_CREAT, 0o644)
try:
    for page in range({_PAGES}):
        os.pwrite(fd, b"%08d" % page * {_PAGE // 8}, page * {_PAGE})
        os.write(1, json.dumps(["written", page]).encode() + b"\\n")
        os.fdatasync(fd)
        os.write(1, json.dumps(["synced", page]).encode() + b"\\n")
    os.close(fd)
    os.write(1, json.dumps(["done", 0]).encode() + b"\\n")
except OSError as error:
    os.write(1, json.dumps(["failed", error.errno]).encode() + b"\\n")
"""
_KINDS: Final = {
    "run": ("front end", "server", "guardian", "supervisor"),
    "run --visible": ("front end", "server", "guardian", "supervisor", "watch"),
    "mount": ("front end", "server", "watch"),
}


@dataclass(frozen=True)
class _Blow:
    """One fault."""

    kind: str
    victim: str
    signal: signal.Signals
    after: int
    """Reports of the program that are heard before."""

    @property
    def kills_program(self) -> bool:
        """The front end passes it on, and so the program may well leave a page without a sync."""
        passed_on = self.victim == "front end" and self.signal is signal.SIGTERM
        return passed_on and self.kind != "mount"

    def __str__(self) -> str:
        return f"{self.kind}: {self.signal.name} to the {self.victim} after {self.after} reports"


def _run(arena: Arena, scale: Scale) -> Tally:
    chance = random.Random(_SEED)  # noqa: S311  # no secret
    tally = Tally(notes=(f"seed {_SEED}",))
    for number in range(scale.pick(9, 600)):
        kind = list(_KINDS)[number % len(_KINDS)]
        blow = _Blow(
            kind,
            chance.choice(_KINDS[kind]),
            chance.choice((signal.SIGKILL, signal.SIGTERM)),
            # Never before the program runs: until then the command is not started.
            chance.randrange(1, 2 * _PAGES),
        )
        tally += _strike(arena, blow)
    return tally


def _strike(arena: Arena, blow: _Blow) -> Tally:
    source = arena.watched()
    where = source if blow.kind != "mount" else arena.watched()
    recording = arena.bare() / "rec"
    program = [sys.executable, "-S", "-c", _WRITER]
    if blow.kind == "mount":
        front = _start(
            [*TRACEFS, "mount", "-o", str(recording), str(source), str(where)], Path("/")
        )
        assert front.stdout is not None
        front.stdout.readline()  # it is mounted
        writer = _start(program, where)
    else:
        words = ["run", "-q", *blow.kind.split()[1:], "-o", str(recording), "--"]
        front = writer = _start([*TRACEFS, *words, *program], source)
    failures = []
    try:
        told = _strike_while(front, writer, blow)
        writer.wait(PATIENCE_S)
        if blow.kind == "mount" and front.poll() is None:
            front.send_signal(signal.SIGTERM)
        front.wait(PATIENCE_S)
        _await_silence(recording)
        failures += _left_behind(where, recording)
        lost, wrong = _compare(source, recording, told)
        failures += wrong
        if not blow.kills_program:
            failures += _misjudged(recording, told)
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        lost = 0
        failures.append(f"hung: {error}")
    finally:
        for process in {writer, front}:
            _end(process, where)
    return Tally(
        operations=len(told) if not failures else 0,
        faults=1,
        events_lost=lost,
        failures=tuple(f"{blow}: {failure}" for failure in failures),
    )


def _start(command: list[str], where: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=where,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _strike_while(
    front: subprocess.Popen[bytes], writer: subprocess.Popen[bytes], blow: _Blow
) -> list[tuple[str, int]]:
    """Strike when the program has come so far; return all that it was told."""
    told = _hear(writer, blow.after)
    victim = processes.family(front.pid).get(blow.victim)
    if victim is not None:  # a program that has ended takes its tracefs with it
        os.kill(victim, blow.signal)
    return told + _hear(writer, 1 << 30)


def _hear(writer: subprocess.Popen[bytes], most: int) -> list[tuple[str, int]]:
    """Return the next reports, *most* of them or as many as there are."""
    assert writer.stdout is not None
    heard: list[tuple[str, int]] = []
    end = monotonic() + PATIENCE_S
    while len(heard) < most:
        ready, _, _ = select.select([writer.stdout], [], [], max(0.0, end - monotonic()))
        if not ready:
            raise TimeoutError("the program says no more")
        line = writer.stdout.readline()
        if not line:
            return heard
        what, number = json.loads(line)
        heard.append((what, number))
        if what in ("done", "failed"):
            return heard
    return heard


def _await_silence(recording: Path) -> None:
    """Return once nobody writes the recording."""
    with JournalReader(recording, follow=True) as reader:
        for _ in reader.events():
            pass


def _left_behind(where: Path, recording: Path) -> list[str]:
    failures = []
    try:
        # By the watch, a moment after the server's death.
        await_unmounted(where)
    except AssertionError as error:
        failures.append(str(error))
    running = processes.recording(recording)
    if running:
        failures.append(f"left running: {running}")
    return failures


def _compare(source: Path, recording: Path, told: list[tuple[str, int]]) -> tuple[int, list[str]]:
    """Return how many calls that succeeded the journal lacks, and what else is wrong."""
    failures = []
    written = {page for what, page in told if what == "written"}
    synced = {page for what, page in told if what == "synced"}
    with open(source / "pages", "rb") as file:
        failures += [
            f"page {page} is not in the source"
            for page in written
            if os.pread(file.fileno(), _PAGE, page * _PAGE) != b"%08d" % page * (_PAGE // 8)
        ]
    with JournalReader(recording) as reader:
        events = list(reader.events())
    files = {event.ino for event in events if isinstance(event, Create)}
    pages = [
        event.offset // _PAGE
        for event in events
        if isinstance(event, Write) and event.ino in files and event.result == _PAGE
    ]
    syncs = sum(isinstance(event, Fsync) and not event.errno for event in events)
    lost = len(written - set(pages)) + max(0, len(synced) - syncs)
    if len(pages) != len(set(pages)) or len(pages) > len(written) + 1:
        failures.append("the journal has writes that were not made")
    return lost, failures


def _misjudged(recording: Path, told: list[tuple[str, int]]) -> list[str]:
    """Return what the verdict on a correct program says and may not."""
    with JournalReader(recording) as reader:
        verdict = check(Trace(reader), ["page-write"]).verdict
        complete = reader.ending.complete
    if verdict is Verdict.BROKEN:
        return ["a correct program is judged broken"]
    if verdict is Verdict.KEPT and not (complete and told[-1][0] == "done"):
        return ["what was not seen to its end is judged kept"]
    return []


def _end(process: subprocess.Popen[bytes], where: Path) -> None:
    if process.poll() is None:
        watchdog.abort(str(where))
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


SUITE: Final = Suite(name="faults", about="processes of tracefs killed at any moment", run=_run)
