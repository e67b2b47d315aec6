"""One run of a program: in a copy of its store, traced and under a rule, and then looked at."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec
import watchdog
from mounting import TRACEFS, Guard

from judges.client import Did, Found
from judges.outcome import Fault, Outcome
from judges.programs import Judge
from tracefs.errors import TracefsError
from tracefs.journal.reader import JournalReader
from tracefs.trace import Call, Trace

_PATIENCE_S: Final = 5
_TOOLS: Final = Path(__file__).resolve().parents[1]
_MARK: Final = "TRACEFS_JUDGES"
"""Name in the environment of all that a run starts: whoever is left of it can be found."""
_ALARMING: Final = (
    "Bad ",
    "PANIC",
    "FATAL",
    "ERROR",
    "MISCONF",
    "rror ",
    "Can't",
    "could not",
    "Fail",
    "fail",
)


@dataclass(frozen=True)
class Counts:
    """Calls that a rule can strike in a run without faults."""

    sync: int
    """Of files and directories; rules with a mode strike those of files alone."""
    files: int
    """Syncs of files."""
    write: int


class Trials:
    """All runs of one program, below one directory."""

    def __init__(self, judge: Judge, scratch: Path, guard: Guard) -> None:
        self._judge = judge
        self._scratch = scratch
        self._guard = guard
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._base = self._directory("base")
        self._client("make", self._base, self._directory("s"))
        self.version = judge.version(self._base)
        self._usual: frozenset[str] = frozenset()
        """Shapes of lines that a server logs without a fault, too."""

    def counts(self) -> Counts:
        """Return how many calls there are to strike.

        Raises:
            AssertionError: Without a fault, something failed.
        """
        run = self._run(None)
        if run.status != 0 or any(one.error for one in run.did):
            raise AssertionError(f"{self._judge.name} fails by itself: {run}")
        self._usual = frozenset(map(_shape, run.log))
        # No rule strikes stores through a mapping: they are no calls.
        families = [call.family for call in _calls(run.recording) if call.call != "mmap"]
        return Counts(
            sync=families.count("sync") + families.count("syncdir"),
            files=families.count("sync"),
            write=families.count("write"),
        )

    def under(self, fault: Fault, rule: str, *, keep: bool = False) -> tuple[Outcome, Path]:
        """Run the program under *rule*; return what came of it, and its recording."""
        began = monotonic()
        run = self._run(rule)
        found = self._look(run.directory)
        calls = _calls(run.recording)
        struck = [call for call in calls if call.injected]
        commits = [one for one in run.did if one.number is not None]
        under = [
            one.number for one in commits for call in struck[:1]
            if one.began_ns <= call.start_ns <= one.ended_ns
        ]  # fmt: skip
        read = [one.rows for one in run.did if one.what == "rows" and one.rows is not None]
        outcome = Outcome(
            judge=self._judge.name,
            fault=fault,
            rule=rule,
            struck=f"{struck[0].call} {struck[0].path}" if struck else None,
            strikes=len(struck),
            under=under[0] if under else None,
            status=run.status,
            acknowledged=tuple(one.number for one in commits if not one.error and one.number),
            refused=tuple(one.number for one in commits if one.error and one.number),
            said=(
                *(f"{one.what}: {one.error}" for one in run.did if one.error),
                *self._unusual(run.log),
            ),
            warm=read[-1] if read else None,
            cold=found.rows,
            damage=found.damage,
            seconds=monotonic() - began,
            retried=bool(struck) and _retried(struck[0], calls, run.did),
        )
        if not keep:
            for path in (run.directory, run.recording):
                subprocess.run(["rm", "-rf", path], check=False)
        return outcome, run.recording

    def _run(self, rule: str | None) -> "_Run":
        directory, sockets = self._directory("d"), self._directory("s")
        subprocess.run(["cp", "-a", "--sparse=always", f"{self._base}/.", directory], check=True)
        directory.chmod(0o777)
        recording = self._scratch / f"r{next(self._numbers)}"
        inject = ["--inject", rule] if rule else []
        command = [*TRACEFS, "run", "-q", "-o", str(recording), *inject, "--"]
        with self._lock:
            self._guard.watch(directory)
        output = sockets / "out"
        status = _bounded(
            [*command, *self._words("work", sockets)], directory, output, self._judge.limit_s
        )
        lines = output.read_bytes().splitlines()
        did = [msgspec.json.decode(line, type=Did) for line in lines if line.endswith(b"}")]
        return _Run(status, did, _alarms(sockets), directory, recording)

    def _look(self, directory: Path) -> Found:
        sockets = self._directory("s")
        try:
            output = self._client("check", directory, sockets)
        except _FailedError as error:
            logged = self._unusual(_alarms(sockets))
            return Found(rows=(), damage=(f"it can't be opened: {error}", *logged))
        return msgspec.json.decode(output, type=Found)

    def _unusual(self, lines: Sequence[str]) -> tuple[str, ...]:
        """Return the lines that a server doesn't log without a fault."""
        return tuple(line for line in lines if _shape(line) not in self._usual)

    def _client(self, do: str, directory: Path, sockets: Path) -> bytes:
        """Run the client without faults; return what it printed."""
        output = sockets / "out"
        status = _bounded(self._words(do, sockets), directory, output, self._judge.limit_s)
        if status != 0:
            said = output.with_suffix(".err").read_text(errors="replace").strip()
            raise _FailedError(said.rpartition("\n")[2] or f"exit status {status}")
        return output.read_bytes()

    def _words(self, do: str, sockets: Path) -> list[str]:
        client = [sys.executable, "-P", "-m", "judges.client", self._judge.engine]
        return [*client, "--variant", self._judge.variant, "--sockets", str(sockets), do]

    def _directory(self, name: str) -> Path:
        made = self._scratch / f"{name}{next(self._numbers)}"
        made.mkdir()
        made.chmod(0o777)  # some programs run as somebody else
        return made


