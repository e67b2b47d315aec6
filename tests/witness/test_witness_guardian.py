"""The guardian, as the process that starts it and the server of the mount meet it."""

import os
import platform
import signal
import socket
from pathlib import Path

import msgspec
import pytest

from tracefs.journal.format import JOURNAL
from tracefs.witness import guardian
from tracefs.witness.files import TracedMount
from tracefs.witness.guardian import Order, Witnessing
from tracefs.witness.word import Word

PATIENCE_S = 20


@pytest.mark.parametrize("low", [(), (0,), (1,), (0, 1)], ids=str)
def test_what_is_kept_stays_whatever_its_number(tmp_path: Path, low: tuple[int, ...]) -> None:
    """A tracefs that was started without standard input has its own files there."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            kept = {write_end}
            for fd in low:
                os.dup2(os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY), fd)
                kept.add(fd)
            guardian._detach("tracefs-test", kept)
            null = os.stat(os.devnull).st_rdev
            right = [
                os.path.samestat(os.stat(fd), os.stat(tmp_path))
                if fd in low
                else os.fstat(fd).st_rdev == null
                for fd in (0, 1)
            ]
            os.write(write_end, b"+" if all(right) else b"-")
            status = 0
        finally:
            os._exit(status)
    os.close(write_end)
    said = os.read(read_end, 1)
    os.close(read_end)
    _, ended = os.waitpid(pid, 0)
    assert (said, ended) == (b"+", 0)


def order(recording: Path) -> Order:
    (recording / JOURNAL).touch()
    return Order(
        machine=platform.machine(),
        recording=os.fsencode(recording),
        notified=("lseek",),
        with_stack=(),
        most_stacks=0,
    )


def test_where_the_command_never_ran_nothing_is_missing(tmp_path: Path) -> None:
    backing = os.open(tmp_path, os.O_RDONLY)
    witnessing = Witnessing(order(tmp_path), backing)
    server = socket.socket(fileno=os.dup(witnessing.server.fileno()))
    server.settimeout(PATIENCE_S)
    witnessing.release()
    said = server.recv(4096)
    assert said, "it ended without a word"
    assert msgspec.json.decode(said, type=Word) == Word(failure=None)
    assert server.recv(4096) == b""
    os.waitpid(witnessing.pid, 0)
    server.close()
    os.close(backing)


def test_nobody_is_armed_whom_no_guardian_would_answer(tmp_path: Path) -> None:
    """Its first notified call, exec itself, would wait for ever: it holds the listener, too."""
    backing = os.open(tmp_path, os.O_RDONLY)
    witnessing = Witnessing(order(tmp_path), backing)
    os.kill(witnessing.pid, signal.SIGKILL)
    os.waitpid(witnessing.pid, 0)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            witnessing.arm(TracedMount(id=1, device=(0, 1), root="/"))
            status = "Seccomp:\t0\n" not in Path("/proc/self/status").read_text()
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0) == (pid, 0)
    witnessing.release()
    os.close(backing)
