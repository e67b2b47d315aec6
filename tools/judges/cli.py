"""The command: run programs under faults, show one run, or put results into a page."""

import argparse
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from mounting import TRACEFS, Guard

from judges import tables
from judges.outcome import Fault, Outcome
from judges.plan import Line, Session, run_all
from judges.programs import JUDGES, Judge
from judges.trial import Trials

_AROUND: Final = 4
"""Lines of the trace to show on each side of a fault."""


def main(arguments: Sequence[str]) -> int:
    """Do what the command line tells; return 0, or 3 where a program is not installed."""
    args = _parser().parse_args(arguments)
    chosen = [judge for judge in JUDGES if not args.only or judge.name in args.only]
    absent = sorted({program for judge in chosen for program in judge.missing}, key=str)
    if args.missing:
        print(*sorted({program.source for program in absent}), sep="\n")
        return 0
    if args.into is not None:
        lines = [
            msgspec.json.decode(line, type=Line) for line in args.out.read_bytes().splitlines()
        ]
        args.into.write_text(tables.put_into(args.into.read_text(), tables.page(lines)))
        return 0
    if absent:
        print("judges: not installed: " + ", ".join(program.name for program in absent))
        print("        make setup-soak installs them")
        return 3
    guard = Guard()
    try:
        with tempfile.TemporaryDirectory(prefix=".j", dir=args.dir.resolve()) as name:
            scratch = Path(name)
            scratch.chmod(0o755)  # some programs run as somebody else
            if args.rule:
                _show(chosen[0], args.rule, scratch, guard)
            else:
                _run(chosen, args, scratch, guard)
    finally:
        guard.close()
    return 0


def _run(judges: Sequence[Judge], args: argparse.Namespace, scratch: Path, guard: Guard) -> None:
    with args.out.open("ab") as file:
        for judge in judges:
            own = scratch / judge.name
            own.mkdir()
            verdicts: Counter[str] = Counter()
            for line in run_all(
                judge, args.faults, own, guard, jobs=args.jobs, limit=args.limit, seed=args.seed
            ):
                file.write(msgspec.json.encode(line) + b"\n")
                file.flush()
                if isinstance(line, Session):
                    print(f"{judge.name} {line.version}: {line.syncs} syncs, {line.writes} writes")
                else:
                    verdicts[f"{line.outcome.fault} {line.outcome.verdict}"] += 1
            for kind, number in verdicts.items():
                print(f"    {kind:<24} {number:>4}", flush=True)


def _show(judge: Judge, rule: str, scratch: Path, guard: Guard) -> None:
    """Make one run, and print what came of it and the trace around the fault."""
    trials = Trials(judge, scratch, guard)
    trials.counts()  # from which it knows what a server logs without a fault, too
    fault = next((one for one in Fault if f"mode={one.value}" in rule), Fault.EIO)
    outcome, recording = trials.under(fault, rule, keep=True)
    _print(outcome)
    shown = subprocess.run(
        [*TRACEFS, "show", str(recording)], capture_output=True, text=True, check=False
    ).stdout.splitlines()
    marked = [at for at, line in enumerate(shown) if "(INJECTED)" in line and line[:1] != "#"]
    wanted = {
        at for mark in marked[:1] for at in range(mark - _AROUND, mark + 3 * _AROUND + 1)
    } | set(marked[:20])
    for at, line in enumerate(shown):
        if at in wanted or "went back to what" in line:
            print(line)


def _print(outcome: Outcome) -> None:
    print(f"{outcome.judge} under {outcome.rule}: {outcome.verdict.upper()}")
    for name in ("struck", "strikes", "under", "status", "acknowledged", "refused"):
        print(f"    {name}: {getattr(outcome, name)}")
    print(f"    lost: {outcome.lost}; refused, yet there: {outcome.appeared};"
          f" seen, then gone: {outcome.vanished}")  # fmt: skip
    for text in outcome.said[:6]:
        print(f"    said: {text[:300]}")
    for text in outcome.damage[:6]:
        print(f"    damage: {text[:300]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="judges",
        description="Let each sync of a program fail, then each write, and look what became of "
        "what it had acknowledged.",
        epilog="programs:\n"
        + "\n".join(f"  {one.name:<14} {one.title}, {one.use}" for one in JUDGES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--missing", action="store_true", help="print what to install, a line each, and end")
    add("--only", type=_names, default=(), metavar="NAMES", help="these alone: git,redis")
    add("--faults", type=_faults, default=tuple(Fault), metavar="FAULTS",
        help=f"these alone (all: {','.join(Fault)})")  # fmt: skip
    add("--rule", metavar="RULE", help="one run under this rule, shown with its trace")
    add("--limit", type=int, default=60, metavar="N", help="places per fault at most (60)")
    add("--seed", type=int, default=1, metavar="N", help="of the sample beyond the limit (1)")
    add("--jobs", type=int, default=2, metavar="N", help="runs at a time (2)")
    add("--out", type=Path, default=Path("build/judges.jsonl"), metavar="FILE",
        help="where results are added, a line each (build/judges.jsonl)")  # fmt: skip
    add("--into", type=Path, metavar="PAGE", help="run nothing: put the results into this page")
    add("--dir", type=Path, default=Path(), metavar="DIR", help="where to work (default: here)")
    return parser


def _names(text: str) -> tuple[str, ...]:
    """Read names of programs, separated by commas."""
    known = {judge.name for judge in JUDGES}
    names = tuple(text.split(","))
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"no program is called {name}")
    return names


def _faults(text: str) -> tuple[Fault, ...]:
    """Read names of faults, separated by commas."""
    try:
        return tuple(map(Fault, text.split(",")))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
