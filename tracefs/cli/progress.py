"""How far something is that takes more than a second, where a person looks."""

import sys
import time
from collections.abc import Callable
from typing import Final

_PATIENCE_S: Final = 1.0
_PAUSE_S: Final = 0.2


class Progress:
    """A line on standard error that is written over; nothing where that is no terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = False
        now = time.monotonic()
        self._next = now + _PATIENCE_S if sys.stderr.isatty() else float("inf")

    def __call__(self, done: int, total: int) -> None:
        """Say that *done* of *total* is done."""
        self._say("", lambda: f"{100 * done // max(total, 1):3} %")

    def count(self, what: str, done: int) -> None:
        """Say that *done* is done of *what*, of which nobody knows how much there is."""
        self._say("\x1b[K", lambda: f"{what}: {done}")

    def _say(self, before: str, text: Callable[[], str]) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next, self._shown = now + _PAUSE_S, True
        print(f"\r{before}tracefs: {self._what}: {text()}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._shown = False
