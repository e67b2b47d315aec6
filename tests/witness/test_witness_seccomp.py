"""What is asked of a listener, of a real one where it can be made to answer so."""

import errno
import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from mmap import PAGESIZE, mmap

import pytest

from tracefs.witness import seccomp

PATIENCE_S = 20
CALLER = """
import os, platform, socket, sys
from tracefs.witness import seccomp
from tracefs.witness.levels import filter_code
machine = platform.machine()
link = socket.socket(fileno=int(sys.argv[1]))
listener, _ = seccomp.install(machine, filter_code(machine, ("syncfs",)))
socket.send_fds(link, [b"x"], [listener])
import ctypes
ctypes.CDLL(None).syncfs(0)
link.send(b"done")
"""


class Caller:
    """A process that stops at syncfs, and says so when that is done."""

    def __init__(self) -> None:
        self.link, theirs = socket.socketpair()
        self.link.settimeout(PATIENCE_S)
        command = [sys.executable, "-c", CALLER, str(theirs.fileno())]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        _, (self.listener,), _, _ = socket.recv_fds(self.link, 1, 1)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.link.close()
        os.close(self.listener)


@pytest.fixture
def caller() -> Iterator[Caller]:
    made = Caller()
    yield made
    made.close()


def slot() -> memoryview:
    return seccomp.slots(mmap(-1, PAGESIZE))[0]


def test_a_call_waits_until_it_is_let_go(caller: Caller) -> None:
    number = seccomp.receive(caller.listener, slot()).id
    assert seccomp.still_waits(caller.listener, number)
    assert seccomp.let_go(caller.listener, number)
    assert caller.link.recv(4) == b"done"
    assert not seccomp.still_waits(caller.listener, number)


def test_a_call_of_a_killed_caller_waits_no_more(caller: Caller) -> None:
    number = seccomp.receive(caller.listener, slot()).id
    caller.process.kill()
    caller.process.wait()
    assert not seccomp.still_waits(caller.listener, number)
    assert not seccomp.let_go(caller.listener, number)


@pytest.mark.parametrize("error", [None, errno.EIO], ids=["let go", "refused"])
def test_a_signal_does_not_keep_an_answer(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, error: int | None
) -> None:
    """EINTR comes before anything is done (mutex_lock_interruptible, kernel/seccomp.c)."""
    number = seccomp.receive(caller.listener, slot()).id
    interrupt(monkeypatch, times=3)
    if error is None:
        seccomp.let_go(caller.listener, number)
    else:
        seccomp.refuse(caller.listener, number, error)
    assert caller.link.recv(4) == b"done"


def test_a_signal_does_not_keep_a_question(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    number = seccomp.receive(caller.listener, slot()).id
    interrupt(monkeypatch, times=3)
    assert seccomp.still_waits(caller.listener, number)


def test_what_else_goes_wrong_is_raised() -> None:
    read_end, write_end = os.pipe()
    with pytest.raises(OSError, match="Inappropriate"):
        seccomp.let_go(read_end, 0)
    with pytest.raises(OSError, match="Inappropriate"):
        seccomp.still_waits(read_end, 0)
    os.close(read_end)
    os.close(write_end)


def interrupt(patch: pytest.MonkeyPatch, *, times: int) -> None:
    """Let the next ioctls be interrupted so many times."""
    real, left = fcntl.ioctl, [None] * times

    def ioctl(fd: int, request: int, argument: bytes) -> object:
        if left:
            left.pop()
            raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))
        return real(fd, request, argument)

    patch.setattr(fcntl, "ioctl", ioctl)
