"""The programs that do the workloads: how each is made and started."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench.mount import BenchError
from bench.postgres import CLUSTER

_HERE: Final = Path(__file__).parent


class Amount(Struct, frozen=True, kw_only=True):
    """How much of each workload is done in a round."""

    iterations: int
    """The most of a workload of calls."""
    budget_ms: int
    """The most milliseconds of one."""
    warm_up: int
    """Iterations before it that don't count."""
    transactions: int
    """Of a database, whatever they take; a tenth of them before."""


class Compiled:
    """Programs in C, compiled into *folder* when they are first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def worker(self) -> Path:
        """What does calls, alone and with threads."""
        return self._made("worker", "-pthread")

    @property
    def floor(self) -> Path:
        """The filesystem that only answers."""
        return self._made("floor", *_flags("fuse3"))

    def _made(self, name: str, *flags: str) -> Path:
        program = self._folder / name
        if not program.exists():
            compile_c(_HERE / f"{name}.c", program, *flags)
        return program


def compile_c(source: Path, program: Path, *flags: str) -> None:
    """Compile one C file.

    Raises:
        BenchError: It can't be.
    """
    done = subprocess.run(
        ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(source), *flags],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"gcc can't compile {source.name}: {done.stderr.strip()}")


def command(
    program: str, folder: Path, wrap: Sequence[str], amount: Amount, compiled: Compiled
) -> list[str]:
    """Return the command that does the workloads of *program* in *folder*, under *wrap*."""
    transactions = [str(amount.transactions), str(amount.transactions // 10)]
    if program == "pgbench":
        load = [sys.executable, str(_HERE / "pgbench_load.py"), str(folder / CLUSTER)]
        return [*load, *transactions, *wrap]
    if program == "sqlite":
        load = [sys.executable, str(_HERE / "sqlite_load.py"), str(folder / "load.sqlite")]
        return [*wrap, *load, *transactions]
    limits = (amount.iterations, amount.budget_ms, amount.warm_up)
    return [*wrap, str(compiled.worker), str(folder / "pages"), *map(str, limits)]


def _flags(library: str) -> list[str]:
    """Return what pkg-config knows of *library*."""
    asked = ["pkg-config", "--cflags", "--libs", library]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
