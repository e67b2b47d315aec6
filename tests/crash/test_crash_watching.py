"""A command under a limit: how it ended, what it printed, and that nothing of it is left."""

import os
import signal
from pathlib import Path

import pytest
from crash_watched import watch

from tracefs.crash.watching import DEFAULT
from tracefs.trials.limit import CUT, MOST_OUTPUT

LATE_S = 0.5
"""A limit for what never ends."""
AT_ONCE_S = 20.0
"""More than anything takes that isn't waited for, on a machine that does other things too."""


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("true", 0),
        ("exit 7", 7),
        ("kill -KILL $$", 128 + signal.SIGKILL),
        ("exec /no/such/program", 127),
    ],
)
def test_how_it_ended_is_told(text: str, status: int) -> None:
    seen = watch(text)
    assert (seen.status, seen.left, seen.leaked) == (status, [], 0)
    assert 0 < seen.seconds < AT_ONCE_S


def test_both_of_its_outputs_are_kept_in_their_order() -> None:
    assert watch("echo one; echo two >&2; printf three; exit 1").output == b"one\ntwo\nthree"


def test_of_much_that_it_prints_the_beginning_is_kept_and_it_can_go_on() -> None:
    seen = watch("yes | head -c 1000000; exit 3")
    assert seen.status == 3
    assert seen.output == b"y\n" * (MOST_OUTPUT // 2) + CUT


def test_its_input_is_empty() -> None:
    seen = watch("cat; echo end")
    assert (seen.status, seen.output) == (0, b"end\n")


def test_it_gets_the_environment_that_is_given_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET", "1")
    seen = watch("env", environment={"PATH": os.environ["PATH"], "TOLD": "a b"})
    names = {line.split(b"=")[0] for line in seen.output.splitlines()}
    assert b"TOLD=a b" in seen.output.splitlines()
    assert names <= {b"PATH", b"TOLD", b"PWD", b"_", b"SHLVL", b"OLDPWD"}  # sh(1) adds some


def test_it_has_a_session_of_its_own() -> None:
    """So that Ctrl-C at a terminal reaches whoever watches, and not what is watched."""
    one, session = watch("echo $$; cut -d' ' -f6 /proc/$$/stat").output.split()
    assert one == session


def test_it_runs_where_the_process_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert watch("touch here").status == 0
    assert (tmp_path / "here").exists()


def test_it_has_no_descriptors_but_the_standard_ones() -> None:
    # ls(1) has one more, by which it reads the directory.
    assert watch("exec ls /proc/self/fd").output == b"0\n1\n2\n3\n"


@pytest.mark.parametrize("number", DEFAULT, ids=lambda number: number.name)
def test_signals_that_the_process_ignores_end_the_command(number: signal.Signals) -> None:
    assert watch(f"kill -{number.name[3:]} $$").status == 128 + number


def test_what_does_not_end_in_time_is_killed_and_its_output_kept() -> None:
    seen = watch("echo begun; exec sleep 100", LATE_S)
    assert (seen.status, seen.output) == (None, b"begun\n")
    assert (seen.left, seen.leaked) == ([], 0)
    assert LATE_S <= seen.seconds < AT_ONCE_S


STRAYS = [
    "sleep 100 & echo $!",
    "setsid sleep 100 & echo $!",
    "(setsid sh -c 'echo $$; exec sleep 100' &)",
]


@pytest.mark.parametrize("text", STRAYS, ids=["its group", "a session", "an orphan"])
@pytest.mark.parametrize("late", [False, True], ids=["it ends", "it does not"])
def test_nothing_that_it_started_is_left_and_nobody_waits_for_it(text: str, late: bool) -> None:
    seen = watch(f"{text}; exec sleep 100" if late else text, LATE_S if late else 100)
    assert seen.status == (None if late else 0)
    assert seen.left == []
    assert seen.seconds < AT_ONCE_S
    for line in seen.output.split():
        assert not os.path.exists(f"/proc/{int(line)}")


def test_one_that_closes_its_output_is_waited_for_at_rest() -> None:
    """What has no writer any more is always ready to be read (poll(2))."""
    seen = watch("exec >&- 2>&-; exec sleep 100", 2 * LATE_S)
    assert seen.status is None
    assert seen.cpu_s < LATE_S / 4
