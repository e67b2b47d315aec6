"""The process that serves one mount: ``python -m tracefs.capture.server FD``.

It is told what to do over the socket FD (`tracefs.capture.messages`), so nothing on the mount's
side of the machine is needed once it runs: everything is imported, every directory is open.
"""

import contextlib
import errno
import fcntl
import gc
import logging
import os
import platform
import select
import signal
import socket
import sys
from functools import partial
from importlib.machinery import BuiltinImporter, FrozenImporter
from pathlib import Path
from time import monotonic_ns
from typing import Final

from tracefs.capture.operations import Operations  # before pyfuse3

# isort: split
import pyfuse3
import trio

from tracefs.capture.backing import Backing
from tracefs.capture.control import Control
from tracefs.capture.coverage import Coverage, End
from tracefs.capture.door import Door, of_directory, of_mount
from tracefs.capture.fusermount import HelperMount
from tracefs.capture.header import header
from tracefs.capture.injection import Injection
from tracefs.capture.keeping import Keeper
from tracefs.capture.loop import Loop
from tracefs.capture.messages import (
    Asked,
    Config,
    Detach,
    Device,
    Done,
    Ended,
    Failed,
    Finish,
    Message,
    MountAt,
    Over,
    Ready,
    Warned,
    receive,
    send,
)
from tracefs.capture.recorder import Recorder, Wanted
from tracefs.capture.request import received
from tracefs.capture.said_link import SaidLink
from tracefs.capture.start_tree import head, walk
from tracefs.capture.syncer import Syncer
from tracefs.capture.syscalls import keep_capabilities
from tracefs.capture.ways import choose
from tracefs.capture.witness_link import WitnessLink
from tracefs.errors import MountError, TracefsError
from tracefs.faults.engine import Faults
from tracefs.journal.writer import JournalWriter
from tracefs.pathtext import printable, to_bytes
from tracefs.rlimits import raise_descriptor_limit
from tracefs.witness.level_names import NONE
from tracefs.witness.proc import ProcWitness
from tracefs.witness.threads import affordable

_LONGEST_REQUEST: Final = 2 << 20
"""More than any request takes; a read for less fails with EINVAL (fuse_dev_do_read)."""
_PART: Final = 64 << 10
"""Of that; nothing is read, so all parts may be one piece of memory."""
_FOOTER: Final = {
    End.UNMOUNTED: "unmounted",
    End.ABORTED: "unmounted",
    End.TERMINATED: "terminated",
}
_MAX_TASKS: Final = 1 << 16
"""Requests that may be waited for at once. Beyond it pyfuse3 reads none, so that slow syncs of one
file would hold up all others."""


