"""The four places that the worker runs on."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench.mount import BenchError, noop_mount
from bench.sample import parse

TRACEFS: Final = str(Path(sys.executable).with_name("tracefs"))
_PATIENCE_S: Final = 120

Times = dict[str, list[int]]


class Worker:
    """The compiled worker and how much it does.

    Args:
        folder: where the program is put; not one that is measured.
        iterations: most iterations of a workload.
        budget_ms: most milliseconds of a workload.

    Raises:
        BenchError: It can't be compiled.
    """

    def __init__(self, folder: Path, *, iterations: int, budget_ms: int) -> None:
        self._program = folder / "worker"
        self._limits = (str(iterations), str(budget_ms))
        source = Path(__file__).with_name("worker.c")
        done = subprocess.run(
            ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(self._program), str(source)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BenchError(f"gcc can't compile the worker: {done.stderr.strip()}")

    def command(self, folder: Path) -> list[str]:
        """Return how to run it on the file ``pages`` in *folder*."""
        return [str(self._program), str(folder / "pages"), *self._limits]


def pinned(placement: str) -> list[str]:
    """Return the prefix of commands for *placement*; children inherit it, so do servers."""
    if placement == "free":
        return []
    return ["taskset", "-c", str(max(os.sched_getaffinity(0)))]


def run_bare(worker: Worker, folder: Path, prefix: Sequence[str], _scratch: Path) -> Times:
    """Run on the directory itself."""
    return _times([*prefix, *worker.command(folder)])


def run_strace(worker: Worker, folder: Path, prefix: Sequence[str], _scratch: Path) -> Times:
    """Run on the directory itself under strace, which formats every call and throws it away."""
    return _times([*prefix, "strace", "-f", "-o", "/dev/null", *worker.command(folder)])


def run_noop(worker: Worker, folder: Path, prefix: Sequence[str], _scratch: Path) -> Times:
    """Run on the filesystem that does nothing, mounted beside the files."""
    mount_point = folder / "noop"
    mount_point.mkdir(exist_ok=True)
    with noop_mount(mount_point, prefix):
        return _times([*prefix, *worker.command(mount_point)])


def run_tracefs(worker: Worker, folder: Path, prefix: Sequence[str], scratch: Path) -> Times:
    """Run under ``tracefs run``, which records into *scratch*."""
    recording = scratch / f"{len(list(scratch.iterdir()))}.trace"
    run = [TRACEFS, "run", "--dir", str(folder), "-o", str(recording), "--"]
    return _times([*prefix, *run, *worker.command(folder)])


TARGETS: Final[dict[str, Callable[[Worker, Path, Sequence[str], Path], Times]]] = {
    "bare": run_bare,
    "strace -f": run_strace,
    "no-op": run_noop,
    "tracefs": run_tracefs,
}


def _times(command: Sequence[str]) -> Times:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(str(error)) from error
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise BenchError(f"{' '.join(command)}: {last[0]}")
    return parse(done.stdout)
