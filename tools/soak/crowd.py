"""Threads and processes that do mixed operations in the working directory, and count their calls.

``python crowd.py SECONDS THREADS PROCESSES``. Standard library alone, so that no call is made that
is not counted. Prints one JSON object: how often each system call (as in ``man 2``) was made, and
``bytes`` written. What goes wrong ends it with a traceback.

Each worker has files and a directory of its own, and all use the same few shared files. No call is
one that may fail, and all that a worker opens it closes: so each is one call in a trace.
"""

import json
import os
import random
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from time import monotonic

PAGE = 4096
SHARED = 4
SHARED_PAGES = 64


class Worker:
    """One thread or process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self._random = random.Random(name)  # noqa: S311  # to be the same each time
        self._pages: dict[int, bytes] = {}

    def run(self, seconds: float) -> None:
        """Work for so long, and at least once."""
        end = monotonic() + seconds
        self.do("mkdir", os.mkdir, self.name)
        while True:
            self._own_file()
            self._shared_file()
            self._names()
            if monotonic() >= end:
                break
        self.do("unlink", os.unlink, f"{self.name}/own")
        self.do("rmdir", os.rmdir, self.name)

    def do(self, name: str, call: Callable[..., object], *args: object) -> None:
        """Make a call, which must succeed, and count it as *name*."""
        call(*args)
        self.counts[name] += 1

    def open(self, name: str, flags: int) -> int:
        """Open a file and count it."""
        fd = os.open(name, flags, 0o644)
        self.counts["openat"] += 1
        return fd

    def close(self, fd: int) -> None:
        """Close it, and count that."""
        self.do("close", os.close, fd)

    def _pwrite(self, fd: int, data: bytes, offset: int) -> None:
        written = os.pwrite(fd, data, offset)
        if written != len(data):
            raise AssertionError(f"{self.name}: {written} of {len(data)} bytes written")
        self.counts["pwrite64"] += 1
        self.counts["bytes"] += written

    def _sync(self, fd: int) -> None:
        if self._random.random() < 0.5:
            self.do("fsync", os.fsync, fd)
        else:
            self.do("fdatasync", os.fdatasync, fd)

    def _stamp(self) -> bytes:
        return self._random.randbytes(16) * (PAGE // 16)

    def _own_file(self) -> None:
        name = f"{self.name}/own"
        fd = self.open(name, os.O_RDWR | os.O_CREAT)
        for _ in range(4):
            page = self._random.randrange(16)
            self._pages[page] = self._stamp()
            self._pwrite(fd, self._pages[page], page * PAGE)
        self._sync(fd)
        stamp = self._stamp()
        page = self._random.randrange(16)
        self.do("lseek", os.lseek, fd, page * PAGE, os.SEEK_SET)
        self.counts["bytes"] += os.write(fd, stamp)
        self.counts["write"] += 1
        self._pages[page] = stamp
        for page, wanted in self._pages.items():
            if os.pread(fd, PAGE, page * PAGE) != wanted:
                raise AssertionError(f"{name}: page {page} is not what was written")
        if self._random.random() < 0.1:
            self.do("ftruncate", os.ftruncate, fd, 0)
            self._pages.clear()
        self.close(fd)

    def _shared_file(self) -> None:
        fd = self.open(f"shared{self._random.randrange(SHARED)}", os.O_RDWR)
        for _ in range(3):
            self._pwrite(fd, self._stamp(), self._random.randrange(SHARED_PAGES) * PAGE)
        os.pread(fd, PAGE, self._random.randrange(SHARED_PAGES) * PAGE)
        if self._random.random() < 0.3:
            self._sync(fd)
        self.close(fd)

    def _names(self) -> None:
        old, new, other = (f"{self.name}/{word}" for word in ("old", "new", "other"))
        fd = self.open(old, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        # Several requests, one call.
        self._pwrite(fd, self._stamp() * 40, 100)
        self.close(fd)
        self.do("link", os.link, old, other)
        self.do("rename", os.rename, old, new)
        self.do("chmod", os.chmod, other, 0o600)
        self.do("unlink", os.unlink, new)
        if os.stat(other).st_size != 40 * PAGE + 100:
            raise AssertionError(f"{other} has another size")
        self.do("unlink", os.unlink, other)
        self.do("symlink", os.symlink, "nowhere", old)
        self.do("unlink", os.unlink, old)
        directory = os.open(self.name, os.O_RDONLY | os.O_DIRECTORY)  # of those nothing is recorded
        self.do("fsync of a directory", os.fsync, directory)
        os.close(directory)
        if self._random.random() < 0.2:
            self.do("unlink", os.unlink, f"{self.name}/own")
            self._pages.clear()
            self.close(self.open(f"{self.name}/own", os.O_RDWR | os.O_CREAT))
        os.listdir(self.name)


def _threads(seconds: float, count: int) -> tuple[Counter[str], list[str]]:
    """Run *count* workers as threads of this process; their counts, and what went wrong."""
    failures: list[str] = []

    def run(worker: Worker) -> None:
        try:
            worker.run(seconds)
        except BaseException:  # noqa: BLE001  # told by the process that joins it
            failures.append(traceback.format_exc())

    workers = [Worker(f"thread{number}") for number in range(count)]
    threads = [threading.Thread(target=run, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum((worker.counts for worker in workers), Counter()), failures


def _process(seconds: float, number: int, pipe: int) -> None:
    """Run one worker in this process, a child; its counts go into the pipe, by the line."""
    worker = Worker(f"process{number}")
    worker.run(seconds)
    os.write(pipe, json.dumps(worker.counts).encode() + b"\n")


def _fork(seconds: float, number: int, pipe: int) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        _process(seconds, number, pipe)
        status = 0
    except BaseException:  # noqa: BLE001  # told by the exit status
        traceback.print_exc()
    os._exit(status)


def main(seconds: float, threads: int, processes: int) -> int:
    """Do it all at once; return the exit status."""
    total: Counter[str] = Counter()
    setup = Worker("setup")
    for number in range(SHARED):
        name = f"shared{number}"
        setup.close(setup.open(name, os.O_WRONLY | os.O_CREAT))
    reading, writing = os.pipe()
    children = [_fork(seconds, number, writing) for number in range(processes)]
    os.close(writing)
    counts, failures = _threads(seconds, threads)
    with open(reading) as lines:
        for line in lines:
            total.update(json.loads(line))
    for child in children:
        if os.waitpid(child, 0)[1]:
            failures.append("a process failed")
    for number in range(SHARED):
        setup.do("unlink", os.unlink, f"shared{number}")
    total += counts + setup.counts
    print(json.dumps(total))
    print("\n".join(failures), file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