class Server:
    """One mount, from configuration to the journal's footer."""

    def __init__(self, control: socket.socket, terminated: int) -> None:
        """Take the socket to whoever started this, and a pipe that is readable after SIGTERM."""
        self._control = control
        self._terminated = terminated
        self._detached = False
        self._helper: HelperMount | None = None
        self._coverage: Coverage | None = None
        self._link: WitnessLink | None = None
        self._said: SaidLink | None = None
        self._commands: Control | None = None
        self._recording = b""
        self._ended: tuple[int, int] | None = None
        """Exit status and process id of the command, once these were heard."""
        self._number: tuple[int, int] | None = None
        """Of the mount's device."""

    def run(self) -> int:
        """Serve until the mount ends; return the exit status."""
        message, fds = receive(self._control)
        if not isinstance(message, Config):
            return 3
        try:
            self._serve(message, *fds)
        except TracefsError as error:
            self._tell(Failed(message=str(error), repair=error.repair))
            return error.exit_code
        except OSError as error:
            self._tell(Failed(message=f"cannot serve {message.source}: {error.strerror}"))
            return 3
        except Exception as error:  # noqa: BLE001  # whatever it was, a person is to understand it
            self._tell(Failed(message=f"the server failed: {_innermost(error)!r}"))
            return 3
        return 0

    def _serve(self, config: Config, root_fd: int, *links: int) -> None:
        lock = _lock(root_fd, config.source)
        ways = choose(os.environ, pyfuse3.__version__, trio.__version__)
        # Not where bytes are kept or hashed, or nobody looks at the caller.
        takes_shortcut = ways.shortcut and not (
            config.payload or config.digests or config.witness == NONE
        )
        block_size = os.statvfs(root_fd).f_bsize
        journal = JournalWriter(
            Path(os.fsdecode(to_bytes(config.recording))),
            header(config, block_size),
            payload=config.payload,
            walk=(lambda: (head(root_fd), walk(root_fd))) if config.payload else None,
            shared=_is_notified(config) or takes_shortcut,
            on_failure=lambda why: self._tell(
                Warned(message=f"recording stopped: {why}; the program goes on unrecorded")
            ),
        )
        self._recording = to_bytes(config.recording)
        coverage = self._coverage = Coverage(root_fd, for_command=config.command is not None)
        limit = raise_descriptor_limit()
        witness = None
        if config.witness != NONE:
            witness = ProcWitness(platform.machine(), max_threads=affordable(limit // 2))
        try:
            device = self._device(coverage)
            if device is None:
                journal.close(monotonic_ns(), "never mounted")
                return
            os.set_blocking(device, False)
            door = Door(self._names(root_fd))
            loop = Loop(
                self._control.fileno(), self._terminated, door.fileno(), *links, received=received
            )
            syncer = Syncer(loop)
            operations = self._operations(config, root_fd, limit // 2, journal, witness, syncer)
            if witness is not None and takes_shortcut:
                operations.take_shortcut(witness, journal)
            operations.inject(config.faults)
            loop.at_end = operations.held.end
            self._link_up(config, links, journal)
            self._commands = Control(
                config, block_size, journal, Injection(operations, journal), coverage, syncer,
                device, operations.left, operations.in_use, operations.rotate,
                partial(fcntl.flock, lock, fcntl.LOCK_UN), operations.end_play,
                shared=_is_notified(config),
            )  # fmt: skip
            if ways.loop:
                loop.install()
            with door:
                end = self._loop(operations, loop, device, door)
            self._hear_the_last()
            gap = coverage.gap(end, operations.left()) or operations.given_up
            if self._link is not None:
                # Where the command goes on, so would the witness.
                self._link.end(stop=end is not End.UNMOUNTED or gap is not None)
            operations.end_play()
            self._end_journal(journal, end, gap, of_command=config.command is not None)
        finally:
            if witness is not None:
                witness.close()
            if self._helper is not None:
                self._helper.release()
            os.close(lock)
        self._tell(_last_word(journal, operations.faults))
        # Whoever reads what this process says need not wait for what may wait for a disk: these
        # closes, and the process's end where a sync was given up.
        os.dup2(0, 2)
        operations.close()

    def _link_up(self, config: Config, links: tuple[int, ...], journal: JournalWriter) -> None:
        """Take the sockets of others who have something for the journal."""
        if _is_notified(config):
            self._link = WitnessLink(links[0], journal)
        if config.says:
            self._said = SaidLink(links[-1], journal)

    def _end_journal(
        self, journal: JournalWriter, end: End, gap: str | None, *, of_command: bool
    ) -> None:
        end_ns = monotonic_ns()
        if gap is not None:
            journal.stop(gap)
        elif of_command and end is End.UNMOUNTED:
            self._hear_of_command()
        status, pid = self._ended or (None, None)
        journal.close(end_ns, _FOOTER[end], status=status, pid=pid)

    def _operations(
        self,
        config: Config,
        root_fd: int,
        max_open: int,
        journal: JournalWriter,
        witness: ProcWitness | None,
        syncer: Syncer,
    ) -> Operations:
        backing = Backing(
            root_fd,
            max_open=max_open,
            keep_sync_flags=config.direct_io,
            makes_for_others=os.geteuid() == 0 and keep_capabilities(),
        )
        wanted = Wanted(queries=config.queries, payload=config.payload, digests=config.digests)
        operations = Operations(
            backing,
            Recorder(journal, witness, wanted),
            syncer,
            direct_io=config.direct_io,
            ready=lambda: self._tell(Ready(pid=os.getpid())),
        )
        if config.payload:
            operations.keep_start(Keeper(journal, backing, syncer))
        operations.spill_into(os.open(journal.folder, os.O_PATH | os.O_CLOEXEC))
        return operations

    def _device(self, coverage: Coverage) -> int | None:
        """Return the FUSE device once told where it is; None: there is nothing to serve."""
        message, fds = receive(self._control)
        if isinstance(message, Device):
            coverage.in_namespace(message.namespace)
            self._number = message.number
            return fds[0]
        if isinstance(message, MountAt):
            options = ["fsname=tracefs", "subtype=tracefs", "default_permissions"]
            if message.allow_other:
                options.append("allow_other")
            if os.geteuid() == 0:
                options += ["suid", "dev"]
            coverage.at(to_bytes(message.mountpoint))
            self._helper = HelperMount(to_bytes(message.mountpoint), options)
            self._number = self._helper.number
            return self._helper.device
        return None

    def _names(self, root_fd: int) -> list[str]:
        """Return what our door is to be found by."""
        names = [of_directory(os.fstat(root_fd))]
        if self._number is not None:
            names.append(of_mount(self._number))
        return names

    def _loop(self, operations: Operations, loop: Loop, device: int, door: Door) -> End:
        """Answer requests until the mount ends; return how it did."""
        # libfuse takes over a device that is mounted already when it is named like this.
        pyfuse3.init(operations, f"/dev/fd/{device}", set())
        gc.collect()
        gc.freeze()
        try:
            terminated = trio.run(self._main, loop, device, door, instruments=[loop])
            if terminated and not _has_ended(device):
                return End.TERMINATED
            return End.ABORTED if _was_aborted(device) else End.UNMOUNTED
        finally:
            pyfuse3.close(unmount=False)

    async def _main(self, loop: Loop, device: int, door: Door) -> bool:
        # The first use of a worker thread imports and allocates; later nothing may be imported.
        # Where none can be started, `Syncer` does without.
        with contextlib.suppress(RuntimeError):
            await trio.to_thread.run_sync(int)
        _close_imports()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, loop)
            nursery.start_soon(self._await_signal, loop)
            nursery.start_soon(self._await_visitors, door, device)
            if self._link is not None:
                nursery.start_soon(self._await_witness, self._link, loop)
            if self._said is not None:
                nursery.start_soon(self._await_lines, self._said, loop)
            with loop.requests:
                await pyfuse3.main(max_tasks=_MAX_TASKS)
            nursery.cancel_scope.cancel()
        return loop.stopping

    async def _await_signal(self, loop: Loop) -> None:
        await trio.lowlevel.wait_readable(self._terminated)
        os.read(self._terminated, 1)
        _end(loop)

    async def _await_witness(self, link: WitnessLink, loop: Loop) -> None:
        await trio.lowlevel.wait_readable(link.fileno())
        link.hear()
        loop.ignore(link.fileno())

    async def _await_lines(self, said: SaidLink, loop: Loop) -> None:
        while True:
            await trio.lowlevel.wait_readable(said.fileno())
            if not said.hear():
                loop.ignore(said.fileno())
                return

    async def _await_visitors(self, door: Door, device: int) -> None:
        """Answer other processes of the user, as long as there is something to ask about."""
        assert self._commands is not None
        injection = self._commands.injection
        while True:
            await trio.lowlevel.wait_readable(door.fileno())
            for visitor, question in door.asked():
                if _has_ended(device):
                    door.dismiss(visitor)
                else:
                    door.tell(visitor, injection.answer(question))

    async def _listen(self, loop: Loop) -> None:
        """End the mount when told to, or when nobody is left who could end it."""
        while True:
            await trio.lowlevel.wait_readable(self._control)
            message, _ = receive(self._control)
            if isinstance(message, Detach):
                self._detached = True
                # Whoever started us may wait for the end of what we hold open.
                _speak_into(self._recording)
            elif isinstance(message, Over | Ended):
                self._note(message)
            elif isinstance(message, Asked | Finish):
                await self._answer(message)
            elif message is None and (self._detached or self._helper is None):
                # A mount in a namespace of its own ends with the last process that can see it.
                loop.ignore(self._control.fileno())
                return
            else:
                _end(loop)
                return

    async def _answer(self, asked: Asked | Finish) -> None:
        assert self._commands is not None
        answer = await self._commands.answer(asked)
        if isinstance(asked, Finish):
            self._detached = True
            if answer is not None:
                # Whoever started us may wait for the end of what we hold open.
                os.dup2(0, 2)
        if answer is not None:
            self._tell(answer)

    def _hear_the_last(self) -> None:
        """Take what was said just before the mount ended."""
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        while poller.poll(0) and self._hear():
            pass
        if self._said is not None:
            self._said.end()

    def _hear_of_command(self) -> None:
        """Wait for word of how the command ended.

        A mount for the command alone goes with the last process in its namespace, before that
        one's parent hears of it (do_exit in kernel/exit.c); the parent says so next, or is gone.
        """
        while self._ended is None and self._hear():
            pass

    def _hear(self) -> bool:
        """Take the next message; False: nobody is there to send one."""
        message, _ = receive(self._control)
        if isinstance(message, Over | Ended):
            self._note(message)
        return message is not None

    def _note(self, said: Over | Ended) -> None:
        if isinstance(said, Ended):
            self._ended = said.status, said.pid
        elif self._coverage is not None:
            self._coverage.over = True

    def _tell(self, message: Message) -> None:
        # Whoever would read it may be gone: a terminal, a pipe, the front end.
        if isinstance(message, Warned):
            with contextlib.suppress(OSError, ValueError):
                print(f"tracefs: {printable(message.message)}", file=sys.stderr, flush=True)
        with contextlib.suppress(OSError):
            send(self._control, message)


def _is_notified(config: Config) -> bool:
    """Tell whether a seccomp witness writes into the journal, too."""
    return bool(config.notified)


def _last_word(journal: JournalWriter, faults: Faults | None) -> Done:
    if faults is None:
        return Done(events=journal.events, failed=journal.failed)
    return Done(
        events=journal.events,
        failed=journal.failed,
        met=faults.met,
        struck=faults.struck,
        untold=faults.untold,
    )


def _has_ended(device: int) -> bool:
    """Return whether the connection has ended, by whatever (fuse_dev_poll in fs/fuse/dev.c)."""
    poller = select.poll()
    poller.register(device, 0)
    return any(event & select.POLLERR for _, event in poller.poll(0))


def _was_aborted(device: int) -> bool:
    """Return whether the connection was cut, rather than unmounted (`FUSE_ABORT_ERROR`)."""
    try:
        os.readv(device, [bytearray(_PART)] * (_LONGEST_REQUEST // _PART))
    except OSError as error:
        return error.errno == errno.ECONNABORTED
    return False


def _innermost(error: BaseException) -> BaseException:
    """Return what went wrong, out of the groups that trio's nurseries make."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _close_imports() -> None:
    """Make a late import fail: through a mount over the interpreter's own files it would hang."""
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter]


def _end(loop: Loop) -> None:
    loop.stop()
    pyfuse3.terminate()


def _lock(root_fd: int, source: str) -> int:
    """Take the one lock that a traced directory has: two mounts would each cache its pages."""
    fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root_fd)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise MountError(
            f"{source} is being traced already",
            repair="wait for the other run to end, or trace another directory",
        ) from None
    return fd


def _speak_into(recording: bytes) -> None:
    """Send what this process says to ``server.log``, beside the journal."""
    path = os.path.join(recording, b"server.log")
    # O_EXCL: where others may write, what they put there under this name is not followed.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
    try:
        log = os.open(path, flags, 0o600)
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(log, sys.stderr.fileno())
    os.close(log)


def main() -> int:
    """Run the server on the socket whose number is the only argument."""
    return serve(socket.socket(fileno=int(sys.argv[1])))


def serve(control: socket.socket) -> int:
    """Run the server on the socket *control*, in a process that does nothing else any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminated, terminate = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGTERM, lambda *_: os.write(terminate, b"T"))
    logging.basicConfig(level=logging.WARNING, format="tracefs: server: %(message)s")
    # A reply that nobody waits for any more: the caller was killed, or the mount is gone.
    logging.getLogger("pyfuse3").setLevel(logging.CRITICAL)
    os.umask(0)
    os.chdir("/")
    return Server(control, terminated).run()


if __name__ == "__main__":
    sys.exit(main())
