"""Figures as tables, each for one storage and placement."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bench.compare import SUBJECT, Ratio
from bench.markdown import number, spread, table
from bench.measure import Commands
from bench.sample import Figure, Served
from bench.workloads import TOGETHER

_ABSENT: Final = "-"
_ENOUGH_TICKS: Final = 20
"""So many ticks of the clock have to tell user from system mode, or nothing does."""


def render(figures: Sequence[Figure], ratios: Sequence[Ratio]) -> str:
    """Return the tables of every storage and placement, each with its heading."""
    places = dict.fromkeys((one.cell.storage, one.cell.placement) for one in figures)
    return "\n".join(_place(place, figures, ratios) for place in places)


def render_commands(commands: Commands) -> str:
    """Return what commands took; times in milliseconds, of checks the calls in a second."""
    starts = [
        [f"`{name}`", f"{ns / 1e6:.0f} ms"]
        for name, ns in (
            ("python -c pass", commands.python_ns),
            ("tracefs --help", commands.help_ns),
            ("tracefs run -- true", commands.run_true_ns),
        )
    ]
    checks = [
        [
            f"`tracefs check` of {one.calls:,} calls ({one.bytes >> 20} MiB)",
            f"{one.calls_per_s:,} calls/s, at most {one.peak_kib >> 10} MiB",
        ]
        for one in commands.checking
    ]
    return f"### Commands\n\n{table(['command', 'measured'], [*starts, *checks])}\n"


def _place(place: tuple[str, str], figures: Sequence[Figure], ratios: Sequence[Ratio]) -> str:
    here = [one for one in figures if (one.cell.storage, one.cell.placement) == place]
    ratios_here = [one for one in ratios if (one.cell.storage, one.cell.placement) == place]
    storage, placement = place
    parts = [f"### {storage}, {placement}\n", *_tables(here, ratios_here)]
    return "\n".join(parts)


def _tables(here: Sequence[Figure], ratios: Sequence[Ratio]) -> Iterator[str]:
    yield "Time of an iteration, µs: median of the rounds (lowest-highest).\n"
    yield f"{_times(here)}\n"
    if ratios:
        yield "Time of tracefs by that of another, round by round: median (lowest-highest).\n"
        yield f"{_ratios(ratios)}\n"
    together = [one for one in here if one.cell.workload in TOGETHER]
    if together:
        yield "Iterations a second, of all at once.\n"
        cells = {_key(one): spread(one.calls_per_s) for one in together}
        yield f"{_by_target(cells)}\n"
    served = [one for one in here if one.cell.target == SUBJECT and _total(one).events]
    if served:
        yield "What tracefs itself takes: the mean of all rounds.\n"
        yield f"{table(_SERVED_HEAD, [_served(one) for one in served])}\n"


def _times(here: Sequence[Figure]) -> str:
    cells = {_key(one): spread(one.median_ns, 1000) for one in here}
    for one in here:
        if one.cell.target == SUBJECT:
            cells[one.cell.workload, f"{SUBJECT} p99"] = spread(one.p99_ns, 1000)
    return _by_target(cells)


def _ratios(ratios: Sequence[Ratio]) -> str:
    return _by_target({(one.cell.workload, f"/ {one.to}"): spread(one.times) for one in ratios})


def _by_target(cells: Mapping[tuple[str, str], str]) -> str:
    """Return a row for each workload and a column for each target."""
    columns = list(dict.fromkeys(column for _, column in cells))
    rows = [
        [workload, *(cells.get((workload, column), _ABSENT) for column in columns)]
        for workload in dict.fromkeys(workload for workload, _ in cells)
    ]
    return table(["", *columns], rows)


def _key(one: Figure) -> tuple[str, str]:
    return one.cell.workload, one.cell.target


_SERVED_HEAD: Final = (
    "",
    "events",
    "journal bytes",
    "CPU µs",
    "CPU µs an event",
    "of it user",
    "of it system",
    "events/s",
)
"""The second to fourth are of an iteration; an event is one line of the journal."""


def _served(one: Figure) -> list[str]:
    served = _total(one)
    iterations = sum(sample.iterations for sample in one.rounds)
    elapsed_s = sum(sample.elapsed_ns for sample in one.rounds) / 1e9
    events = served.events or 0
    each_us = served.cpu_ns / 1000 / events
    ticks = served.user_ticks + served.system_ticks
    user_us = each_us * served.user_ticks / ticks if ticks >= _ENOUGH_TICKS else None
    return [
        one.cell.workload,
        number(events / iterations),
        number((served.log_bytes or 0) / iterations),
        number(served.cpu_ns / 1000 / iterations),
        number(each_us),
        _ABSENT if user_us is None else number(user_us),
        _ABSENT if user_us is None else number(each_us - user_us),
        number(events / elapsed_s),
    ]


def _total(one: Figure) -> Served:
    """Return what all rounds of a figure took together."""
    served = [sample.served for sample in one.rounds if sample.served is not None]
    return Served(
        cpu_ns=sum(part.cpu_ns for part in served),
        user_ticks=sum(part.user_ticks for part in served),
        system_ticks=sum(part.system_ticks for part in served),
        events=sum(part.events or 0 for part in served),
        log_bytes=sum(part.log_bytes or 0 for part in served),
    )
