"""All that a run of the benchmark measured, as JSON and as text."""

from pathlib import Path

import msgspec
from msgspec import Struct

from bench.compare import Ratio
from bench.machine import Machine
from bench.measure import Commands, Effort
from bench.mount import BenchError
from bench.sample import Figure
from bench.table import render, render_commands


class Report(Struct, frozen=True, kw_only=True):
    """What ``--json`` writes and ``--from`` reads."""

    measured: str
    """Day, in UTC."""
    machine: Machine
    effort: Effort
    figures: tuple[Figure, ...]
    ratios: tuple[Ratio, ...] = ()
    commands: Commands | None = None
    """None: they were not measured."""


def text(report: Report) -> str:
    """Return *report* as a page shows it: where it was measured, then the tables."""
    rounds = f"{report.effort.rounds} round{'s' * (report.effort.rounds != 1)}"
    parts = [
        f"Measured on {report.measured}, {rounds}; {report.machine}.\n",
        render(report.figures, report.ratios),
    ]
    if report.commands is not None:
        parts.append(render_commands(report.commands))
    return "\n".join(parts)


def write(file: Path, report: Report) -> None:
    """Write *report* to *file*.

    Raises:
        BenchError: It can't be written.
    """
    try:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    except OSError as error:
        raise BenchError(f"{file}: {error.strerror}") from error


def read(file: Path) -> Report:
    """Return what `write` wrote.

    Raises:
        BenchError: It can't be read, or is no such file.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=Report)
    except OSError as error:
        raise BenchError(f"{file}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise BenchError(f"{file} is no report of this benchmark: {error}") from error
