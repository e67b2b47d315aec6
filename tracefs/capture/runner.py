"""Run one command with its directory traced in place."""

import contextlib
import os
import platform
import select
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Final, Self

import msgspec
from msgspec import Struct

from tracefs.capture import bypass, fusermount, mounts
from tracefs.capture.messages import Config, Done
from tracefs.capture.namespace import (
    Execute,
    PrivateMount,
    all_ours,
    become,
    execute,
    return_to_cwd,
)
from tracefs.capture.said import Said
from tracefs.capture.session import Session, open_directory
from tracefs.capture.spawn import Server
from tracefs.capture.syscalls import become_subreaper
from tracefs.errors import MountError, SetupError
from tracefs.faults.model import Rule
from tracefs.pathtext import to_bytes, to_text
from tracefs.witness.files import TracedMount
from tracefs.witness.guardian import Order, Witnessing
from tracefs.witness.level_names import FULL, PROC, SECCOMP
from tracefs.witness.levels import notified
from tracefs.witness.probe import Ability, probe

_FORWARDED: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_PATIENCE_S: Final = 1.0


class Options(Struct, frozen=True, kw_only=True):
    """How to record."""

    direct_io: bool = False
    witness: str = PROC
    """A level of `tracefs.witness.levels`."""
    fall_back: bool = False
    """Go on with `PROC` where calls can't be notified."""
    stacks: tuple[str, ...] = ()
    """Calls whose stacks are to be kept; each of them is notified, if *witness* notifies any."""
    queries: bool = False
    payload: bool = False
    digests: bool = False
    most_stacks: int = 256
    """How many stacks are kept of them; each costs a fraction of a millisecond."""
    page_size: int = 4096
    visible: bool = False
    """Mount where everybody sees it, even if a namespace can be had."""
    faults: tuple[Rule, ...] = ()
    """Rules of faults that hold from the start."""
    ack_stdout: bool = False
    """Each line that the command prints is an acknowledgement (`tracefs.capture.said`)."""


class Outcome(Struct, frozen=True, kw_only=True):
    """How a traced run ended."""

    status: int
    """Exit status of the command; 128 + N when signal N ended it."""
    events: int
    failed: str | None
    """Why the recording is incomplete; None: it is whole."""
    met: tuple[int, ...] = ()
    """How many calls each rule of faults was for."""
    struck: tuple[int, ...] = ()
    """How many calls each rule of faults has struck."""
    untold: int = 0
    """Requests that a rule for one call may have missed: the call behind them isn't known."""


def _not_told() -> tuple[int, int] | None:
    return None


class Run(Struct, frozen=True, kw_only=True):
    """How the command is run."""

    over: str | None = None
    """Directory that the mount covers, for the command alone; what is below it is not touched.
    None: the traced one itself."""
    execute: Execute = execute
    """Runs the command in place of the process that has entered the mount."""
    told: Callable[[], tuple[int, int] | None] = _not_told
    """Returns, once what *execute* ran has ended, process id and exit status of the command that it
    only watched; None: it was the command itself."""


AS_IT_IS: Final = Run()


def config(
    directory: str,
    recording: Path,
    command: tuple[str, ...] | None,
    options: Options,
    degraded: tuple[str, ...] = (),
) -> Config:
    """Return what a server for *directory* must know."""
    return Config(
        source=to_text(os.fsencode(directory)),
        # No path to it may lead through the mount, as one with .. or links might: see the server.
        recording=to_text(os.fsencode(os.path.realpath(recording))),
        command=command,
        direct_io=options.direct_io,
        witness=options.witness,
        notified=notified(options.witness, options.stacks),
        degraded=degraded,
        visible=True,
        bypassed_by=(),
        queries=options.queries,
        payload=options.payload,
        digests=options.digests,
        page_size=options.page_size,
        faults=options.faults,
        says=options.ack_stdout,
    )


def run_traced(
    directory: str,
    argv: list[bytes],
    recording: Path,
    options: Options,
    notice: Callable[[str], None],
    server: Server,
    run: Run = AS_IT_IS,
) -> Outcome:
    """Run *argv* with *directory* traced in place; return once every process of it has ended.

    Args:
        directory: mounted over for the command alone where the machine allows that, else for all.
        argv: the command, found along PATH.
        recording: folder of the recording, outside *directory*.
        options: how to record.
        notice: told what the user must know while it runs.
        server: started already, so that it imports while the rest is made ready.
        run: how the command is run.

    Raises:
        MountError: it can't be traced; the command was not started.
    """
    root_fd = open_directory(directory)
    over = directory if run.over is None else run.over
    target = os.path.realpath(os.fsencode(over))
    if target == b"/":
        raise MountError("the root directory cannot be traced in place")
    options, ability = _able(options, notice)
    words = config(
        over, recording, tuple(to_text(word) for word in argv), options, ability.degraded
    )
    bypassed_by = bypass.inherited(target)
    for name in bypassed_by:
        notice(f"{name} leads into {over}, opened before: what goes there is not recorded")
    become_subreaper()
    witnessing = _witnessing(words, options, root_fd)
    said = Said(notice) if options.ack_stdout else None
    arm = _armer(witnessing, target, said)
    shared = None if options.visible else why_shared(directory)
    private = None
    if not options.visible and shared is None:
        private = _private(target, argv, arm, run.execute)
        shared = None if private else "it can have no namespace of its own; see doctor"
    if private is None and run.over is not None:
        raise SetupError(
            f"no mount namespace can be had, in which {over} is another directory",
            repair="tracefs doctor says what this machine lacks",
        )
    if shared is not None:
        notice(f"others see this mount, too, since {shared}")
    words = msgspec.structs.replace(words, visible=private is None, bypassed_by=bypassed_by)
    family = _Family(witnessing, said)
    with family, Session(server, words, root_fd, *family.links()) as session:
        os.close(root_fd)
        family.session = session
        if private is None:
            return _run_visible(family, target, argv, arm, notice, run)
        return _run_private(family, private, notice, run)


def _able(options: Options, notice: Callable[[str], None]) -> tuple[Options, Ability]:
    """Return what can be done of *options* here, and how well.

    Raises:
        SetupError: calls can't be notified, and that must be.
    """
    if options.witness not in (SECCOMP, FULL):
        return options, Ability(failure=None)
    found = probe(platform.machine())
    if found.failure is None:
        return options, found
    if not options.fall_back:
        raise SetupError(
            f"calls can't be notified: {found.failure}",
            repair="tracefs run --witness proc, which doesn't see lseek itself",
        )
    notice(f"lseek and other calls that no filesystem hears of go unseen: {found.failure}")
    return msgspec.structs.replace(options, witness=PROC), Ability(failure=None)


def _witnessing(words: Config, options: Options, root_fd: int) -> Witnessing | None:
    if not words.notified:
        return None
    backing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root_fd)
    order = Order(
        machine=platform.machine(),
        recording=to_bytes(words.recording),
        notified=words.notified,
        with_stack=options.stacks,
        most_stacks=options.most_stacks,
    )
    try:
        return Witnessing(order, backing)
    finally:
        os.close(backing)


def _armer(witnessing: Witnessing | None, target: bytes, said: Said | None) -> Callable[[], None]:
    """Return what the command's process does last before it runs the command."""

    def arm() -> None:
        if said is not None:
            said.redirect()
        mount = mounts.find(target)
        if witnessing is not None and mount is not None:
            root = to_text(target)
            witnessing.arm(TracedMount(id=mount.id, device=mount.device, root=root))

    return arm


class _Family:
    """The processes that this one started and that are not the command's."""

    session: Session

    def __init__(self, witnessing: Witnessing | None, said: Said | None) -> None:
        self.witnessing = witnessing
        self.said = said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.said is not None:
            self.said.close()

    def links(self) -> list[int]:
        """Return the descriptors that are for the server, as `Config` has them."""
        witness = [] if self.witnessing is None else [self.witnessing.server.fileno()]
        return witness if self.said is None else [*witness, self.said.theirs.fileno()]

    @property
    def pids(self) -> frozenset[int]:
        """Process ids, of those that are known by now."""
        witness = () if self.witnessing is None else self.witnessing.pids
        return frozenset((self.session.pid, *witness))

    def command_runs(self) -> None:
        """Leave what only the command needed to the command."""
        if self.witnessing is not None:
            self.witnessing.release()
        if self.said is not None:
            self.said.start()


