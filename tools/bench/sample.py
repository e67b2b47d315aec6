"""One workload on one target: a sample for each round, and the figure that they make."""

from collections.abc import Sequence

from msgspec import Struct

from bench.spread import Spread, percentile, spread


class Served(Struct, frozen=True, kw_only=True):
    """What answering took while a workload was measured."""

    cpu_ns: int
    """Processor time of the server's processes."""
    user_ticks: int
    """Of that, as the clock's ticks found it in user mode (proc_pid_stat(5), utime)."""
    system_ticks: int
    events: int | None
    """Lines that its log grew by; None: it writes none."""
    log_bytes: int | None


class Sample(Struct, frozen=True, kw_only=True):
    """What one round came to; times in nanoseconds an iteration."""

    round: int
    median_ns: int
    p99_ns: int
    iterations: int
    elapsed_ns: int
    """What all iterations took: their sum, or of several at once from the first to the last."""
    served: Served | None
    """None: nothing serves this target."""


class Cell(Struct, frozen=True, kw_only=True):
    """Where a figure belongs."""

    storage: str
    """``tmpfs`` or ``disk``."""
    placement: str
    """``one core`` or ``free``."""
    workload: str
    target: str


class Figure(Struct, frozen=True, kw_only=True):
    """What the rounds of a cell came to."""

    cell: Cell
    median_ns: Spread
    """Of the rounds' medians."""
    p99_ns: Spread
    """Of the rounds' 99th percentiles."""
    calls_per_s: Spread
    """Iterations by elapsed time."""
    rounds: tuple[Sample, ...]


class Measured(Struct, frozen=True, kw_only=True):
    """What a program printed of one workload."""

    workload: str
    elapsed_ns: int
    times: tuple[int, ...]


def parse(line: str, workload: str) -> Measured:
    """Return what *line* says: the workload, what all took together, and what each took.

    Raises:
        ValueError: That is not what a program prints of *workload*.
    """
    words = line.split()
    if len(words) < 3 or words[0] != workload:
        raise ValueError(f"instead of the times of {workload}: {line[:200]!r}")
    elapsed, *times = map(int, words[1:])
    return Measured(workload=workload, elapsed_ns=elapsed, times=tuple(times))


def sample(round_no: int, measured: Measured, served: Served | None = None) -> Sample:
    """Return what one round's times come to."""
    return Sample(
        round=round_no,
        median_ns=percentile(measured.times, 50),
        p99_ns=percentile(measured.times, 99),
        iterations=len(measured.times),
        elapsed_ns=measured.elapsed_ns,
        served=served,
    )


def figure(cell: Cell, samples: Sequence[Sample]) -> Figure:
    """Return what the *samples* of all rounds come to; at least one."""
    return Figure(
        cell=cell,
        median_ns=spread(one.median_ns for one in samples),
        p99_ns=spread(one.p99_ns for one in samples),
        calls_per_s=spread(one.iterations * 1e9 / one.elapsed_ns for one in samples),
        rounds=tuple(samples),
    )
