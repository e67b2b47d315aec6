"""Times of a text: as it tells them, and never against the order of its lines.

strace handles one stop of a thread after the other and prints each when it has handled it. So a
call whose first line comes after another's last began after that one was over, however coarse or
equal the times beside them are.
"""

from typing import Final

_DAY: Final = 24 * 3600 * 1_000_000_000


class Clock:
    """Nanoseconds from the first line on; without times in the text, they count lines."""

    def __init__(self, *, relative: bool) -> None:
        self._relative = relative
        self._first: int | None = None
        self._before = 0
        self._days = 0
        self._told = 0
        self._now = 0

    def at(self, when: int | None) -> int:
        """Return the time of the next line, which says *when*."""
        if when is not None:
            if self._relative:
                self._told += when
            else:
                self._tell(when)
        return self.after(self._told)

    def after(self, when: int) -> int:
        """Return *when*, or the first moment after all that was given out so far."""
        self._now = max(when, self._now + 1)
        return self._now

    def _tell(self, when: int) -> None:
        if self._first is None:
            self._first = when
        elif when < self._before - _DAY // 2:
            self._days += 1  # -t begins anew at midnight
        self._before = when
        self._told = max(when - self._first + self._days * _DAY, 0)
