"""Times of one workload on one target, and what they come to."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

WORKLOADS = (
    "pwrite",
    "pwrite+fdatasync",
    "open+pwrite+fdatasync+close",
    "lseek+write",
    "pwrite-1MiB",
    "pread-1MiB-cached",
    "pread-cached",
    "create+stat+unlink",
)
"""As `worker.c` names them, in its order."""


class Cell(Struct, frozen=True, kw_only=True):
    """Where a figure belongs."""

    storage: str
    """``tmpfs`` or ``disk``."""
    placement: str
    """``one core`` or ``free``."""
    workload: str
    target: str


class Figure(Struct, frozen=True, kw_only=True):
    """What all rounds together came to; times in nanoseconds an iteration."""

    cell: Cell
    median_ns: int
    p99_ns: int
    iterations: int


def parse(output: str, workloads: Sequence[str]) -> dict[str, list[int]]:
    """Return workload -> nanoseconds of each iteration, from what a worker printed.

    Raises:
        ValueError: That is not what a worker of *workloads* prints.
    """
    lines = [line.split() for line in output.splitlines()]
    times = {words[0]: [int(word) for word in words[1:]] for words in lines if words}
    if list(times) != list(workloads) or not all(times.values()):
        raise ValueError(f"the worker printed {output[:200]!r}")
    return times


def percentile(times: Iterable[int], percent: int) -> int:
    """Return the *percent*-th percentile by nearest rank: a time that was measured.

    >>> percentile([40, 10, 30, 20], 50), percentile([40, 10, 30, 20], 99)
    (20, 40)
    """
    ordered = sorted(times)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]


def figure(cell: Cell, times: Sequence[int]) -> Figure:
    """Return what the *times* of all rounds come to."""
    return Figure(
        cell=cell,
        median_ns=percentile(times, 50),
        p99_ns=percentile(times, 99),
        iterations=len(times),
    )
