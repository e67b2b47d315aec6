"""How far something is that takes more than a second, where a person looks."""

import sys
import time
from collections.abc import Callable
from typing import Final, Self

_PATIENCE_S: Final = 1.0
_PAUSE_S: Final = 0.2


class Progress:
    """A line on standard error that is written over; nothing where that is no terminal.

    Use it in a ``with`` statement: at its end the line is gone, whatever happened.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._clock = what, clock
        self._shown = False
        self._began = clock()
        self._counted: tuple[str, float, int] = ("", self._began, 0)
        """What is counted now, since when, and how much of it there was then."""
        self._next = self._began + _PATIENCE_S if sys.stderr.isatty() else float("inf")

    def __call__(self, done: int, total: int) -> None:
        """Say that *done* of *total* is done, and how long the rest may take."""
        self._say(lambda: f"{100 * done // max(total, 1):3} %{self._left(done, total)}")

    def count(self, what: str, done: int) -> None:
        """Say that *done* is done of *what*, of which nobody knows how much there is."""
        if what != self._counted[0]:
            self._counted = what, self._clock(), done
        self._say(lambda: f"{what}: {done:,}{self._rate(done)}")

    def _left(self, done: int, total: int) -> str:
        passed = self._clock() - self._began
        if not 0 < done < total:
            return ""
        seconds = round(passed * (total - done) / done)
        return f", {seconds // 60}:{seconds % 60:02} left"

    def _rate(self, done: int) -> str:
        _, since, before = self._counted
        passed = self._clock() - since
        return f", {(done - before) / passed:,.0f} a second" if passed > 0 else ""

    def _say(self, text: Callable[[], str]) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next, self._shown = now + _PAUSE_S, True
        print(f"\r\x1b[Ktracefs: {self._what}: {text()}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.end()

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
