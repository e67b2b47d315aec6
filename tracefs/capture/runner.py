"""Run one command with its directory traced in place."""

import contextlib
import os
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from msgspec import Struct

from tracefs.capture import fusermount
from tracefs.capture.messages import Config, Done
from tracefs.capture.namespace import PrivateMount, all_ours, become, return_to_cwd
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
    visible: bool = False
    """Mount where everybody sees it, even if a namespace can be had."""


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
    for name in _opened_before(target):
        notice(f"{name} is a file in {directory}, opened before: what goes there is not recorded")
    become_subreaper()
    private = None if options.visible else _private(target, argv)
    with Session(words, root_fd) as session:
        os.close(root_fd)
        if private is None:
            return _run_visible(session, target, argv, notice)
        return _run_private(session, private, notice)


def _opened_before(target: bytes) -> list[str]:
    """Return the standard streams that lead past the mount to a file in *target*."""
    names = []
    for fd, name in ((1, "standard output"), (2, "standard error")):
        try:
            path = os.readlink(b"/proc/self/fd/%d" % fd)
            regular = stat.S_ISREG(os.fstat(fd).st_mode)
        except OSError:
            continue
        if regular and path.startswith(target + b"/"):
            names.append(name)
    return names


def _private(target: bytes, argv: list[bytes]) -> PrivateMount | None:
    """Return a mount that the command alone will see; None: one for all is allowed, or better."""
    if os.geteuid() != 0 and fusermount.is_installed() and not all_ours(target):
        return None
    try:
        return PrivateMount(target, argv)
    except OSError:
        return None


def _run_private(session: Session, private: PrivateMount, notice: Callable[[str], None]) -> Outcome:
    try:
        session.serve(private.device)
    except MountError:
        private.abandon()
        raise
    finally:
        os.close(private.device)
    private.go()
    return _finish(session, _await(private.pid), notice)


def _run_visible(
    session: Session, target: bytes, argv: list[bytes], notice: Callable[[str], None]
) -> Outcome:
    session.mount(to_text(target), allow_other=False)
    pid = os.fork()
    if pid == 0:
        session.close()
        become(argv, enter=return_to_cwd)
    status = _await(pid)
    _await_orphans(session, notice)
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
        notice(_waiting(_orphans(session)))
        try:
            while done is None:
                _reap(session)
                done = session.wait(_PATIENCE_S)
        except KeyboardInterrupt:
            notice("ended while processes were still running; they lose the directory")
            session.stop()
            done = session.wait()
            assert done is not None
    return Outcome(status=status, events=done.events, failed=done.failed)


def _await_orphans(session: Session, notice: Callable[[str], None]) -> None:
    """Wait for what the command left running."""
    orphans = _orphans(session)
    if orphans:
        notice(_waiting(orphans))
    with contextlib.suppress(KeyboardInterrupt):
        while _orphans(session):
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            _reap(session)


def _waiting(pids: list[int]) -> str:
    names = " ".join(map(str, pids)) or "unknown"
    return f"the command left processes running ({names}); waiting for them, Ctrl-C ends the trace"


def _reap(session: Session) -> None:
    """Collect adopted processes that have ended."""
    for pid in _children():
        if pid != session.pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _orphans(session: Session) -> list[int]:
    """Return the processes that the command has left to us."""
    _reap(session)
    return [pid for pid in _children() if pid != session.pid]


def _children() -> list[int]:
    """Return the process ids of our children (proc(5): needs CONFIG_PROC_CHILDREN)."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []
