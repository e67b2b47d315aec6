"""Writes, syncs and cuts as an I/O log that fio plays again (fio(1), "Trace file format v3").

``fio --name=replay --ioengine=psync --read_iolog=FILE`` in an empty directory does it with the
times as they were; ``--replay_no_stall=1`` as fast as it can.
"""

from collections.abc import Iterable
from typing import Final

from tracefs.pathtext import to_bytes
from tracefs.report.export import Learning
from tracefs.report.replay_plan import Plan, Step
from tracefs.trace.call import Call, TraceItem

_NS_IN_MS: Final = 1_000_000
_ACTIONS: Final = {
    "pwrite64": "write", "pwritev": "write", "pwritev2": "write", "write": "write",
    "writev": "write", "fsync": "sync", "fdatasync": "datasync",
}  # fmt: skip


class Fio(Learning):
    """One log. fio has one descriptor for each file, and no names with white space.

    It has no folders: those that names lie in have to be there.
    """

    def __init__(self) -> None:
        self._plan = Plan()
        self._paths: dict[int, str] = {}
        """Slot -> its file."""
        self._opens: dict[str, int] = {}
        self._known: set[str] = set()
        self._unsaid = 0
        self._start: int | None = None

    def learn(self, items: Iterable[TraceItem]) -> None:
        """See `Learning`."""
        self._plan.learn(items)

    @property
    def left_out(self) -> int:
        """See `Export`."""
        return self._plan.left_out.total() + self._unsaid

    def begin(self) -> bytes:
        """See `Export`."""
        return b"fio version 3 iolog\n"

    def call(self, call: Call) -> bytes:
        """See `Export`."""
        step = self._plan.step(call)
        if step is None:
            return b""
        if self._start is None:
            self._start = step.at_ns
        return b"".join(
            b"%d %b\n" % ((step.at_ns - self._start) // _NS_IN_MS, line)
            for line in self._lines(step)
        )

    def _lines(self, step: Step) -> list[bytes]:
        if step.do == "open":
            return self._open(step)
        path = self._paths.get(step.slot)
        if step.do == "close" and path is not None:
            return self._close(step, path)
        action = _ACTIONS.get(step.do)
        # fio ends, without a word, at a write of no bytes.
        nothing = action == "write" and (step.length == 0 or step.offset < 0)
        if action is None or path is None or nothing:
            self._unsaid += 1
            return []
        where = (step.offset, step.length) if action == "write" else (0, 0)
        return [b"%b %b %d %d" % (to_bytes(path), action.encode(), *where)]

    def _open(self, step: Step) -> list[bytes]:
        if "O_TMPFILE" in step.flags or to_bytes(step.path).split() != [to_bytes(step.path)]:
            self._unsaid += 1
            self._paths.pop(step.slot, None)
            return []
        self._paths[step.slot] = step.path
        self._opens[step.path] = self._opens.get(step.path, 0) + 1
        if self._opens[step.path] > 1:
            return []
        name = to_bytes(step.path)
        made = [] if step.path in self._known else [b"%b add" % name]
        self._known.add(step.path)
        return [*made, b"%b open" % name]

    def _close(self, step: Step, path: str) -> list[bytes]:
        del self._paths[step.slot]
        self._opens[path] -= 1
        return [] if self._opens[path] else [b"%b close" % to_bytes(path)]
