"""Keeps the seccomp witness going: what stops at a filter is never left waiting, or told ENOSYS.

::

    tracefs run ──fork──▶ guardian ──fork──▶ supervisor
         │                   ▲  └──── both hold the listener ────┘
         └──fork──▶ command ─┘ sends it, just before exec

The supervisor receives into a page that both share. So when it dies, the guardian knows which call
it had at hand, lets that one go on and every later one, and says in the journal from when on nobody
watched. When the guardian dies, the supervisor just goes on. Either lives as long as anything that
the command started, whatever becomes of tracefs itself.
"""

import errno
import gc
import os
import select
import signal
import socket
from contextlib import suppress
from mmap import PAGESIZE, mmap
from time import monotonic_ns
from typing import Final, NoReturn

import msgspec
from msgspec import Struct

from tracefs.errors import RecordingError
from tracefs.events import Lost
from tracefs.journal.appender import JournalAppender
from tracefs.rlimits import raise_descriptor_limit
from tracefs.witness import seccomp
from tracefs.witness.files import TracedMount
from tracefs.witness.levels import filter_code
from tracefs.witness.stack import StackReader
from tracefs.witness.supervisor import Supervisor
from tracefs.witness.threads import affordable
from tracefs.witness.word import STOP, Word

_AGAIN_MS: Final = 100
_ENDED: Final = 0
_STOPPED: Final = 3


class Order(Struct, frozen=True, kw_only=True):
    """What is to be witnessed."""

    machine: str
    recording: bytes
    notified: tuple[str, ...]
    with_stack: tuple[str, ...]
    most_stacks: int


class _Armed(Struct, frozen=True, kw_only=True):
    """From the command's process, with the listener; without one: why there is none."""

    mount: TracedMount
    failure: str | None = None


class Witnessing:
    """The guardian, seen from the process that starts it and forks the command.

    Args:
        order: what is to be witnessed.
        backing: descriptor of the traced directory itself.
    """

    def __init__(self, order: Order, backing: int) -> None:
        self._order = order
        self._pids = mmap(-1, PAGESIZE)
        ours, self._command = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.server, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        """The end that the server of the mount is to have."""
        self.pid = os.fork()
        if self.pid == 0:
            _be_guardian(order, backing, ours, theirs, self._pids)
        ours.close()
        theirs.close()

    @property
    def pids(self) -> tuple[int, int]:
        """Process ids of the guardian and of the supervisor; 0: there is none yet."""
        return self.pid, int.from_bytes(self._pids[:8], "little")

    def arm(self, mount: TracedMount) -> None:
        """Put the filter on this process, which is about to become the command.

        From here on each of its notified calls waits for the supervisor.
        """
        if self._guardian_is_gone():
            return  # nobody would answer; the server of the mount hears of it, too
        order = self._order
        code = filter_code(order.machine, order.notified)
        said = msgspec.json.encode(_Armed(mount=mount))
        try:
            listener, _ = seccomp.install(order.machine, code)
        except OSError as error:
            failure = f"the filter can't be installed: {error.strerror}"
            self._command.send(msgspec.json.encode(_Armed(mount=mount, failure=failure)))
            return
        # Neither end is closed here: close is notified, and exec closes both.
        socket.send_fds(self._command, [said], [listener])

    def _guardian_is_gone(self) -> bool:
        hang_up = select.poll()
        hang_up.register(self._command, 0)
        return bool(hang_up.poll(0))

    def release(self) -> None:
        """Close what only the forked processes need."""
        self._command.close()
        self.server.close()


def _be_guardian(
    order: Order, backing: int, command: socket.socket, server: socket.socket, pids: mmap
) -> NoReturn:
    status = 1
    try:
        _detach("tracefs-guard", {2, backing, command.fileno(), server.fileno()})
        status = _guard(order, backing, command, server, pids)
    finally:
        os._exit(status)


