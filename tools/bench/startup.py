"""How long a command takes from its start to its end, and how much memory."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

from msgspec import Struct

from bench.mount import BenchError


class Run(Struct, frozen=True, kw_only=True):
    """One process, with what it waited for."""

    wall_ns: int
    peak_kib: int
    """Largest resident set size in KiB (getrusage(2), ru_maxrss)."""


def run_once(command: Sequence[str], folder: Path) -> Run:
    """Run *command* in *folder*, its output thrown away unless it fails.

    Raises:
        BenchError: It can't be started, or ends with another exit code than 0.
    """
    with TemporaryFile() as complaints:
        start = time.monotonic_ns()
        try:
            process = subprocess.Popen(
                command, cwd=folder, stdout=subprocess.DEVNULL, stderr=complaints
            )
        except OSError as error:
            raise BenchError(f"{' '.join(command)}: {error.strerror}") from error
        # wait4 tells this one child's memory; getrusage only the largest of all so far.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic_ns() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            said = complaints.read().decode(errors="replace").strip()
            raise BenchError(f"{' '.join(command)}: exit code {process.returncode}: {said}")
    return Run(wall_ns=wall, peak_kib=usage.ru_maxrss)
