"""A cheaper request loop for pyfuse3.

pyfuse3's loop costs, for each request, an uncontended `trio.Lock` (a scheduler tick) and a wait in
epoll (two system calls and another tick). It looks its trio up in its own module, which
``pyfuse3.asyncio`` uses to put asyncio there; `install` puts `_Trio` there, whose lock is free when
nobody holds it, and whose wait is one poll(2) as long as no other task can have anything to do.

A caller on the same core has often made its next call by the time that its reply is written. So the
next request is read without asking first whether there is one; if there is none, pyfuse3 comes back
at once.

What must hold: while any task awaits something that only trio can deliver (a worker thread), the
wait goes through trio. `Loop.through_trio` counts those.
"""

import os
import select
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final, cast

import pyfuse3
import trio

if TYPE_CHECKING:
    from types import ModuleType

_AWAKE_NS: Final = 50_000
"""How long to stay awake after a request: what a wake-up on another core costs."""
_ASK_EVERY: Final = 16
"""How many requests may be read in a row before other tasks get their turn."""
_GRACE_S: Final = 1.0
"""For requests that are under way when the mount ends, in a thread."""


class Loop(trio.abc.Instrument):
    """The state that the lock and the wait share; one for each mount, so one for each process.

    `trio.run` must have it among its instruments.
    """

    def __init__(self, *control_fds: int, received: Callable[[], int] | None = None) -> None:
        """Take the descriptors that, when readable, mean that another task has work.

        *received* counts requests (`tracefs.capture.request`); None: none is read unasked.
        """
        self._control_fds = control_fds
        self._received = received
        self._count = 0
        self._unasked = 0
        self._poller: select.poll | None = None
        self._device: int | None = None
        self._through_trio = 0
        self.stopping = False
        """`stop` was called."""
        self.requests = trio.CancelScope()
        """Around all requests: those that the mount's end finds waiting for a disk are given up."""
        self.at_end: Callable[[bool], None] | None = None
        """To be told that the mount ends, and whether nobody hears the answers any more."""
        self._lock = _Lock()

    def install(self) -> None:
        """Make pyfuse3 use this loop; to be called before `pyfuse3.main`."""
        shim: Any = _Trio(trio, self)
        pyfuse3.trio = shim  # type: ignore[attr-defined]  # where pyfuse3.asyncio puts its own

    def lock(self) -> "_Lock":
        """Return the lock around the wait; pyfuse3 asks for one for each mount."""
        return self._lock

    @contextmanager
    def through_trio(self) -> Iterator[None]:
        """Mark that a request waits for trio, so others must be able to run, now and meanwhile."""
        self._through_trio += 1
        self._lock.hand_over()
        try:
            yield
        finally:
            self._through_trio -= 1

    def stop(self) -> None:
        """Let the wait end, as if the device had been closed; to be called in the trio thread."""
        self.stopping = True
        # Who cuts the connection and then kills the front end is heard in any order.
        self._give_up_soon(aborted=self._is_cut())

    def _give_up_soon(self, *, aborted: bool) -> None:
        if self.at_end is not None:
            self.at_end(aborted)
        self.requests.deadline = min(self.requests.deadline, trio.current_time() + _GRACE_S)

    def _is_cut(self) -> bool:
        """Return whether the connection has ended (fuse_dev_poll in fs/fuse/dev.c)."""
        ready = {} if self._poller is None else dict(self._poller.poll(0))
        return self._device is not None and bool(ready.get(self._device, 0) & select.POLLERR)

    def ignore(self, control_fd: int) -> None:
        """Wait for *control_fd* no more; it stays readable for ever once its peer is gone."""
        self._control_fds = tuple(fd for fd in self._control_fds if fd != control_fd)
        if self._poller is not None:
            self._poller.unregister(control_fd)

    def wait_readable(self, fd: int) -> Awaitable[None]:
        """Return when the FUSE device *fd* may be read; ClosedResourceError after `stop`."""
        if not self._lock.waiters:
            return self._wait_after_others(fd)
        if self._may_read_unasked():
            return DONE
        return self._wait(fd)

    async def _wait_after_others(self, fd: int) -> None:
        # A task that pyfuse3 has just started to read next must reach the lock, or it starts one
        # for every request.
        await trio.lowlevel.checkpoint()
        if not self._may_read_unasked():
            await self._wait(fd)

    async def _wait(self, fd: int) -> None:
        self._register(fd)
        while True:
            if self.stopping:
                raise trio.ClosedResourceError
            if self._through_trio:
                await trio.lowlevel.wait_readable(fd)
            ready = self._poll(patiently=not self._through_trio)
            if len(ready) > (fd in ready):
                await trio.lowlevel.checkpoint()
            if ready.get(fd, 0) & select.POLLERR:
                # fuse_dev_poll in fs/fuse/dev.c: the connection has ended.
                self._give_up_soon(aborted=True)
                raise trio.ClosedResourceError
            if fd in ready:
                return

    def _register(self, fd: int) -> None:
        if self._poller is None:
            self._device = fd
            self._poller = select.poll()
            for one in (fd, *self._control_fds):
                self._poller.register(one, select.POLLIN)

    def _may_read_unasked(self) -> bool:
        """Return whether the last read found a request, and few were read unasked since."""
        if self._received is None or self._through_trio or self.stopping:
            return False
        count = self._received()
        likely = count != self._count and self._unasked < _ASK_EVERY
        self._count = count
        self._unasked = self._unasked + 1 if likely else 0
        return likely

    def _poll(self, *, patiently: bool) -> dict[int, int]:
        """Return what is readable; *patiently*: at least one descriptor, however long it takes.

        A caller that is about to make its next call is waited for by yielding the processor, so
        that it runs even on the same core: to sleep and be woken costs more than its call does.
        """
        assert self._poller is not None
        ready = self._poller.poll(0)
        if patiently:
            end = monotonic_ns() + _AWAKE_NS
            while not ready and monotonic_ns() < end:
                os.sched_yield()
                ready = self._poller.poll(0)
            ready = ready or self._poller.poll()
        return dict(ready)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        """Let the next reader take over, be it only to see that the device is gone."""
        del task
        if self._received is not None and self._received() < 0:
            self._give_up_soon(aborted=True)
        self._lock.hand_over()


