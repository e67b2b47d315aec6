"""What a person sees of something that takes long."""

import io
import sys

import pytest

from tracefs.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def last(self) -> str:
        return self.getvalue().rpartition("\r\x1b[K")[2]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def looking(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Let standard error be a terminal; pytest puts its own there before each test."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    return made


def test_nothing_is_said_of_what_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = looking(monkeypatch)
    progress = Progress("check", Clock())
    progress(1, 2)
    progress.count("calls", 5)
    progress.end()
    assert terminal.getvalue() == ""


def test_the_rest_is_told_in_minutes_and_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = looking(monkeypatch)
    clock = Clock()
    progress = Progress("index", clock)
    clock.now += 10
    progress(1, 10)
    assert terminal.last == "tracefs: index:  10 %, 1:30 left"
    clock.now += 90
    progress(10, 10)
    assert terminal.last == "tracefs: index: 100 %"
    progress.end()
    assert terminal.last == ""


def test_the_line_goes_when_something_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, clock = looking(monkeypatch), Clock()

    def fail() -> None:
        with Progress("replay", clock) as progress:
            clock.now += 2
            progress.count("events", 5)
            assert terminal.last.startswith("tracefs: replay: events: 5")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert terminal.last == ""


def test_a_rate_is_of_what_is_counted_now(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = looking(monkeypatch)
    clock = Clock()
    progress = Progress("crash", clock)
    progress.count("exploring", 0)
    clock.now += 2
    progress.count("exploring", 3000)
    assert terminal.last == "tracefs: crash: exploring: 3,000, 1,500 a second"
    clock.now += 1
    progress.count("reducing", 10)
    clock.now += 1
    progress.count("reducing", 14)
    assert terminal.last == "tracefs: crash: reducing: 14, 4 a second"


def test_a_pipe_hears_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe, clock = io.StringIO(), Clock()
    monkeypatch.setattr(sys, "stderr", pipe)
    progress = Progress("check", clock)
    clock.now += 60
    progress(1, 2)
    progress.end()
    assert pipe.getvalue() == ""
