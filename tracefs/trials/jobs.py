"""Several tasks at once, each in a process of its own that may do and become what it likes.

A task that dies, or takes longer than it may, is an answer like any other. What such a process
leaves behind is killed.
"""

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from tracefs.capture.syscalls import become_subreaper
from tracefs.trials.limit import children

Task = TypeVar("Task")


class Failed(Struct, frozen=True, kw_only=True):
    """A task that gave no answer."""

    reason: str


class _Job(Struct, kw_only=True):
    place: int
    pid: int
    pipe: int
    deadline: float
    answer: bytes = b""
    left: bool = True
    """It may have left processes that it adopted: it was killed, or failed."""


def in_parallel(
    tasks: Sequence[Task],
    perform: Callable[[Task], bytes],
    *,
    jobs: int,
    patience_s: float,
    log: Callable[[Task], Path],
) -> Iterator[tuple[int, bytes | Failed]]:
    """Yield each task's place and what *perform* answers, as they end.

    Args:
        tasks: what is to be done.
        perform: done in another process.
        jobs: how many at once; at least 1.
        patience_s: how long one may take.
        log: file that gets what a task's process says on standard error.
    """
    become_subreaper()
    waiting = list(enumerate(tasks))[::-1]
    running: list[_Job] = []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                place, task = waiting.pop()
                running.append(_start(place, task, perform, patience_s, log(task)))
            for job in _ready(running):
                running.remove(job)
                yield job.place, _finish(job)
                if job.left:
                    _sweep({other.pid for other in running})
    finally:
        _sweep(set())


def _start(
    place: int, task: Task, perform: Callable[[Task], bytes], patience_s: float, log: Path
) -> _Job:
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _work(task, perform, theirs, log)
    os.close(theirs)
    return _Job(place=place, pid=pid, pipe=ours, deadline=time.monotonic() + patience_s)


def _work(task: Task, perform: Callable[[Task], bytes], pipe: int, log: Path) -> None:
    """Do *task*, say what came of it, and end."""
    code = 1
    try:
        # Ctrl-C is for who started all this, who then ends this process.
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        for stream, descriptor in enumerate((nothing, nothing, said)):
            os.dup2(descriptor, stream)
        become_subreaper()
        answer = perform(task)
        with open(pipe, "wb") as file:
            file.write(answer)
        _sweep(set())
        code = 0
    except BaseException:  # noqa: BLE001  # whatever it was, the log is to have it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _ready(running: list[_Job]) -> list[_Job]:
    """Wait until one has said all; return those that have, and those whose time is up."""
    poller = select.poll()
    by_pipe = {job.pipe: job for job in running}
    for pipe in by_pipe:
        poller.register(pipe, select.POLLIN)
    soonest = min(job.deadline for job in running)
    over = []
    for pipe, _ in poller.poll(max(0.0, soonest - time.monotonic()) * 1000):
        data = os.read(pipe, 1 << 20)
        by_pipe[pipe].answer += data
        if not data:
            over.append(by_pipe[pipe])
    now = time.monotonic()
    for job in running:
        if job.deadline <= now and job not in over:
            os.kill(job.pid, signal.SIGKILL)
            over.append(job)
    return over


def _finish(job: _Job) -> bytes | Failed:
    os.close(job.pipe)
    _, status = os.waitpid(job.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        job.left = False  # it has killed them itself
        return job.answer
    how = f"signal {-code}" if code < 0 else f"exit status {code}"
    return Failed(reason=f"its process ended with {how}")


def _sweep(known: set[int]) -> None:
    """Kill children that nobody asked for: what a process that has ended has left."""
    while left := [pid for pid in children() if pid not in known]:
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        for pid in left:
            os.waitpid(pid, 0)
