"""The command: measure, print tables, and write the figures down if asked to."""

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bench.measure import FULL, QUICK, Commands, Effort, measure_commands, measure_targets
from bench.mount import BenchError
from bench.plan import STORAGES
from bench.sample import Figure
from bench.table import render, render_commands
from bench.targets import TARGETS
from bench.writers import measure_writers, render_writers

_TMPFS: Final = Path("/dev/shm")  # noqa: S108  # folders in it are made by tempfile


class Report(Struct, frozen=True, kw_only=True):
    """All that was measured, as ``--json`` writes it."""

    machine: str
    figures: tuple[Figure, ...]
    commands: Commands | None
    """None: they were not measured."""


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; return its exit code, 3 when something can't be measured."""
    args = _parser().parse_args(arguments)
    try:
        with ExitStack() as stack:
            _run(args, stack)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 3
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench", description="Measure tracefs beside the bare directory, strace and a no-op."
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="less of everything: a first look")
    add("--rounds", type=_positive, metavar="N", help="rounds (default: 5, with --quick 1)")
    add("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    add(
        "--target",
        action="append",
        choices=tuple(TARGETS),
        help="measure this one and not all; can be repeated",
    )
    add("--writers", action="store_true", help="measure the page writers, and nothing else")
    add("--tmpfs", type=Path, default=_TMPFS, metavar="DIR", help="a directory on tmpfs")
    add("--disk", type=Path, default=Path(), metavar="DIR", help="a directory on a disk")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _run(args: argparse.Namespace, stack: ExitStack) -> None:
    _require("gcc", "strace", "taskset")
    effort = QUICK if args.quick else FULL
    if args.rounds:
        effort = msgspec.structs.replace(effort, rounds=args.rounds)
    parents = dict(zip(STORAGES, (args.tmpfs, args.disk), strict=True))
    folders = {storage: _temporary(stack, parent) for storage, parent in parents.items()}
    scratch = _temporary(stack, args.disk)
    if args.writers:
        _run_writers(args, folders, scratch, effort)
        return
    targets = [name for name in TARGETS if not args.target or name in args.target]

    figures = measure_targets(targets, folders, scratch, effort, _progress)
    # Printed before the rest is tried: what took minutes to measure isn't lost.
    print(f"{_machine()}\n\n{render(figures)}", flush=True)
    _progress("starts and checks")
    commands = measure_commands(_temporary(stack, args.disk), scratch, effort)
    _progress("")
    print(render_commands(commands), end="")
    if args.json:
        _write(args.json, Report(machine=_machine(), figures=figures, commands=commands))


def _run_writers(
    args: argparse.Namespace, folders: dict[str, Path], scratch: Path, effort: Effort
) -> None:
    figures = measure_writers(
        folders,
        scratch,
        rounds=effort.rounds,
        budget_ms=effort.budget_ms,
        progress=_progress,
    )
    _progress("")
    print(f"{_machine()}\n\n{render_writers(figures)}", end="")
    if args.json:
        _write(args.json, Report(machine=_machine(), figures=figures, commands=None))


def _machine() -> str:
    return f"{platform.system()} {platform.release()}, {os.cpu_count()} cores"


def _write(file: Path, report: Report) -> None:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")


def _require(*tools: str) -> None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise BenchError(f"not installed: {', '.join(missing)}")


def _temporary(stack: ExitStack, parent: Path) -> Path:
    """Make a folder in *parent* that goes away with *stack*."""
    try:
        made = tempfile.TemporaryDirectory(prefix=".bench-", dir=parent.resolve())
    except OSError as error:
        raise BenchError(f"{parent}: {error.strerror}") from error
    return Path(stack.enter_context(made))


def _progress(text: str) -> None:
    """Say on a terminal what is being measured; nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
