"""A function asked about states, by a child of this process that answers one after the other.

A fork for each state would take longer than most answers. So a child goes on as long as nothing
is left of what it did: where the function raised, took too long, or left a process or a thread,
the child is killed with all that it started, and the next state gets a new one.
"""

import io
import os
import select
import signal
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

import msgspec
from msgspec import Struct

from tracefs.capture.syscalls import end_with_parent
from tracefs.crash.watching import DEFAULT
from tracefs.trials.limit import Family, Output

Function = Callable[[Path, Sequence[str]], str | None]
"""Gets a directory and the acknowledgements; returns what is wrong with it, or None."""

_MOST_STATES: Final = 256
"""That one child is asked about: what a function piles up is bounded."""
_MOST_DESCRIPTORS: Final = 1 << 20
_LENGTH: Final = struct.Struct("=Q")


class Question(Struct, frozen=True, kw_only=True):
    """What a child is asked."""

    state: str
    work: str
    """Its working directory."""
    environment: dict[str, str]
    acks: tuple[str, ...]


class Reply(Struct, frozen=True, kw_only=True):
    """What it answers."""

    wrong: str | None = None
    raised: str | None = None
    """An exception and its text."""


class Ended(Struct, frozen=True, kw_only=True):
    """It ended without an answer."""

    status: int
    """Exit status, 128 + N for signal N."""


class Child:
    """The child; made when it is needed."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._family: Family | None = None
        self._pid = self._asked = 0
        self._descriptors: tuple[int, ...] = ()

    def ask(self, question: Question, limit_s: float) -> Reply | Ended | None:
        """Return the answer; None: there was none in time.

        Raises:
            OSError: no process could be made.
        """
        if self._family is None:
            self._start()
        reply = None
        try:
            reply = self._talk(question, time.perf_counter() + limit_s)
            return reply
        finally:
            self._asked += 1
            good = isinstance(reply, Reply) and reply.raised is None
            if not good or self._asked >= _MOST_STATES or not self._is_clean():
                self.close()

    def close(self) -> None:
        """Kill it, with all that it started."""
        if self._family is not None:
            if self._family.status is None:  # it has its process id still
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._pid, signal.SIGKILL)
            self._family.kill()
            self._family = None
            for descriptor in self._descriptors:
                os.close(descriptor)

    def _start(self) -> None:
        asked, question = os.pipe2(os.O_CLOEXEC)
        answer, answered = os.pipe2(os.O_CLOEXEC)
        printed, output = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            _serve(self._function, asked, answered, output)
        for descriptor in (asked, answered, output):
            os.close(descriptor)
        os.set_blocking(answer, False)
        os.set_blocking(printed, False)
        self._descriptors = question, answer, printed, os.pidfd_open(pid)
        self._family, self._pid, self._asked = Family(pid), pid, 0

    def _talk(self, question: Question, deadline: float) -> Reply | Ended | None:
        ours, answer, printed, end = self._descriptors
        data = msgspec.msgpack.encode(question)
        with suppress(BrokenPipeError):
            _write(ours, _LENGTH.pack(len(data)) + data)
        output = Output(printed, io.BytesIO())  # so that it doesn't wait for a reader
        got = b""
        poller = select.poll()
        for descriptor in (answer, printed, end):
            poller.register(descriptor, select.POLLIN)
        while (left := deadline - time.perf_counter()) > 0:
            ready = {descriptor for descriptor, _ in poller.poll(left * 1000)}
            if printed in ready and not output.read():
                poller.unregister(printed)
            if answer in ready:
                data = os.read(answer, 1 << 16)
                got += data
                if (reply := _reply(got)) is not None:
                    return reply
                if not data:
                    poller.unregister(answer)
            elif end in ready:
                return self._ended()
        return None

    def _ended(self) -> Ended:
        assert self._family is not None
        self._family.reap()
        return Ended(status=self._family.status or 0)

    def _is_clean(self) -> bool:
        """Return whether the function has left nothing: see proc_pid_task(5).

        Where the kernel doesn't say it, it may have.
        """
        try:
            threads = os.listdir(f"/proc/{self._pid}/task")
            with open(f"/proc/{self._pid}/task/{self._pid}/children", "rb") as file:
                left = file.read()
            with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
                adopted = file.read().split()
        except OSError:
            return False
        return len(threads) == 1 and not left and adopted == [b"%d" % self._pid]


def _reply(got: bytes) -> Reply | None:
    """Return the answer that *got* is; None: it isn't whole."""
    if len(got) < _LENGTH.size or len(got) - _LENGTH.size < _LENGTH.unpack_from(got)[0]:
        return None
    return msgspec.msgpack.decode(got[_LENGTH.size :], type=Reply)


def _serve(function: Function, asked: int, answered: int, output: int) -> NoReturn:
    """Be the child."""
    try:
        end_with_parent(signal.SIGKILL)
        os.setsid()
        for number in DEFAULT:
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        for stream, descriptor in enumerate((nothing, output, output)):
            os.dup2(descriptor, stream)
        # Others see by their ends of pipes whether the process lives that this one is a copy of.
        low, high = sorted((asked, answered))
        os.closerange(3, low)
        os.closerange(low + 1, high)
        os.closerange(high + 1, _MOST_DESCRIPTORS)
        os.environ.clear()
        while head := _read(asked, _LENGTH.size):
            data = _read(asked, _LENGTH.unpack(head)[0])
            reply = _answer(function, msgspec.msgpack.decode(data, type=Question))
            encoded = msgspec.msgpack.encode(reply)
            _write(answered, _LENGTH.pack(len(encoded)) + encoded)
    finally:
        os._exit(1)


def _answer(function: Function, question: Question) -> Reply:
    try:
        os.chdir(question.work)
        os.environ.update(question.environment)
        wrong = function(Path(question.state), question.acks)
        return Reply(wrong=None if wrong is None else _encodable(wrong))
    except BaseException as error:  # noqa: BLE001  # whatever it was, it is no answer
        return Reply(raised=_encodable(f"{type(error).__name__}: {error}"))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _read(file: int, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := os.read(file, size - len(data))):
        data += more
    return data


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
