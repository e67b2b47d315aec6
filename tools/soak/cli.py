"""The command: run suites one after the other, and print what each did."""

import argparse
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Final

from mounting import Guard

from soak.arena import Arena
from soak.suite import Scale, Suite, Tally
from soak.suites import SUITES

_HEAD: Final = "suite              result   seconds  operations  faults   inputs  lost"


def main(arguments: Sequence[str]) -> int:
    """Run the suites; return 0 when all passed, 1 when one did not, 3 when one can't be run."""
    args = _parser().parse_args(arguments)
    chosen = [suite for suite in SUITES if not args.only or suite.name in args.only]
    absent = sorted({program for suite in chosen for program in suite.missing}, key=str)
    if args.missing:
        print(*sorted({program.source for program in absent}), sep="\n")
        return 0
    if absent:
        print("soak: not installed: " + ", ".join(program.name for program in absent))
        print("      make setup-soak installs them")
        return 3
    scale = Scale.SHORT if args.short else Scale.LONG
    print(_HEAD, flush=True)
    passed, total = True, Tally()
    guard = Guard()
    try:
        for suite in chosen:
            began = monotonic()
            tally = run_suite(suite, scale, args.dir, guard)
            print(_line(suite.name, tally, monotonic() - began), flush=True)
            for text in (*tally.failures, *tally.notes):
                print(f"    {text}", flush=True)
            passed, total = passed and tally.passed, total + tally
    finally:
        guard.close()
    print(_line("all", total, None))
    return 0 if passed else 1


def run_suite(suite: Suite, scale: Scale, parent: Path, guard: Guard) -> Tally:
    """Run one suite in a new folder of *parent*; what it raises is a failure."""
    with tempfile.TemporaryDirectory(prefix=".s", dir=parent.resolve()) as scratch:
        Path(scratch).chmod(0o755)  # some programs run as somebody else
        try:
            return suite.run(Arena(Path(scratch), guard), scale)
        except Exception:  # noqa: BLE001  # the other suites are to run, too
            return Tally(failures=(traceback.format_exc(),))


def _line(name: str, tally: Tally, seconds: float | None) -> str:
    result = "passed" if tally.passed else "FAILED"
    took = "" if seconds is None else f"{seconds:.0f}"
    return (
        f"{name:<18} {result:<8} {took:>7} {tally.operations:>11,} {tally.faults:>7,}"
        f" {tally.bad_inputs:>8,} {tally.events_lost:>5,}"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="soak",
        description="Let programs judge the mount: what each did, which faults it survived, "
        "which bad inputs were tried, and how many events the journal lost.",
        epilog="suites:\n" + "\n".join(f"  {one.name:<18} {one.about}" for one in SUITES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--missing", action="store_true", help="print what to install, a line each, and end")
    add("--short", action="store_true", help="seconds for each, as the tests do")
    add("--only", type=_names, default=(), metavar="NAMES", help="these alone: fio,git")
    add("--dir", type=Path, default=Path(), metavar="DIR", help="where to work (default: here)")
    return parser


def _names(text: str) -> tuple[str, ...]:
    """Read names of suites, separated by commas."""
    known = {suite.name for suite in SUITES}
    names = tuple(text.split(","))
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"no suite is called {name}")
    return names