def why_shared(directory: str) -> str | None:
    """Return why a mount that all see is better; None: it isn't."""
    if os.geteuid() != 0 and fusermount.is_installed() and not all_ours(os.fsencode(directory)):
        return "files here may have other owners, and in a namespace could not be written"
    return None


def _private(
    target: bytes, argv: list[bytes], arm: Callable[[], None], execute: Execute
) -> PrivateMount | None:
    """Return a mount that the command alone will see; None: it can't be had."""
    try:
        return PrivateMount(target, argv, arm, execute)
    except BlockingIOError:
        raise  # no process can be started (fork(2)): nor could what mounts for all
    except OSError:
        return None


def _run_private(
    family: _Family,
    private: PrivateMount,
    notice: Callable[[str], None],
    run: Run,
) -> Outcome:
    try:
        family.session.serve(private.device, private.namespace, private.number)
    except MountError:
        private.abandon()
        raise
    finally:
        os.close(private.device)
    private.go()
    family.command_runs()
    status = _await(private.pid)
    family.session.ended(*(run.told() or (private.pid, status)))
    return _finish(family, status, notice)


def _run_visible(
    family: _Family,
    target: bytes,
    argv: list[bytes],
    arm: Callable[[], None],
    notice: Callable[[str], None],
    run: Run,
) -> Outcome:
    family.session.mount(to_text(target), allow_other=False)
    mounted = mounts.find(target)
    pid = os.fork()
    if pid == 0:
        family.session.close()
        become(argv, enter=return_to_cwd, arm=arm, execute=run.execute)
    family.command_runs()
    status = _await(pid)
    family.session.ended(*(run.told() or (pid, status)))
    # A mount that was taken away ended early, even if the server hears of that after this.
    if _await_orphans(family, notice) and mounted is not None and mounts.find(target) == mounted:
        family.session.over()
    try:
        fusermount.unmount(target)
    except MountError as error:
        notice(f"{error}; unmounting lazily")
        _unmount_lazily(family, target, notice)
    return _finish(family, status, notice)


def _unmount_lazily(family: _Family, target: bytes, notice: Callable[[str], None]) -> None:
    try:
        fusermount.unmount(target, lazy=True)
    except MountError as error:
        # The server would wait for ever.
        notice(f"{error}; a dead mount is left there: as root, umount -l {os.fsdecode(target)}")
        family.session.stop()


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


def _finish(family: _Family, status: int, notice: Callable[[str], None]) -> Outcome:
    """Wait for the mount to end with the last process that uses it."""
    session = family.session
    try:
        done: Done | None = session.wait(_PATIENCE_S)
        if done is None:
            notice(_waiting(_orphans(family)))
        while done is None:
            _reap(family)
            done = session.wait(_PATIENCE_S)
    except KeyboardInterrupt:
        notice("ended while processes were still running; they lose the directory")
        session.stop()
        done = session.wait()
        assert done is not None
    return Outcome(
        status=status,
        events=done.events,
        failed=done.failed,
        met=done.met,
        struck=done.struck,
        untold=done.untold,
    )


def _await_orphans(family: _Family, notice: Callable[[str], None]) -> bool:
    """Wait for what the command left running; False: interrupted, it still runs."""
    try:
        orphans = _orphans(family)
        if orphans:
            notice(_waiting(orphans))
        while orphans := _orphans(family):
            _await_one(orphans)
    except KeyboardInterrupt:
        return False
    return True


def _await_one(pids: list[int]) -> None:
    """Wait until one of these children has ended; our own processes are not waited for."""
    with contextlib.ExitStack() as opened:
        poller = select.poll()
        for pid in pids:
            poller.register(opened.enter_context(open(os.pidfd_open(pid), "rb")), select.POLLIN)
        poller.poll()


def _waiting(pids: list[int]) -> str:
    names = " ".join(map(str, pids)) or "unknown"
    return f"the command left processes running ({names}); waiting for them, Ctrl-C ends the trace"


def _reap(family: _Family) -> None:
    """Collect adopted processes that have ended."""
    for pid in _children():
        if pid != family.session.pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def _orphans(family: _Family) -> list[int]:
    """Return the processes that the command has left to us."""
    _reap(family)
    return [pid for pid in _children() if pid not in family.pids]


def _children() -> list[int]:
    """Return the process ids of our children (proc(5): needs CONFIG_PROC_CHILDREN)."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []
