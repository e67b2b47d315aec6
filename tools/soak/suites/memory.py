"""How much memory the server and the readers take: by events, by files seen, by files recorded."""

import json
import sys
from pathlib import Path
from typing import Final

from mounting import TRACEFS

from soak import memory_load, settled
from soak.arena import Arena
from soak.many_files import make_files, record_files
from soak.suite import Scale, Suite, Tally

_MOST_MIB: Final = 100
_FLAT_MIB: Final = 4
"""What the allocator's arenas may make of nothing."""
_BYTES_A_FILE: Final = 500
"""As docs/reference/limits.md says."""
_LOOK: Final = """
import os
print(sum(1 for folder, _, names in os.walk(".") for name in names
          if os.stat(f"{folder}/{name}").st_size == 0))
"""


def _run(arena: Arena, scale: Scale) -> Tally:
    return (
        _by_events(arena, scale.pick(20_000, 2_000_000))
        + _by_files_seen(arena, scale.pick(20_000, 1_000_000))
        + _by_files_recorded(arena, scale.pick(10_000, 1_000_000))
    )


def _by_events(arena: Arena, count: int) -> Tally:
    """Make so many events, with the default witness; the second half may cost no more memory."""
    program = str(Path(memory_load.__file__))
    command = [sys.executable, "-I", "-S", program, str(count), "2"]
    run = arena.run_traced(command, arena.bare(), limit_s=count / 200 + 120)
    if run.returncode != 0:
        return Tally(failures=(f"memory_load: {run.stderr[-2000:]}",))
    half, whole = map(json.loads, run.stdout.splitlines())
    failures = []
    for process, used in whole.items():
        grown = used["VmRSS"] - half[process]["VmRSS"]
        if used["VmHWM"] > _MOST_MIB:
            failures.append(f"{process}: {used['VmHWM']:.1f} MiB at most")
        if grown > _FLAT_MIB:
            failures.append(f"{process} grew by {grown:.1f} MiB in the second half")
    peaks = ", ".join(f"{process} {used['VmHWM']:.1f}" for process, used in whole.items())
    note = f"{count} events: MiB at most: {peaks}"
    return Tally(operations=count, failures=tuple(failures), notes=(note,))


def _by_files_seen(arena: Arena, count: int) -> Tally:
    """Look at so many files twice, with the kernel forgetting them in between."""
    look = [sys.executable, "-I", "-S", "-c", _LOOK]
    failures = []
    with arena.mounted() as place:
        make_files(place.source, count)
        start = settled.resident_mib(place.server)
        used = []
        for _ in range(2):
            done = arena.run(look, place.path, limit_s=1800)
            if done.stdout.split() != [str(count)]:
                failures.append(f"looked at {done.stdout} of {count} files: {done.stderr[-500:]}")
            used.append(settled.resident_mib(place.server) - start)
            settled.forget(place)
        left = settled.descriptors_below(place.server, place.source)
    each = used[0] * (1 << 20) / count
    if each > _BYTES_A_FILE:
        failures.append(f"{each:.0f} bytes for each of {count} files")
    if used[1] > used[0] + _FLAT_MIB + used[0] / 10:
        failures.append(f"{used[0]:.1f} MiB for {count} files, {used[1]:.1f} for them again")
    notes = (f"{each:.0f} bytes for each of {count} files seen, {left} descriptors kept",)
    return Tally(operations=2 * count, failures=tuple(failures), notes=notes)


def _by_files_recorded(arena: Arena, count: int) -> Tally:
    """Read recordings of many files and of ten times as many; both must take the same memory."""
    failures, notes = [], []
    few, many = arena.bare() / "few", arena.bare() / "many"
    record_files(few, count // 10)
    record_files(many, count)
    for command in ("show", "check"):
        peaks = []
        for recording in (few, many):
            words = [*TRACEFS, command, str(recording)]
            done = arena.run([sys.executable, "-c", _PEAK, *words], arena.bare(), limit_s=1800)
            peaks.append(float(done.stdout or "nan"))
        few_files = f"{peaks[0]:.1f} for {count // 10} files recorded"
        note = f"{command}: MiB at most: {few_files}, {peaks[1]:.1f} for {count}"
        notes.append(note)
        if not peaks[1] - peaks[0] < _FLAT_MIB:
            failures.append(note)
    return Tally(operations=2 * count, failures=tuple(failures), notes=tuple(notes))


_PEAK: Final = """
import resource, subprocess, sys
if subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode not in (0, 4):
    sys.exit("failed")
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


SUITE: Final = Suite(name="memory", about="memory of the server and of readers", run=_run)
