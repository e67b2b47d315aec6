"""States asked about by the workers of a scheduler: the same answers, whoever dies."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import crash_samples
import pytest
from crash_asking import function, processes, shell
from crash_samples import numbered, page, regular, store, tree

from tracefs.crash.asking import Checker
from tracefs.crash.jobs import Job
from tracefs.crash.pool import answers
from tracefs.crash.scheduler import Dask, dask
from tracefs.crash.store import Pages
from tracefs.crashes import Answer, Checked
from tracefs.errors import SetupError
from tracefs.persistence.image import Content

distributed = pytest.importorskip("distributed", reason="Dask is not installed: tracefs[dask]")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster of two worker processes, each with a nanny that starts it again."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0",
        local_directory=str(tmp_path_factory.mktemp("dask")),
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


@contextmanager
def workers(checker: Checker, address: str, tmp_path: Path) -> Iterator[tuple[Dask, Pages]]:
    with Pages(str(tmp_path / "pages")) as pages:
        pages.add(page(1))
        with dask(checker, store(pages.name), {7: 10}, address) as askers:
            yield askers, pages


def without_time(found: Iterable[tuple[Job, Answer]]) -> dict[str, tuple[Checked, str | None]]:
    return {job.key: (answer.checked, answer.said) for job, answer in found}


def test_bytes_are_sent_along_and_new_pages_too(address: str, tmp_path: Path) -> None:
    content = "cat {dir}/f | tr -d '\\001\\002\\003\\000' ; wc -c <{dir}/f; od -An -tu1 -N1 {dir}/f"
    with workers(shell(f"{content}; exit 1"), address, tmp_path) as (askers, pages):
        new = pages.add(page(2))
        known, later, base = (
            tree(("f", regular(2, Content(4096, pages=((0, 0),))))),
            tree(("f", regular(2, Content(4096, pages=((0, new),))))),
            tree(("f", regular(2, Content(3, base=7, base_limit=3)))),
        )
        jobs = [Job("known", known), Job("later", later), Job("base", base)]
        jobs.append(Job("none", tree(("f", regular(2, Content(3, base=8, base_limit=3))))))
        got = without_time(answers(jobs, askers))
    assert got == {
        "known": (Checked.BAD, "   2"),
        "later": (Checked.BAD, "   3"),
        "base": (Checked.BAD, "  55"),
        "none": (Checked.TOOL_FAILED, "starting file 8 was not sent along"),
    }


def test_a_worker_killed_in_the_middle_changes_nothing(address: str, tmp_path: Path) -> None:
    """The first state waits until it is let go; the worker that has it is killed."""
    pids, go = tmp_path / "pids", tmp_path / "go"
    os.mkfifo(pids)
    odd = "[ $(($(stat -c %s {dir}/n) % 2)) = 0 ] || { echo $(stat -c %s {dir}/n) is odd; exit 1; }"
    wait = f"[ -s {{dir}}/n ] || [ -e {go} ] || {{ echo $PPID > {pids}; sleep 1000; }}"
    states = [Job(str(number), numbered(number)) for number in range(60)]
    with workers(shell(f"{wait}; {odd}"), address, tmp_path) as (askers, _):
        found = answers(states, askers)
        reader = subprocess.Popen(["head", "-n1", pids], stdout=subprocess.PIPE, text=True)
        kill = f"read pid; touch {go}; kill -KILL $(awk '/^PPid/ {{print $2}}' /proc/$pid/status)"
        killer = subprocess.Popen(["sh", "-c", kill], stdin=reader.stdout)
        got = without_time(found)
        assert (reader.wait(), killer.wait()) == (0, 0)
        assert reader.stdout is not None
        reader.stdout.close()
    with processes(shell(odd), 2) as local:
        assert got == without_time(answers(states, local))


def test_a_state_that_kills_who_asks_is_told(address: str, tmp_path: Path) -> None:
    checker = function(crash_samples.kill_parent_of_one_state)
    with workers(checker, address, tmp_path) as (askers, _):
        states = (Job(str(n), numbered(n), (str(tmp_path / "held"),)) for n in range(12, 16))
        got = without_time(answers(states, askers))
    assert got["13"] == (Checked.TOOL_FAILED, "the process that was to ask was killed, twice")
    assert [got[key][0] for key in ("12", "14", "15")] == [Checked.GOOD, Checked.GOOD, Checked.BAD]


def test_where_nobody_answers_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracefs.schedulers.PATIENCE_S", 0.2)
    with (
        pytest.raises(SetupError, match=r"no scheduler answers at tcp://127\.0\.0\.1:1"),
        workers(shell("true"), "tcp://127.0.0.1:1", tmp_path),
    ):
        pass


def test_where_dask_is_not_installed_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(SetupError, match="needs Dask, which is not installed"),
        workers(shell("true"), "tcp://127.0.0.1:1", tmp_path),
    ):
        pass
