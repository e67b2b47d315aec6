"""Requests that a rule holds: for a time, or until somebody releases them.

Whoever made such a request cannot be killed before it is answered: the kernel waits for that, for
it has been sent (request_wait_answer in fs/fuse/dev.c). A real disk that hangs does the same. But
no program is to outlive a test for the sake of a rule, so a request is given up once a signal has
ended its program, or the program itself, and once the mount ends.
"""

import errno
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from enum import Enum
from typing import Final

import trio

from tracefs.faults.model import Rule

_LOOK_S: Final = 0.1
"""How long a killed program may go on waiting."""
_FLAGS, _SIGNAL, _EXIT_CODE = 6, 28, 49
"""Places in ``/proc/TID/stat``, counted from behind the name."""
_SIGKILL: Final = 1 << 8
"""Its bit among pending signals. Whatever else ends a process sends it to every thread
(complete_signal in kernel/signal.c); only where memory is to be dumped does it come later."""
_PF_EXITING: Final = 0x4
_TERMINATED_BY: Final = 0x7F
"""Number of a signal, in an exit code."""


class _Held:
    """One request that waits for its release."""

    __slots__ = ("over", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.over = trio.Event()


class Held:
    """The requests of one mount that are held."""

    def __init__(self, through_trio: Callable[[], AbstractContextManager[None]]) -> None:
        """Take `tracefs.capture.loop.Loop.through_trio`."""
        self._through_trio = through_trio
        self._waiting: set[_Held] = set()
        self._ended = 0
        """Error number that requests are given up with; 0: the mount goes on."""
        self._end = trio.Event()

    def __len__(self) -> int:
        """Return how many wait for their release."""
        return len(self._waiting)

    def release(self) -> int:
        """Let go all that wait now; return how many. Those that come later wait again."""
        return self._let_go(self._waiting)

    def keep(self, rules: Collection[Rule]) -> int:
        """Let go those that are held by none of *rules*; return how many."""
        return self._let_go(held for held in self._waiting if held.rule not in rules)

    def end(self, aborted: bool) -> None:
        """Let nothing be held any longer: the mount ends. *aborted*: nobody hears the answers."""
        if not self._ended:
            self._ended = errno.ECONNABORTED if aborted else errno.EIO
            self._end.set()
            self._let_go(self._waiting)

    async def until_released(self, rule: Rule, tid: int) -> int:
        """Hold a request of thread *tid*, 0 if that is not known; return 0 once it is released.

        Else it is given up: the error number that it ends with.
        """
        held = _Held(rule)
        self._waiting.add(held)
        try:
            with self._through_trio():
                while not (self._ended or held.over.is_set()):
                    with trio.move_on_after(_LOOK_S):
                        await held.over.wait()
                    if not held.over.is_set() and tid and _fate(tid) is not _Fate.LIVES:
                        return errno.EINTR
        finally:
            self._waiting.discard(held)
        return self._ended

    async def for_ns(self, time_ns: int, tid: int) -> None:
        """Hold a request of thread *tid* for so long, unless it is given up."""
        until = trio.current_time() + time_ns / 1e9
        with self._through_trio():
            while not self._ended and (now := trio.current_time()) < until:
                if tid and _fate(tid) is _Fate.KILLED:
                    return
                with trio.move_on_at(min(now + _LOOK_S, until)):
                    await self._end.wait()

    def _let_go(self, some: Iterable[_Held]) -> int:
        count = 0
        for held in list(some):
            if not held.over.is_set():
                held.over.set()
                count += 1
        return count


class _Fate(Enum):
    """What has become of who waits."""

    LIVES = "lives"
    """Or it is not known."""
    EXITS = "exits"
    """By itself: it closes what it had open."""
    KILLED = "killed"


def _fate(tid: int) -> _Fate:
    """Tell what has become of a thread (proc_pid_stat(5), do_exit in kernel/exit.c)."""
    try:
        with open(f"/proc/{tid}/stat", "rb", buffering=0) as stat:
            fields = stat.read(4096).rpartition(b")")[2].split()
    except OSError:
        return _Fate.LIVES
    if int(fields[_SIGNAL]) & _SIGKILL:
        return _Fate.KILLED
    if not int(fields[_FLAGS]) & _PF_EXITING:
        return _Fate.LIVES
    return _Fate.KILLED if int(fields[_EXIT_CODE]) & _TERMINATED_BY else _Fate.EXITS
