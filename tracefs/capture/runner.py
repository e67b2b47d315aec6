"""Run one command with its directory traced in place."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from msgspec import Struct

from tracefs.capture import fusermount
from tracefs.capture.messages import Config, Done
from tracefs.capture.namespace import PrivateMount, become, return_to_cwd
from tracefs.capture.session import Session, open_directory
from tracefs.capture.syscalls import become_subreaper
from tracefs.errors import MountError
from tracefs.pathtext import to_text

_FORWARDED: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_PATIENCE_S: Final = 1.0


class Options(Struct, frozen=True, kw_only=True):
    """How to record."""

    direct_io: bool = False
    witness: bool = True
    queries: bool = False
    payload: bool = False
    digests: bool = False
    page_size: int = 4096


class Outcome(Struct, frozen=True, kw_only=True):
    """How a traced run ended."""

    status: int
    """Exit status of the command; 128 + N when signal N ended it."""
    events: int
    failed: str | None
    """Why the recording is incomplete; None: it is whole."""


def config(
    directory: str, recording: Path, command: tuple[str, ...] | None, options: Options
) -> Config:
    """Return what a server for *directory* must know."""
    return Config(
        source=to_text(os.fsencode(directory)),
        recording=to_text(os.fsencode(recording)),
        command=command,
        direct_io=options.direct_io,
        witness=options.witness,
        queries=options.queries,
        payload=options.payload,
        digests=options.digests,
        page_size=options.page_size,
    )


def run_traced(
    directory: str,
    argv: list[bytes],
    recording: Path,
    options: Options,
    notice: Callable[[str], None],
) -> Outcome:
    """Run *argv* with *directory* traced in place; return once every process of it has ended.

    Args:
        directory: mounted over for the command alone where the machine allows that, else for all.
        argv: the command, found along PATH.
        recording: folder of the recording, outside *directory*.
        options: how to record.
        notice: told what the user must know while it runs.

    Raises:
        MountError: it can't be traced; the command was not started.
    """
    root_fd = open_directory(directory)
    target = os.path.realpath(os.fsencode(directory))
    if target == b"/":
        raise MountError("the root directory cannot be traced in place")
    words = config(directory, recording, tuple(to_text(word) for word in argv), options)
    become_subreaper()
    try:
        private = PrivateMount(target)
    except OSError:
        with Session(words, root_fd) as session:
            os.close(root_fd)
            return _run_visible(session, target, argv, notice)
    with Session(words, root_fd) as session:
        os.close(root_fd)
        try:
            session.serve(private.device)
        except MountError:
            private.abandon()
            raise
        finally:
            os.close(private.device)
        private.go(argv)
        return _finish(session, _await(private.pid), notice)


def _run_visible(
    session: Session, target: bytes, argv: list[bytes], notice: Callable[[str], None]
) -> Outcome:
    """Run with a mount that everybody sees: no namespace can be had."""
    session.mount(to_text(target), allow_other=False)
    pid = os.fork()
    if pid == 0:
        session.close()
        become(argv, enter=return_to_cwd)
    status = _await(pid)
    _await_orphans(notice)
    try:
        fusermount.unmount(target)
    except MountError as error:
        notice(f"{error}; unmounting lazily")
        with contextlib.suppress(MountError):
            fusermount.unmount(target, lazy=True)
    return _finish(session, status, notice)


def _await(pid: int) -> int:
    """Return the exit status of the command; signals meant for it are passed on."""

    def forward(number: int, _: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    with _handled(forward):
        _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


@contextlib.contextmanager
def _handled(forward: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Pass signals on; a terminal's own go to the command without help."""
    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    before |= {n: signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _finish(session: Session, status: int, notice: Callable[[str], None]) -> Outcome:
    """Wait for the mount to end with the last process that uses it."""
    done: Done | None = session.wait(_PATIENCE_S)
    if done is None:
        notice(_waiting())
        try:
            while done is None:
                _reap()
                done = session.wait(_PATIENCE_S)
        except KeyboardInterrupt:
            notice("ended while processes were still running; they lose the directory")
            session.stop()
            done = session.wait()
            assert done is not None
    return Outcome(status=status, events=done.events, failed=done.failed)


def _await_orphans(notice: Callable[[str], None]) -> None:
    """Wait for what the command left running."""
    _reap()
    if _children():
        notice(_waiting())
    with contextlib.suppress(ChildProcessError, KeyboardInterrupt):
        while _children():
            pid, _ = os.wait()
            del pid


def _waiting() -> str:
    pids = " ".join(map(str, _children())) or "unknown"
    return f"the command left processes running: {pids}; waiting for them (Ctrl-C ends the trace)"


def _reap() -> None:
    """Collect adopted processes that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _children() -> list[int]:
    """Return the process ids of our children (proc(5): needs CONFIG_PROC_CHILDREN)."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []
