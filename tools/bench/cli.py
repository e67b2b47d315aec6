"""The command: measure, print tables, and write the figures down if asked to."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from bench import postgres
from bench.compare import compare
from bench.machine import this_machine
from bench.measure import FULL, LONG, QUICK, Bench, Effort, measure_commands
from bench.mount import BenchError
from bench.page import put_into
from bench.peers import TARGETS
from bench.plan import STORAGES
from bench.report import Report, read, text, write
from bench.targets import OURS
from bench.workloads import GROUPS, PGBENCH, WORKLOADS, chosen, group_of
from bench.writers import measure_writers, render_writers

_TMPFS: Final = Path("/dev/shm")  # noqa: S108  # folders in it are made by tempfile


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
        prog="bench",
        description="Measure tracefs beside the bare directory, strace, and other filesystems.",
        epilog=f"workloads: {', '.join(WORKLOADS)}; in groups: {', '.join(GROUPS)}",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="less of everything: a first look")
    add("--long", action="store_true", help=f"{LONG} times the transactions of databases")
    add("--rounds", type=_positive, metavar="N", help="rounds (default: 5, with --quick 1)")
    add("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    add("--page", type=Path, metavar="FILE", help="also put the tables into their place in FILE")
    add("--from", type=Path, dest="earlier", metavar="FILE", help="show FILE, measure nothing")
    add(
        "--target",
        action="append",
        choices=tuple(TARGETS),
        help="measure this one and not all; can be repeated",
    )
    add(
        "--workload",
        action="append",
        choices=(*GROUPS, *WORKLOADS),
        metavar="NAME",
        help="do this workload, or this group, and not all; can be repeated",
    )
    add("--also", action="append", choices=_peers(), help="measure this one as well")
    add("--lazyfs", default="lazyfs", metavar="PROGRAM", help="where LazyFS's program is")
    add("--writers", action="store_true", help="measure the page writers, and nothing else")
    add("--tmpfs", type=Path, default=_TMPFS, metavar="DIR", help="a directory on tmpfs")
    add("--disk", type=Path, default=Path(), metavar="DIR", help="a directory on a disk")
    return parser


def _peers() -> tuple[str, ...]:
    return tuple(name for name, target in TARGETS.items() if target.peer)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _run(args: argparse.Namespace, stack: ExitStack) -> None:
    if args.earlier:
        _show(args, read(args.earlier))
        return
    _require("gcc", "strace", "taskset")
    effort = _effort(args)
    parents = dict(zip(STORAGES, (args.tmpfs, args.disk), strict=True))
    folders = {storage: _temporary(stack, parent) for storage, parent in parents.items()}
    scratch = _temporary(stack, args.disk)
    if args.writers:
        _run_writers(args, folders, scratch, effort)
        return
    bench = Bench(
        _targets(args), _workloads(args), folders, scratch, effort.amount, lazyfs=args.lazyfs
    )
    report = Report(
        measured=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=this_machine(folders),
        effort=effort,
        figures=bench.measure(effort.rounds, _progress),
    )
    report = msgspec.structs.replace(report, ratios=compare(report.figures))
    if not (args.target or args.workload):
        _progress("starts and checks")
        commands = measure_commands(_temporary(stack, args.disk), scratch, effort)
        report = msgspec.structs.replace(report, commands=commands)
    _progress("")
    _show(args, report)


def _targets(args: argparse.Namespace) -> list[str]:
    asked = [*(args.target or OURS), *(args.also or ())]
    return [name for name in TARGETS if name in asked]


def _workloads(args: argparse.Namespace) -> list[str]:
    names = chosen(args.workload or ())
    why = postgres.missing()
    if why is None or not any(group_of(name) == PGBENCH for name in names):
        return list(names)
    print(f"bench: without {PGBENCH}: {why}", file=sys.stderr)
    return [name for name in names if group_of(name) != PGBENCH]


def _effort(args: argparse.Namespace) -> Effort:
    effort = QUICK if args.quick else FULL
    if args.rounds:
        effort = msgspec.structs.replace(effort, rounds=args.rounds)
    if args.long:
        transactions = effort.amount.transactions * LONG
        amount = msgspec.structs.replace(effort.amount, transactions=transactions)
        effort = msgspec.structs.replace(effort, amount=amount)
    return effort


def _show(args: argparse.Namespace, report: Report) -> None:
    # Written down first: what took minutes to measure isn't lost.
    if args.json:
        write(args.json, report)
    print(text(report), end="")
    if args.page:
        put_into(args.page, "figures", text(report))


def _run_writers(
    args: argparse.Namespace, folders: dict[str, Path], scratch: Path, effort: Effort
) -> None:
    figures = measure_writers(
        folders,
        scratch,
        rounds=effort.rounds,
        budget_ms=effort.writer_ms,
        progress=_progress,
    )
    _progress("")
    machine = this_machine(folders)
    shown = f"{machine}\n\n{render_writers(figures)}"
    print(shown, end="")
    if args.page:
        put_into(args.page, "writers", f"```text\n{shown}```")
    if args.json:
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        write(args.json, Report(measured=today, machine=machine, effort=effort, figures=figures))


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
