"""The places that the worker runs on."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench.mount import BenchError, mount, noop_mount
from bench.sample import WORKLOADS, parse

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
        self.floor = folder / "floor"
        """The filesystem in C that only answers; compiled when it is first needed."""
        self._limits = (str(iterations), str(budget_ms))
        compiled(Path(__file__).with_name("worker.c"), self._program)

    def command(self, folder: Path) -> list[str]:
        """Return how to run it on the file ``pages`` in *folder*."""
        return [str(self._program), str(folder / "pages"), *self._limits]


def compiled(source: Path, program: Path, *libraries: str) -> None:
    """Compile one C file, with *libraries* that pkg-config knows.

    Raises:
        BenchError: It can't be.
    """
    flags: list[str] = []
    if libraries:
        asked = ["pkg-config", "--cflags", "--libs", *libraries]
        flags = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    done = subprocess.run(
        ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(source), *flags],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"gcc can't compile {source.name}: {done.stderr.strip()}")


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


def run_strace_bpf(worker: Worker, folder: Path, prefix: Sequence[str], _scratch: Path) -> Times:
    """Run under strace that stops by a seccomp filter at the calls it is to show, and no others."""
    strace = ["strace", "-f", "--seccomp-bpf", "-e", "trace=lseek,write,pwrite64,fdatasync"]
    return _times([*prefix, *strace, "-o", "/dev/null", *worker.command(folder)])


def run_noop(worker: Worker, folder: Path, prefix: Sequence[str], _scratch: Path) -> Times:
    """Run on the filesystem that does nothing, mounted beside the files."""
    mount_point = folder / "noop"
    mount_point.mkdir(exist_ok=True)
    with noop_mount(mount_point, prefix):
        return _times([*prefix, *worker.command(mount_point)])


def run_floor(worker: Worker, folder: Path, prefix: Sequence[str], _scratch: Path) -> Times:
    """Run on the filesystem in C that does nothing, mounted beside the files."""
    if not worker.floor.exists():
        compiled(Path(__file__).with_name("floor.c"), worker.floor, "fuse3")
    mount_point = folder / "floor"
    mount_point.mkdir(exist_ok=True)
    with mount([*prefix, str(worker.floor)], mount_point):
        return _times([*prefix, *worker.command(mount_point)])


def run_tracefs(worker: Worker, folder: Path, prefix: Sequence[str], scratch: Path) -> Times:
    """Run under ``tracefs run``, which records into *scratch*."""
    return _times([*prefix, *traced(worker.command(folder), folder, scratch)])


def traced(command: Sequence[str], folder: Path, recordings: Path) -> list[str]:
    """Return *command* under ``tracefs run`` on *folder*, recorded into a new folder."""
    recording = recordings / f"{len(list(recordings.iterdir()))}.trace"
    return [TRACEFS, "run", "-q", "--dir", str(folder), "-o", str(recording), "--", *command]


TARGETS: Final[dict[str, Callable[[Worker, Path, Sequence[str], Path], Times]]] = {
    "bare": run_bare,
    "strace -f": run_strace,
    "strace --seccomp-bpf": run_strace_bpf,
    "C floor": run_floor,
    "no-op": run_noop,
    "tracefs": run_tracefs,
}


def run_loop(command: Sequence[str], workload: str) -> list[int]:
    """Run a program of one *workload*; return the nanoseconds of each iteration."""
    return parse(_output(command), (workload,))[workload]


def _times(command: Sequence[str]) -> Times:
    return parse(_output(command), WORKLOADS)


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(str(error)) from error
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise BenchError(f"{' '.join(command)}: {last[0]}")
    return done.stdout
