"""A program under measurement: it is told each workload, and counters are read around it.

The programs (`worker.c`, `sqlite_load.py`, `pgbench_load.py`) read a workload's name, prepare it,
say ``ready``, wait for a line, measure, and print the times. So nothing goes on while counters are
read, and what preparing took is in none of them.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, Final

from bench.counters import Watch, between
from bench.mount import BenchError
from bench.sample import Measured, Served, parse

_PATIENCE_S: Final = 120
"""For a workload; and for the program to end."""
_LAST_S: Final = 5
"""For one that was killed."""


class Program:
    """One that runs and waits to be told; made by `started`."""

    def __init__(
        self, command: Sequence[str], process: subprocess.Popen[bytes], said: IO[bytes]
    ) -> None:
        self._command = command
        self._process = process
        self._said = said
        self._rest = b""

    def measure(
        self, workload: str, watch: Callable[[int], Watch | None]
    ) -> tuple[Measured, Served | None]:
        """Have *workload* done once; *watch* is given its process id when all processes run.

        Raises:
            BenchError: It fails, or takes too long.
        """
        self._tell(workload)
        if (line := self._line()) != "ready":
            raise BenchError(f"{' '.join(self._command)}: instead of being ready: {line[:200]}")
        watched = watch(self._process.pid)
        before = watched.read() if watched else None
        self._tell("go")
        try:
            measured = parse(self._line(), workload)
        except ValueError as error:
            raise BenchError(f"{' '.join(self._command)}: {error}") from error
        served = between(before, watched.read()) if watched and before else None
        return measured, served

    def end(self) -> None:
        """Let it end.

        Raises:
            BenchError: It fails, or doesn't end.
        """
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            status = self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise self._failure(f"not ended after {_PATIENCE_S} s") from None
        if status:
            raise self._failure(f"exit code {status}")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        # That it has ended shows when its answer is read.
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()

    def _line(self) -> str:
        """Return the next line that it prints, without its end."""
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        deadline = time.monotonic() + _PATIENCE_S
        while b"\n" not in self._rest:
            readable, _, _ = select.select([output], [], [], max(deadline - time.monotonic(), 0))
            if not readable:
                raise self._failure(f"no answer after {_PATIENCE_S} s")
            more = os.read(output, 1 << 20)
            if not more:
                self.end()
                raise self._failure("it ended early")
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace")

    def _failure(self, what: str) -> BenchError:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        # tracefs says in three lines what is wrong and what to do, Python in its last one.
        said = "; ".join(line.strip() for line in lines[-3:])
        return BenchError(f"{' '.join(self._command)}: {what}{said and f': {said}'}")


@contextmanager
def started(command: Sequence[str]) -> Iterator[Program]:
    """Run *command* as long as the context lasts; whatever of it is left then is killed.

    Raises:
        BenchError: It can't be started.
    """
    with TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                # A group of its own, so that what it started can be ended with it.
                start_new_session=True,
            )
        except OSError as error:
            raise BenchError(f"{' '.join(command)}: {error.strerror}") from error
        try:
            yield Program(command, process, said)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            _let_go(process)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Wait for one that was killed, if it can end: a call held by FUSE ends with the mount."""
    for end in (process.stdin, process.stdout):
        assert end is not None
        with suppress(BrokenPipeError):
            end.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_LAST_S)
