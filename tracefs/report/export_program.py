"""What exports that are programs have in common: each call becomes a row of a table.

Bytes are a pattern: a recording need not have kept them. The program is given the directory to work
in.
"""

from collections.abc import Iterable, Sequence

from tracefs.report.documents import asset
from tracefs.report.export import Learning
from tracefs.report.replay_plan import Plan, Step, told
from tracefs.trace.call import Call, TraceItem


class Program(Learning):
    """One source file: its beginning, a row for each call, its end; see `Export`."""

    head: str
    """Name of the file with its beginning, in this package."""

    def __init__(self) -> None:
        self._plan = Plan()

    def learn(self, items: Iterable[TraceItem]) -> None:
        """See `Learning`."""
        self._plan.learn(items)

    @property
    def left_out(self) -> int:
        """See `Export`."""
        return self._plan.left_out.total()

    def begin(self) -> bytes:
        """See `Export`."""
        return asset(self.head).encode()

    def call(self, call: Call) -> bytes:
        """See `Export`."""
        step = self._plan.step(call)
        return b"" if step is None else self.row(step).encode()

    def end(self) -> bytes:
        """See `Export`."""
        return self.foot(self._plan.slots, told(self._plan)).encode()

    def row(self, step: Step) -> str:
        """Return what stands for a step."""
        raise NotImplementedError

    def foot(self, slots: int, otherwise: Sequence[str]) -> str:
        """Return the end, for so many opens at once; *otherwise*: what is not as it was."""
        raise NotImplementedError
