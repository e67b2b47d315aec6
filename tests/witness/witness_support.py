"""Callers to look at: real processes that sit in a system call, as one that FUSE holds does."""

import contextlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from fcntl import F_SETPIPE_SZ, fcntl
from typing import Final

from tracefs.events import Sighting
from tracefs.syscalls import table
from tracefs.witness.proc import ProcWitness

NUMBERS: Final = {call.name: nr for nr, call in table(platform.machine()).items()}
"""System call numbers of this machine."""
READ: Final = {"x86_64": 0, "aarch64": 63}[platform.machine()]
"""A call that the tables leave out."""
NOBODY: Final = 1 << 31
"""No thread can have this id (pid_max in proc(5))."""
_PIPE: Final = 4096

_PREAMBLE: Final = """
import ctypes, os, sys, threading
libc = ctypes.CDLL(None)
def tell(*words): print(*words, flush=True)
def call(number, *args): libc.syscall(*[ctypes.c_long(arg) for arg in (number, *args)])
def iovec(*lengths):
    buffers = [ctypes.create_string_buffer(length) for length in lengths]
    pairs = [word for buffer in buffers for word in (ctypes.addressof(buffer), len(buffer))]
    array = (ctypes.c_uint64 * len(pairs))(*pairs)
    kept.append((buffers, array))
    return ctypes.addressof(array)
kept = []
buffer = ctypes.create_string_buffer(4096)
address = ctypes.addressof(buffer)
def rename(name): libc.prctl(15, name, 0, 0, 0)  # PR_SET_NAME
"""


class Caller:
    """A Python process that runs a few lines and says things on the way."""

    def __init__(self, source: str, *fds: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PREAMBLE + source],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=fds,
        )
        self.pid = self.process.pid

    def hear(self) -> list[int]:
        """The numbers on the next line that it prints."""
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        assert words, "the caller ended early"
        return [int(word) for word in words]

    def say(self, text: str) -> None:
        """Let it read *text* from its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def caller(source: str, *fds: int) -> Iterator[Caller]:
    made = Caller(source, *fds)
    try:
        yield made
    finally:
        made.end()


class Pipe:
    """A pipe of one page."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()
        fcntl(self.write_end, F_SETPIPE_SZ, _PIPE)

    def fill(self) -> None:
        """From now on a write is held."""
        os.write(self.write_end, bytes(_PIPE))

    def drain(self) -> None:
        """Let one write of up to a page pass."""
        os.read(self.read_end, _PIPE)

    def close(self) -> None:
        os.close(self.read_end)
        os.close(self.write_end)


def look_until_in(witness: ProcWitness, tid: int, nr: int, fd: int | None = None) -> Sighting:
    """Look until the thread sits in the call, with *fd* as its first argument if given."""
    while True:
        seen = witness.look(tid)
        if seen.nr == nr and (fd is None or seen.args[0] == fd):
            return seen
        os.sched_yield()


def descriptors() -> int:
    """How many this process has open."""
    return len(os.listdir("/proc/self/fd"))
