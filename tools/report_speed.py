"""How long a report takes to make and to open, how large it is, how fast calls are exported, and
how fast many recordings are checked.

    .venv/bin/python tools/report_speed.py [-n CALLS] [--rounds N] [--no-browser]

Of each figure the best of all rounds; the journal is one of `bench.checking`: pwrite64 and
fdatasync in turn, and for the dataset ten copies of it. Loading counts from the navigation to the
first drawing of all views; a move is one of the slider, until it is drawn.
"""

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.checking import write_journal
from browser import DRAWN, Browser

TRACEFS = [sys.executable, "-P", "-m", "tracefs"]
FORMATS = ("csv", "jsonl", "perfetto", "c", "python", "strace", "fio", "parquet")
COPIES = 10
MOVE = """(async () => {
  const when = document.getElementById("when");
  const begin = performance.now();
  when.value = %d;
  when.dispatchEvent(new Event("input"));
  await %s;
  return performance.now() - begin;
})()"""


def seconds(command: list[str], rounds: int, output: Path | None = None) -> float:
    """Return how long *command* takes, at best; it ends with 0 or 4."""
    best = float("inf")
    for _ in range(rounds):
        with open(output or "/dev/null", "wb") as out:
            begin = time.perf_counter()
            done = subprocess.run(
                command, stdout=out, stderr=subprocess.PIPE, text=True, check=False
            )
        if done.returncode not in {0, 4}:
            sys.exit(done.stderr)
        best = min(best, time.perf_counter() - begin)
    return best


def opening(page: Path, scratch: Path, calls: int, rounds: int) -> tuple[float, float]:
    """Return milliseconds until the page is drawn, and for a move of the slider, at best."""
    loads, moves = [], []
    with contextlib.closing(Browser(scratch / "profile")) as chromium:
        for number in range(rounds):
            # The same address again would only be a move within the page.
            again = page.with_name(f"{number}.html")
            page.rename(again)
            page = again
            chromium.open(page.as_uri())
            loads.append(chromium.evaluate(f"{DRAWN}.then(() => performance.now())"))
            moves += [
                chromium.evaluate(MOVE % (at, DRAWN)) for at in (calls // 2, calls // 2 + 100)
            ]
    return min(loads), min(moves)


def copies(dataset: Path, count: int) -> None:
    """Make *count* recordings of the one in *dataset*."""
    [first] = dataset.iterdir()
    for number in range(1, count):
        shutil.copytree(first, first.with_name(f"{first.name}-{number}"))


def told(name: str, figure: str) -> None:
    print(f"{name:<28} {figure:>16}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=1_000_000, help="calls (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-browser", action="store_true")
    args = parser.parse_args()

    def rate(took: float) -> str:
        return f"{args.n / took:,.0f}/s"

    with tempfile.TemporaryDirectory(prefix="report-speed-") as name:
        scratch = Path(name)
        recording = scratch / "long.trace"
        write_journal(recording, args.n)
        page = scratch / "report.html"
        told("calls", f"{args.n:,}")
        took = seconds([*TRACEFS, "report", str(recording), "-o", str(page)], args.rounds)
        told("report made in", f"{took:.1f} s")
        told("bytes a call", f"{page.stat().st_size / args.n:.2f}")
        if not args.no_browser:
            load, move = opening(page, scratch, args.n, args.rounds)
            told("opens in", f"{load:,.0f} ms")
            told("slider moves in", f"{move:,.0f} ms")
        for form in FORMATS:
            words = [*TRACEFS, "export", str(recording), "--to", form, "-o", str(scratch / form)]
            told(f"export to {form}", rate(seconds(words, args.rounds)))
        add = [*TRACEFS, "dataset", "add", str(scratch / "all"), str(recording), "--again"]
        told("dataset add", rate(seconds(add, args.rounds)))
        copies(scratch / "all", COPIES)
        for contract in ("page-write", "no-unsynced-close"):
            words = [*TRACEFS, "dataset", "check", str(scratch / "all"), "--contract", contract]
            took = seconds(words, args.rounds)
            told(f"{contract}, {COPIES} times", f"{took:.1f} s, {rate(took / COPIES)}")
        told("show", rate(seconds([*TRACEFS, "show", str(recording)], args.rounds)))
        told("show --follow", rate(seconds([*TRACEFS, "show", "-f", str(recording)], args.rounds)))


if __name__ == "__main__":
    main()
