"""Figures as a table, each beside those it is to be compared with."""

from collections.abc import Iterator, Sequence

from bench.measure import Commands
from bench.sample import Cell, Figure

REFERENCES = ("bare", "strace -f", "C floor", "no-op")
_HEAD = ("", "", "median", "p99", *(f"x {name}" for name in REFERENCES))
_WIDTHS = (29, 21, 10, 10, 10, 13, 11, 10)


def render(figures: Sequence[Figure]) -> str:
    """Return one table for each storage and placement; times in microseconds, ratios of medians."""
    places = dict.fromkeys((one.cell.storage, one.cell.placement) for one in figures)
    return "\n\n".join(_table(figures, *place) for place in places) + "\n"


def render_commands(commands: Commands) -> str:
    """Return a line for each command; times in milliseconds, of checks the calls in a second."""
    lines = [
        f"{name:<22}{ns / 1e6:>7.0f} ms"
        for name, ns in (
            ("python -c pass", commands.python_ns),
            ("tracefs --help", commands.help_ns),
            ("tracefs run -- true", commands.run_true_ns),
        )
    ]
    lines += [
        f"tracefs check of {one.calls:,} calls ({one.bytes >> 20} MiB): "
        f"{one.calls_per_s:,} calls/s, peak {one.peak_kib >> 10} MiB"
        for one in commands.checking
    ]
    return "\n".join(lines) + "\n"


def _table(figures: Sequence[Figure], storage: str, placement: str) -> str:
    here = [
        one for one in figures if (one.cell.storage, one.cell.placement) == (storage, placement)
    ]
    medians = {one.cell: one.median_ns for one in here}
    lines = [f"{storage}, {placement} (µs)", _row(_HEAD)]
    workload = None
    for one in here:
        first = one.cell.workload if one.cell.workload != workload else ""
        workload = one.cell.workload
        ratios = _ratios(one, medians)
        lines.append(
            _row((first, one.cell.target, _micro(one.median_ns), _micro(one.p99_ns), *ratios))
        )
    return "\n".join(lines)


def _ratios(one: Figure, medians: dict[Cell, int]) -> Iterator[str]:
    for reference in REFERENCES:
        cell = Cell(
            storage=one.cell.storage,
            placement=one.cell.placement,
            workload=one.cell.workload,
            target=reference,
        )
        other = medians.get(cell)
        yield f"{one.median_ns / other:.2f}" if other else "-"


def _micro(ns: int) -> str:
    return f"{ns / 1000:.2f}" if ns < 100_000 else f"{ns / 1000:.0f}"


def _row(words: Sequence[str]) -> str:
    left = [f"{word:<{width}}" for word, width in zip(words[:2], _WIDTHS[:2], strict=True)]
    right = [f"{word:>{width}}" for word, width in zip(words[2:], _WIDTHS[2:], strict=True)]
    return "".join(left + right).rstrip()