def _guard(
    order: Order, backing: int, command: socket.socket, server: socket.socket, pids: mmap
) -> int:
    said, fds, _, _ = socket.recv_fds(command, 1 << 16, 1)
    command.close()
    if not said:
        _tell(server, None)  # the command was never run: there is nothing to miss
        return 0
    armed = msgspec.json.decode(said, type=_Armed)
    try:
        journal = JournalAppender(order.recording)
    except RecordingError as error:
        _tell(server, str(error))
        if fds:
            _stand_in(fds[0], None)
        return 0
    if not fds:
        _tell(server, _lose(journal, armed.failure or "there is no listener"))
        return 0
    listener = fds[0]
    seccomp.wake_in_place(listener)
    page = mmap(-1, PAGESIZE)
    try:
        pid = os.fork()
    except OSError as error:
        _tell(server, _lose(journal, f"the supervisor can't be started: {error.strerror}"))
        _stand_in(listener, None)
        return 0
    if pid == 0:
        _be_supervisor(order, backing, listener, page, journal, armed.mount, server)
    pids[:8] = pid.to_bytes(8, "little")
    status = _watch(pid, listener, server)
    pids[:8] = bytes(8)
    if status not in (_ENDED, _STOPPED):
        # What the supervisor let go on is in the journal, and since it ended nothing was let go on.
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        _tell(server, _lose(journal, f"the supervisor ended by {how}"))
    _stand_in(listener, page)
    return 0


def _watch(pid: int, listener: int, server: socket.socket) -> int:
    """Wait for the supervisor's end and return its exit code, -N for signal N."""
    pidfd = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(server, select.POLLIN)
    poll.register(listener, 0)
    asked = False
    while True:
        for fd, _ in poll.poll(_AGAIN_MS if asked else None):
            if fd == pidfd:
                _, status = os.waitpid(pid, 0)
                os.close(pidfd)
                return os.waitstatus_to_exitcode(status)
            poll.unregister(fd)
            # Nobody is left who could call: kernels before 6.11 leave the supervisor waiting then.
            asked = asked or fd == listener or server.recv(len(STOP)) == STOP
        if asked:
            # Again and again: the first may come just before it begins to wait.
            os.kill(pid, signal.SIGTERM)


def _stand_in(listener: int, page: mmap | None) -> None:
    """Let everything go on, unseen, until nobody is left who could call."""
    hang_up = select.poll()
    hang_up.register(listener, 0)
    # What a slot had before is answered already; to answer it again does nothing.
    for slot in seccomp.slots(page) if page is not None else ():
        seccomp.let_go(listener, seccomp.last_received(slot).id)
    own = seccomp.slots(mmap(-1, PAGESIZE))[0]
    while True:
        try:
            seccomp.let_go(listener, seccomp.receive(listener, own).id)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EINTR):
                raise
            if hang_up.poll(0):
                return


def _be_supervisor(
    order: Order,
    backing: int,
    listener: int,
    page: mmap,
    journal: JournalAppender,
    mount: TracedMount,
    server: socket.socket,
) -> NoReturn:
    status = 1
    try:
        _call_oneself("tracefs-witness")
        supervisor = Supervisor(
            listener,
            page,
            journal,
            machine=order.machine,
            mount=mount,
            backing=backing,
            stacks=StackReader(order.machine),
            with_stack=frozenset(order.with_stack),
            most_stacks=order.most_stacks,
            most_threads=affordable(raise_descriptor_limit()),
        )

        def stop(*_: object) -> None:
            supervisor.stopping = True

        signal.signal(signal.SIGTERM, stop)
        gc.disable()  # nothing here makes cycles, and a collection would keep the program waiting
        supervisor.run()
        _tell(server, supervisor.failed)
        status = _STOPPED if supervisor.stopping or supervisor.failed else _ENDED
    finally:
        os._exit(status)


def _lose(journal: JournalAppender, reason: str) -> str | None:
    """Say in the journal that nobody watches from now on; return why that can't be said."""
    now = monotonic_ns()
    return journal.append(Lost(start_ns=now, end_ns=now, tid=0, reason=reason))


def _tell(server: socket.socket, failure: str | None) -> None:
    with suppress(OSError):
        server.send(msgspec.json.encode(Word(failure=failure)))


def _detach(name: str, keep: set[int]) -> None:
    """Depend on nothing of the process that forked this one, its terminal and pipes included."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.chdir("/")
    for fd in sorted(map(int, os.listdir("/proc/self/fd"))):
        if fd not in keep:
            with suppress(OSError):
                os.close(fd)
    # What is kept has a number so low where tracefs was started with these closed.
    for fd in {0, 1} - keep:
        os.dup2(os.open(os.devnull, os.O_RDWR), fd)
    _call_oneself(name)


def _call_oneself(name: str) -> None:
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(name)