class _FailedError(Exception):
    """A client failed that should not have."""


@dataclass(frozen=True)
class _Run:
    status: int | None
    did: list[Did]
    log: tuple[str, ...]
    directory: Path
    recording: Path


def _bounded(command: Sequence[str], directory: Path, output: Path, limit_s: float) -> int | None:
    """Run a program in *directory*; return its exit status, or None if it had to be killed."""
    environment = {**os.environ, _MARK: str(directory)}
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, (str(_TOOLS), os.environ.get("PYTHONPATH")))
    )
    with output.open("wb") as out, output.with_suffix(".err").open("wb") as err:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            return process.wait(limit_s)
        except subprocess.TimeoutExpired:
            watchdog.abort(str(directory))
            process.kill()
            process.wait()
            return None
        finally:
            _end_left(str(directory))


def _end_left(mark: str) -> None:
    """Kill what a run has left behind: servers that became groups of their own, for one."""
    wanted = f"{_MARK}={mark}".encode()
    deadline = monotonic() + _PATIENCE_S
    left = True
    while left and monotonic() < deadline:
        left = False
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                # Of one that is ending, this is empty.
                if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    os.kill(int(pid), signal.SIGKILL)
                    left = True


def _calls(recording: Path) -> list[Call]:
    try:
        with JournalReader(recording) as reader:
            return [item for item in Trace(reader).items() if isinstance(item, Call)]
    except TracefsError:
        return []  # it was killed before it wrote one


def _retried(failed: Call, calls: Sequence[Call], did: Sequence[Did]) -> bool:
    """Return whether what *failed*, a sync, was just tried once more before anything else.

    What was asked for next may well sync the same file: that is none.
    """
    if failed.family not in ("sync", "syncdir"):
        return False
    answered = min((one.ended_ns for one in did if one.ended_ns > failed.start_ns), default=0)
    for call in calls:
        if call.start_ns > answered:
            return False
        if call.index > failed.index and (call.ino, call.pid) == (failed.ino, failed.pid):
            if call.family == failed.family:
                return True
            if call.family in ("write", "truncate"):
                return False
    return False


def _shape(line: str) -> str:
    """Return a line without its numbers."""
    return re.sub(r"\d+", "0", line)


def _alarms(sockets: Path) -> tuple[str, ...]:
    """Return the lines of servers' logs that tell of something wrong."""
    lines = [
        f"log: {line}"
        for log in sorted(sockets.glob("log*"))
        for line in log.read_text(errors="replace").splitlines()
        if any(word in line for word in _ALARMING)
    ]
    return tuple(lines[:20])
