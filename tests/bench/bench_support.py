"""Targets of the benchmark put up for a test."""

from pathlib import Path

from bench.programs import Amount, Compiled
from bench.targets import Site, pinned

FEW = Amount(iterations=5, budget_ms=60_000, warm_up=2, transactions=6)


def site_in(folder: Path, placement: str = "free") -> Site:
    """Return a site whose folders are below *folder*, all empty."""
    for name in ("files", "mnt", "logs", "programs"):
        (folder / name).mkdir()
    return Site(
        folder=folder / "files",
        prefix=pinned(placement),
        mount_point=folder / "mnt",
        logs=folder / "logs",
        compiled=Compiled(folder / "programs"),
        lazyfs="lazyfs",
    )


def calls_in(log: Path) -> list[str]:
    """Return the names of the calls in a log of ``strace -f``, in the order of their ends."""
    lines = [line.split(None, 1)[1] for line in log.read_text().splitlines()]
    whole = [line for line in lines if "(" in line or "resumed>" in line]
    return [
        line.split()[1] if line.startswith("<...") else line.partition("(")[0]
        for line in whole
        if not line.endswith("<unfinished ...>")
    ]
