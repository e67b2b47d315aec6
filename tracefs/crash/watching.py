"""A command that runs under a limit, and whose descendants end with it.

For a process that has one thread and no other children: it adopts what the command leaves behind
(prctl(2): PR_SET_CHILD_SUBREAPER), and kills all children that it has.
"""

import io
import os
import select
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from msgspec import Struct

from tracefs.trials.limit import Family, Output

_SHELL: Final = "/bin/sh"
DEFAULT: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that this process ignores or handles, and a child is not to."""


class Watched(Struct, frozen=True, kw_only=True):
    """How a child ended."""

    status: int | None
    """Exit status, 128 + N for signal N; None: it was killed when its time was up."""
    output: bytes
    """The beginning of what it printed."""
    seconds: float


def run_shell(command: str, environment: Mapping[str, str], limit_s: float) -> Watched:
    """Run *command* by sh(1) in the working directory of this process."""
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    begin = time.perf_counter()
    try:
        os.set_blocking(ours, False)
        try:
            child = _start(command, environment, theirs)
        finally:
            os.close(theirs)
        kept = io.BytesIO()
        printed, family = Output(ours, kept), Family(child)
        try:
            _wait(family, child, printed, ours, begin + limit_s)
        finally:
            seconds, status = time.perf_counter() - begin, family.status
            if status is None:  # it has its process id still
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(child, signal.SIGKILL)
            family.kill()
        printed.read()
        return Watched(status=status, output=kept.getvalue(), seconds=seconds)
    finally:
        os.close(ours)


def _start(command: str, environment: Mapping[str, str], output: int) -> int:
    return os.posix_spawn(
        _SHELL, (_SHELL, "-c", command), environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, output, 2),
        ],
        setsid=True,
        setsigdef=DEFAULT,
    )  # fmt: skip


def _wait(family: Family, child: int, printed: Output, output: int, deadline: float) -> None:
    """Return once *child* has ended, or its time is up."""
    end = os.pidfd_open(child)
    try:
        poller = select.poll()
        poller.register(end, select.POLLIN)
        poller.register(output, select.POLLIN)
        while family.reap() and family.status is None:
            left = deadline - time.perf_counter()
            if left <= 0:
                return
            for descriptor, _ in poller.poll(left * 1000):
                if descriptor == output and not printed.read():
                    poller.unregister(output)
    finally:
        os.close(end)