class _Done(tuple[()]):
    """An awaitable that is done: no coroutine is made, and no Python runs."""

    __slots__ = ()
    __await__ = tuple.__iter__


DONE: Final = cast("Awaitable[None]", _Done())


class _Lock:
    """A mutual exclusion whose free path does not yield.

    A task that releases the lock takes it again before a waiter runs; waiters get it when the
    holder is about to await something else, or has ended (`hand_over`).
    """

    def __init__(self) -> None:
        self._held = False
        self.waiters: Final[deque[trio.lowlevel.Task]] = deque()
        """Tasks that wait for it, in their order."""

    def __aenter__(self) -> Awaitable[None]:
        if self._held:
            return self._acquire()
        self._held = True
        return DONE

    def __aexit__(self, *_: object) -> Awaitable[None]:
        self._held = False
        return DONE

    async def _acquire(self) -> None:
        while self._held:
            task = trio.lowlevel.current_task()
            self.waiters.append(task)
            await trio.lowlevel.wait_task_rescheduled(partial(self._give_up, task))
        self._held = True

    def _give_up(self, task: trio.lowlevel.Task, _: object) -> trio.lowlevel.Abort:
        self.waiters.remove(task)
        return trio.lowlevel.Abort.SUCCEEDED

    def hand_over(self) -> None:
        """Wake one waiter, if there is one; the caller holds nothing."""
        if not self._held and self.waiters:
            trio.lowlevel.reschedule(self.waiters.popleft())


class _Lowlevel:
    """`trio.lowlevel` with the cheaper wait."""

    def __init__(self, loop: Loop) -> None:
        self.wait_readable = loop.wait_readable

    def __getattr__(self, name: str) -> Any:
        return getattr(trio.lowlevel, name)


class _Trio:
    """`trio` with the cheaper lock and wait."""

    def __init__(self, module: "ModuleType", loop: Loop) -> None:
        self._module = module
        self.Lock = loop.lock
        self.lowlevel = _Lowlevel(loop)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)
