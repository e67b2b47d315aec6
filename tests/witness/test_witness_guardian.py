"""The guardian, as the process that starts it and the server of the mount meet it."""

import os
from pathlib import Path

import pytest

from tracefs.witness import guardian


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
