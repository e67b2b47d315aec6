"""Many states at once: lazily, in any order, whatever dies, and nothing is left."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import crash_samples
import pytest
from crash_asking import evens, function, processes, shell
from crash_samples import numbered

from tracefs.crash.jobs import Job
from tracefs.crash.pool import answers
from tracefs.crash.workplace import workplace
from tracefs.crashes import Answer, Checked
from tracefs.errors import MountError

EVEN = "[ $(($(stat -c %s {dir}/n) % 2)) = 0 ]"


def states(count: int, *acks: str) -> Iterator[Job]:
    return (Job(str(number), numbered(number), acks) for number in range(count))


def test_every_state_gets_its_answer() -> None:
    with processes(function(crash_samples.size_is_even), 2) as askers:
        got = {int(job.key): answer for job, answer in answers(states(500), askers)}
        again = dict(answers(states(3), askers))  # the processes serve more than one
    assert sorted(got) == list(range(500))
    assert evens(got) == list(range(0, 500, 2))
    assert len(again) == 3


def test_states_are_taken_only_as_there_is_room() -> None:
    taken = []

    def endless() -> Iterator[Job]:
        number = 0
        while True:
            taken.append(number)
            yield Job(str(number), numbered(0))
            number += 1

    with processes(shell("true"), 2) as askers:
        found = answers(endless(), askers)
        for _ in range(3):
            next(found)
        assert len(taken) < 100


def test_a_state_that_kills_who_asks_is_told_and_the_others_are_answered(tmp_path: Path) -> None:
    held = tmp_path / "held"
    with processes(function(crash_samples.kill_parent_of_one_state), 2) as askers:
        got = {int(job.key): answer for job, answer in answers(states(40, str(held)), askers)}
    with open(held, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # which waits for functions that were left alone
    assert sorted(got) == list(range(40))
    assert evens(got) == list(range(0, 40, 2))
    assert got.pop(13) == Answer(
        checked=Checked.TOOL_FAILED, said="the process that was to ask was killed, twice"
    )
    assert {answer.checked for answer in got.values()} == {Checked.GOOD, Checked.BAD}


def test_a_process_killed_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    """The first state of seven waits until it is let go; who asks about it is killed."""
    pids, go = tmp_path / "pids", tmp_path / "go"
    os.mkfifo(pids)
    text = f"[ -s {{dir}}/n ] || [ -e {go} ] || {{ echo $PPID > {pids}; sleep 1000; }}; {EVEN}"
    with processes(shell(text), 2) as askers:
        found = answers(states(7), askers)
        reader = subprocess.Popen(["head", "-n1", pids], stdout=subprocess.PIPE, text=True)
        killer = subprocess.Popen(
            ["sh", "-c", f'read pid; touch {go}; kill -KILL "$pid"'], stdin=reader.stdout
        )
        got = {int(job.key): answer for job, answer in found}
        assert (reader.wait(), killer.wait()) == (0, 0)
        assert reader.stdout is not None
        reader.stdout.close()
        work = askers.workplace
        assert sleeping(Path(work)) != []
    assert sleeping(Path(work)) == []
    assert {number: answer.checked for number, answer in got.items()} == {
        number: Checked.BAD if number % 2 else Checked.GOOD for number in range(7)
    }


ASK_FOR_EVER = """
import os, sys
sys.path[:0] = {path!r}
from crash_asking import processes, shell
from crash_samples import numbered
from tracefs.crash.jobs import Job
from tracefs.crash.pool import answers
import tracefs.crash.workplace as workplace
workplace._default = lambda: {base!r}

if __name__ == "__main__":
    with processes(shell("echo ready > {fifo}; exec sleep 1000"), 2) as askers:
        for _ in answers((Job(str(n), numbered(n)) for n in range(9)), askers):
            pass
"""


def started(tmp_path: Path) -> subprocess.Popen[bytes]:
    """Start a front end whose checkers hang, and return when two of them do."""
    fifo, base, script = tmp_path / "fifo", tmp_path / "base", tmp_path / "front.py"
    os.mkfifo(fifo)
    base.mkdir()
    script.write_text(
        ASK_FOR_EVER.format(path=sys.path, base=str(base), fifo=fifo), encoding="utf-8"
    )
    front = subprocess.Popen([sys.executable, script], start_new_session=True,
                             stderr=subprocess.PIPE)  # fmt: skip
    for _ in range(2):
        with open(fifo, "rb") as file:
            file.readline()
    return front


def all_end(front: subprocess.Popen[bytes]) -> None:
    """Return when all that holds the front end's standard error has ended."""
    assert front.stderr is not None
    front.stderr.read()
    front.stderr.close()


def sleeping(base: Path) -> list[str]:
    """Return processes that were started below *base*."""
    found = []
    for name in os.listdir("/proc"):
        try:
            environment = Path(f"/proc/{name}/environ").read_bytes()
        except OSError:
            continue
        if f"TRACEFS_ACKS={base}".encode() in environment:
            found.append(name)
    return found


def test_ctrl_c_ends_all_at_once(tmp_path: Path) -> None:
    front = started(tmp_path)
    os.killpg(front.pid, signal.SIGINT)
    all_end(front)
    front.wait()
    assert list((tmp_path / "base").iterdir()) == []
    assert sleeping(tmp_path / "base") == []


def test_a_killed_front_end_leaves_a_folder_that_the_next_one_removes(tmp_path: Path) -> None:
    front = started(tmp_path)
    front.kill()
    front.wait()
    all_end(front)
    assert sleeping(tmp_path / "base") == []
    (left,) = (tmp_path / "base").iterdir()
    assert {each.name for each in left.iterdir()} == {"lock", "pages"}
    with workplace(str(tmp_path / "base")) as mine:
        assert [str(each) for each in (tmp_path / "base").iterdir()] == [mine]
        assert Path(mine).stat().st_mode & 0o777 == 0o700
        with workplace(str(tmp_path / "base")) as other:
            assert sorted(map(str, (tmp_path / "base").iterdir())) == sorted([mine, other])
    assert list((tmp_path / "base").iterdir()) == []


def test_a_place_where_nothing_can_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(MountError, match=r"no states can be made in .*: No such file"):  # noqa: SIM117
        with workplace(str(tmp_path / "none")):
            pass
