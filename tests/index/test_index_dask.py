"""A dataset as a Dask cluster reads and checks it: two worker processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lacking import lacking
from page_write_calls import Script, header
from test_index_ordinary import Given, by_opens, by_pairs

from tracefs.errors import SetupError
from tracefs.index import partition
from tracefs.index.checking import Asked, Checked
from tracefs.index.dataset import add
from tracefs.index.questions import query
from tracefs.index.workers import Outcome, Unchecked, outcomes

ASKED = Asked(contracts=("page-write", "no-unsynced-close"))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        import distributed  # noqa: PLC0415  # an extra
    except ImportError:
        lacking("Dask is not installed: tracefs[dask]")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0",
        local_directory=str(tmp_path_factory.mktemp("dask")),
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    unsynced = Script()
    opened = unsynced.open()
    unsynced.write(opened)
    unsynced.close(opened)
    unsynced.release(opened)
    streams = {"opens": by_opens(30), "pairs": by_pairs(range(20)), "broken": unsynced.items}
    for name, stream in streams.items():
        add(tmp_path, name, Given(header(), stream), None)
    return tmp_path


def verdicts(found: list[Outcome]) -> dict[str, str]:
    return {
        one.recording: str(one.result.verdict) if isinstance(one, Checked) else one.why
        for one in found
    }


def test_the_workers_of_a_cluster_say_what_this_machine_says(dataset: Path, address: str) -> None:
    folders = partition.folders(dataset)
    here = list(outcomes(folders, ASKED, jobs=2))
    assert verdicts(here) == {"broken": "broken", "opens": "kept", "pairs": "kept"}
    assert list(outcomes(folders, ASKED, jobs=1, scheduler=address)) == here


def test_one_that_cannot_be_read_is_told_by_a_worker_too(dataset: Path, address: str) -> None:
    folders = partition.folders(dataset)
    (folders[1] / partition.TRACE).write_text("{")
    for scheduler in (None, address):
        found = list(outcomes(folders, ASKED, jobs=2, scheduler=scheduler))
        assert [isinstance(one, Unchecked) for one in found] == [False, True, False]


def test_where_nobody_answers_it_is_told(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracefs.schedulers.PATIENCE_S", 0.2)
    with pytest.raises(SetupError, match="no scheduler answers"):
        list(outcomes(partition.folders(dataset), ASKED, jobs=1, scheduler="tcp://127.0.0.1:1"))


def test_dask_reads_the_folder_as_one_table(dataset: Path, address: str) -> None:
    try:
        import dask.dataframe as frames  # noqa: PLC0415  # not even an extra
        import distributed  # noqa: PLC0415
    except ImportError:
        lacking("Dask's data frames are not installed: dask[dataframe]")
    with distributed.Client(address):
        calls = frames.read_parquet(f"{dataset}/*/calls.parquet")
        writes = calls[calls.call == "pwrite64"]
        found = writes.groupby("recording", observed=True)["length"].sum().compute()
    asked = query(
        dataset,
        "SELECT recording, sum(length)::BIGINT FROM calls WHERE call = 'pwrite64' GROUP BY ALL",
    )
    assert {str(name): int(length) for name, length in found.items()} == {
        str(name): length for name, length in asked.rows
    }
    assert len(asked.rows) == 3
