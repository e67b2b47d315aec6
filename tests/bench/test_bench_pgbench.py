"""The load of PostgreSQL: its cluster, its server under a target, the times of its transactions."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import postgres
from bench.measure import run_on
from bench.mount import BenchError
from bench.pgbench_load import together
from bench_support import FEW, site_in
from lacking import lacking


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that the user of PostgreSQL gets to; not pytest's."""
    if why := postgres.missing():
        lacking(why)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.mark.parametrize("target", ["bare", "tracefs"])
def test_a_target_does_transactions_of_pgbench(reachable: Path, target: str) -> None:
    site = site_in(reachable)
    sockets = postgres.new_folder(reachable / "s")
    postgres.make_cluster(site.folder, sockets)
    ((measured, served),) = run_on(target, site, "pgbench", ["pgbench"], FEW)
    assert len(measured.times) == 6
    assert 0 < min(measured.times) <= max(measured.times) <= measured.elapsed_ns
    if target == "tracefs":
        assert served is not None
        assert served.events  # the server writes through the mount
    assert not (site.folder / postgres.CLUSTER / "postmaster.pid").exists()


def test_a_server_that_does_not_start_is_one_clear_line(reachable: Path) -> None:
    sockets = postgres.new_folder(reachable / "s")
    with (
        pytest.raises(BenchError, match=r"PostgreSQL does not answer: .*initdb"),
        postgres.serving(reachable / "missing", sockets, ()),
    ):
        pass


def test_a_log_of_pgbench_is_read() -> None:
    # Client 0: 0.3 ms, then 0.4 ms to 1000.000900; client 1 in between, beginning first.
    lines = ["0 0 300 0 1000 500", "0 1 400 0 1000 900", "1 0 700 0 1000 850 extra"]
    assert together(lines) == (750_000, [300_000, 400_000, 700_000])
