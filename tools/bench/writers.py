"""How long each page writer takes for a page, bare and under tracefs, beside a loop in C.

Every language's loop (`loop` in tests/pagealloc/writers.toml) times its library's ``write_page``
call by call, so that the start of an interpreter is in no figure. `page_loop.c` makes the same
system calls with nothing around them: what no language can do without.
"""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from pagewriters import ROOT, Writer, listed

from bench.mount import BenchError
from bench.plan import steps
from bench.programs import compile_c
from bench.sample import Cell, Figure, Measured, Sample, figure, sample
from bench.targets import pinned, traced

FLOOR: Final = "C"
TRACED: Final = ", traced"
WORKLOAD: Final = "write_page"
_PAGES: Final = 100_000
_TURNS: Final = 4
_PATIENCE_S: Final = 120
_LOOP_C: Final = Path(__file__).with_name("page_loop.c")


def measure_writers(
    folders: dict[str, Path],
    scratch: Path,
    *,
    rounds: int,
    budget_ms: int,
    progress: Callable[[str], None],
) -> tuple[Figure, ...]:
    """Measure every writer everywhere; targets are a language, and the same ``, traced``.

    Args:
        folders: one empty directory for each storage.
        scratch: an empty directory for the C loop and the recordings.
        rounds: how often each is measured; a disk's mood changes within seconds, so that a round is
            cut into `_TURNS` shorter ones.
        budget_ms: milliseconds that a round may measure in each place.
        progress: told what comes next.

    Raises:
        BenchError: A writer can't be built or doesn't work.
    """
    loops = _loops(scratch)
    targets = [name + kind for name in loops for kind in ("", TRACED)]
    recordings = scratch / "writers"
    recordings.mkdir()
    samples: dict[Cell, list[Sample]] = {}
    turns = rounds * _TURNS
    for step in steps({WORKLOAD: targets}, turns):
        progress(f"{step.round + 1}/{turns} {step.storage}, {step.placement} {step.target}")
        folder = folders[step.storage]
        language, kind, _ = step.target.partition(TRACED)
        command = [loops[language], str(folder / "pages"), str(_PAGES), str(budget_ms // _TURNS)]
        if kind:
            recording = recordings / f"{len(list(recordings.iterdir()))}.trace"
            command = traced(command, folder, recording)
        measured = run_loop([*pinned(step.placement), *command])
        cell = _cell(step.storage, step.placement, step.target)
        samples.setdefault(cell, []).append(sample(step.round, measured))
    return tuple(figure(cell, ones) for cell, ones in samples.items())


def run_loop(command: Sequence[str]) -> Measured:
    """Run a loop to its end; return the times that it printed.

    Raises:
        BenchError: It fails.
    """
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(str(error)) from error
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise BenchError(f"{' '.join(command)}: {last[0]}")
    name, *times = done.stdout.split()
    if name != WORKLOAD or not times:
        raise BenchError(f"{' '.join(command)}: no times in {done.stdout[:200]!r}")
    spent = tuple(map(int, times))
    return Measured(workload=WORKLOAD, elapsed_ns=sum(spent), times=spent)


def _cell(storage: str, placement: str, target: str) -> Cell:
    return Cell(storage=storage, placement=placement, workload=WORKLOAD, target=target)


def render_writers(figures: Sequence[Figure]) -> str:
    """Return a row for each storage, placement and language; microseconds, ratios of medians."""
    return "\n".join([_row(_HEAD), *map(_row, _rows(figures))]) + "\n"


_HEAD: Final = ("", "write_page", "bare", "p99", "x C", "traced", "p99", "x C", "x bare")
_WIDTHS: Final = (17, 11, 9, 9, 7, 9, 9, 7, 8)


def _rows(figures: Sequence[Figure]) -> Iterator[tuple[str, ...]]:
    by_cell = {one.cell: one for one in figures}
    places = dict.fromkeys((one.cell.storage, one.cell.placement) for one in figures)
    languages = sorted({one.cell.target.partition(TRACED)[0] for one in figures})
    for place in places:
        for number, language in enumerate(languages):
            bare, under = (by_cell[_cell(*place, language + kind)] for kind in ("", TRACED))
            floor, floor_under = (by_cell[_cell(*place, FLOOR + kind)] for kind in ("", TRACED))
            yield (
                ", ".join(place) if number == 0 else "",
                language,
                *_micro(bare),
                f"{bare.median_ns.median / floor.median_ns.median:.2f}",
                *_micro(under),
                f"{under.median_ns.median / floor_under.median_ns.median:.2f}",
                f"{under.median_ns.median / bare.median_ns.median:.1f}",
            )


def _micro(one: Figure) -> tuple[str, str]:
    return f"{one.median_ns.median / 1000:.1f}", f"{one.p99_ns.median / 1000:.0f}"


def _row(words: Sequence[str]) -> str:
    left = [f"{word:<{width}}" for word, width in zip(words[:2], _WIDTHS[:2], strict=True)]
    right = [f"{word:>{width}}" for word, width in zip(words[2:], _WIDTHS[2:], strict=True)]
    return "".join(left + right).rstrip()


def _loops(scratch: Path) -> dict[str, str]:
    """Build every loop; return language -> program, the floor first."""
    program = scratch / "page_loop"
    compile_c(_LOOP_C, program)
    return {FLOOR: str(program)} | {writer.language: _built(writer) for writer in listed()}


def _built(writer: Writer) -> str:
    lacking = writer.lacking()
    if lacking:
        raise BenchError(f"no {' and no '.join(lacking)}; install: {writer.install}")
    done = subprocess.run(
        ["sh", "-c", writer.loop_build],
        cwd=ROOT / writer.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"{writer.language}: {writer.loop_build}: {done.stderr.strip()}")
    return str(ROOT / writer.loop)
