"""Many mounts, one after the other, each ended in another way: nothing piles up."""

import os
import select
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mounting import PATIENCE_S, TRACEFS

from soak import processes
from soak.arena import Arena
from soak.suite import Scale, Suite, Tally
from tracefs.capture import mounts
from tracefs.events import Create
from tracefs.journal.reader import JournalReader

_WAYS: Final = ("run", "umount", "run --visible", "terminate", "force", "kill")


@dataclass(frozen=True)
class _Left:
    """What would grow."""

    mounts: int
    children: int
    descriptors: int
    temporary: int


class _Tracefs:
    """The command, with a folder of its own for temporary files."""

    def __init__(self, temporary: Path) -> None:
        self._environment = {**os.environ, "TMPDIR": str(temporary)}

    def __call__(self, *words: str | Path) -> str:
        """Run it; return what it said, if it failed."""
        done = subprocess.run(
            [*TRACEFS, *words],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE_S,
            check=False,
        )
        return f"{done.returncode}: {done.stderr}" if done.returncode else ""


def _run(arena: Arena, scale: Scale) -> Tally:
    source, mountpoint, temporary = arena.watched("s"), arena.watched("d"), arena.bare("t")
    tracefs = _Tracefs(temporary)
    operations = 0
    failures: list[str] = []
    before = _look(temporary, source, mountpoint)
    count = scale.pick(2 * len(_WAYS), 1000)
    for number in range(count):
        way = _WAYS[number % len(_WAYS)]
        recording = arena.bare("r") / "rec"
        failures += [
            f"{number}, {way}: {why}" for why in _once(tracefs, way, source, mountpoint, recording)
        ]
        operations += 1
        if failures:
            break
    after = _look(temporary, source, mountpoint)
    if after != before:
        failures.append(f"left over after {count}: {after}, before {before}")
    return Tally(operations=operations, faults=count // len(_WAYS), failures=tuple(failures))


def _once(
    tracefs: _Tracefs, way: str, source: Path, mountpoint: Path, recording: Path
) -> list[str]:
    """Mount, make a file, and end the mount; return what was not as it must be."""
    name = f"f{len(os.listdir(source))}"
    failures = []
    if way.startswith("run"):
        options = ["-q", "--dir", str(source), "-o", str(recording)]
        done = tracefs(*way.split(), *options, "--", "touch", str(source / name))
    else:
        done = tracefs("mount", "--background", "-o", recording, source, mountpoint)
        subprocess.run(["touch", str(mountpoint / name)], check=True, timeout=PATIENCE_S)
        done += _end(tracefs, way, mountpoint, recording)
    if done:
        failures.append(done)
    with JournalReader(recording, follow=True) as reader:
        made = [event.path for event in reader.events() if isinstance(event, Create)]
        if made != [name] or reader.ending.complete != (way != "kill"):
            failures.append(f"recorded {made}, {reader.ending.reason}")
    failures += [f"process {pid} is left" for pid in processes.recording(recording)]
    return failures


def _end(tracefs: _Tracefs, way: str, mountpoint: Path, recording: Path) -> str:
    """End a mount; return what was said that should not be."""
    if way in ("umount", "force"):
        return tracefs("umount", *(["--force"] if way == "force" else []), mountpoint)
    (server,) = processes.recording(recording)
    pidfd = os.pidfd_open(server)
    signal.pidfd_send_signal(pidfd, signal.SIGKILL if way == "kill" else signal.SIGTERM)
    os.close(pidfd)
    return _await_unmounted(mountpoint)


def _await_unmounted(mountpoint: Path) -> str:
    """Wait until nothing is mounted there."""
    with open("/proc/self/mountinfo", "rb") as mountinfo:
        changed = select.poll()
        changed.register(mountinfo, select.POLLPRI)
        while mounts.find(os.fsencode(mountpoint)) is not None:
            if not changed.poll(PATIENCE_S * 1000):
                return "left mounted"
    return ""


def _look(temporary: Path, *places: Path) -> _Left:
    return _Left(
        mounts=sum(mounts.find(os.fsencode(place)) is not None for place in places),
        children=len(processes.children(os.getpid())),
        descriptors=len(os.listdir("/proc/self/fd")),
        temporary=len(os.listdir(temporary)),
    )


SUITE: Final = Suite(name="mounts", about="mounts in a row, ended in every way", run=_run)
