"""One case: made, recorded, looked at as it is, and explored."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pagewriters
from mounting import TRACEFS, Guard, run_traced

from crash_suite.cases import Case, Expected
from crash_suite.judging import Result, judge
from tracefs.crash.checkers import find
from tracefs.crashes import CrashReport
from tracefs.events import Mkdir
from tracefs.journal.reader import JournalReader

_TOOLS: Final = Path(__file__).resolve().parents[1]
_ACK: Final = ".ack:"
_PATIENCE_S: Final = 60
_CHECK_S: Final = 60


class CaseError(Exception):
    """A case can't be explored: its program fails, or its checker, without any crash."""


@dataclass(frozen=True)
class Recorded:
    """A case's recording."""

    case: Case
    directory: Path
    """The traced one, as it was left."""
    recording: Path
    acks: tuple[str, ...]


def missing(case: Case) -> list[str]:
    """Return what is not installed, or not built."""
    found = [program.name for program in case.needs if program.path is None]
    found += [one.needs for one in case.built if shutil.which(one.needs) is None]
    if case.compiled is not None:
        found += [
            f"{writer.binary} (make pagealloc)"
            for writer in pagewriters.listed()
            if writer.name == case.compiled and not Path(writer.command).exists()
        ]
    return found


def record(case: Case, folder: Path, guard: Guard) -> Recorded:
    """Make the files of *case* and record it, in the new *folder*.

    Raises:
        CaseError: a program failed, said of nothing that it is durable, or left what its own
            checker says no to.
    """
    for one in case.built:
        one.make()
    directory, recording = folder / "d", folder / "recording"
    directory.mkdir(parents=True)
    environment = {"PYTHONPATH": os.pathsep.join((str(_TOOLS), os.environ.get("PYTHONPATH", "")))}
    if case.make:
        subprocess.run(case.make, cwd=directory, env={**os.environ, **environment}, check=True)
    run = run_traced(
        directory, recording, guard, case.work, "--payload",
        env=environment, patience_s=_PATIENCE_S,
    )  # fmt: skip
    if run.returncode != 0:
        raise CaseError(f"{case.name}: exit code {run.returncode}: {run.stderr}")
    recorded = Recorded(case, directory, recording, _acks(recording))
    if not recorded.acks:
        raise CaseError(f"{case.name}: nothing was acknowledged")
    if (wrong := look(recorded)) is not None:
        raise CaseError(f"{case.name}: without any crash its checker says: {wrong}")
    return recorded


def look(recorded: Recorded) -> str | None:
    """Return what the checker says of a copy of the directory as it was left, None: all is good."""
    copy = recorded.directory.with_name("copy")
    shutil.copytree(recorded.directory, copy, symlinks=True)
    try:
        ready = find(recorded.case.check)
        if ready is not None:
            return ready.ask(copy, recorded.acks)
        acks = recorded.directory.with_name("acks")
        acks.write_text("".join(f"{ack}\n" for ack in recorded.acks), "utf-8")
        done = subprocess.run(
            ["sh", "-c", recorded.case.check.replace("{dir}", shlex.quote(str(copy)))],
            env={**os.environ, "TRACEFS_ACKS": str(acks)},
            capture_output=True,
            text=True,
            timeout=_CHECK_S,
            check=False,
        )
        return None if done.returncode == 0 else f"{done.stdout}{done.stderr}".strip()
    finally:
        shutil.rmtree(copy)


def explore(recorded: Recorded, expected: Expected, options: Sequence[str] = ()) -> Result:
    """Explore the recording as *expected* says, and hold the answer to it.

    Raises:
        CaseError: there was no answer.
    """
    words = [*command(recorded, expected), "--format", "json", *options]
    done = subprocess.run([*TRACEFS, *words], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 4):
        raise CaseError(f"{recorded.case.name}: {done.stderr or done.stdout}")
    report = msgspec.json.decode(done.stdout, type=CrashReport)
    return judge(recorded.case.name, recorded.case.title, expected, report)


def command(recorded: Recorded, expected: Expected) -> list[str]:
    """Return the words after ``tracefs`` that explore the recording."""
    deep = ["--deep"] if expected.deep else []
    check, profile = recorded.case.check, expected.profile
    return ["crash", str(recorded.recording), "--check", check, "--profile", profile, *deep]


def run(case: Case, folder: Path, guard: Guard, options: Sequence[str] = ()) -> Iterator[Result]:
    """Record *case* in the new *folder*; yield what comes of it under each of its profiles."""
    recorded = record(case, folder, guard)
    for expected in case.expected:
        yield explore(recorded, expected, options)


def _acks(recording: Path) -> tuple[str, ...]:
    found = []
    with JournalReader(recording) as journal:
        for event in journal.events():
            name = event.path.rpartition("/")[2] if isinstance(event, Mkdir) else ""
            if name.startswith(_ACK):
                found.append(name.removeprefix(_ACK))
    return tuple(found)
