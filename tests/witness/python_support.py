"""The Python interpreters of this machine, and processes of theirs that tell what they are in."""

import functools
import glob
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

MINORS: Final = (11, 12, 13, 14)
_PATIENCE_S: Final = 20
_ASKED: Final = """import os, sys
print(*sys.version_info[:3], "+" + sys.abiflags, os.readlink("/proc/self/exe"))"""
_ORDINARY: Final = "+"
"""Neither with debugging nor without the global lock."""

TELL: Final = """
import json, os, sys, threading
def tell():
    frame, told = sys._getframe(1), []
    while frame:
        told.append([frame.f_code.co_filename, frame.f_code.co_qualname, frame.f_lineno])
        frame = frame.f_back
    os.write(1, json.dumps([threading.get_native_id(), os.getpid(), told]).encode() + b"\\n")
"""
"""What a program begins with; then it calls ``tell(), os.read(0, 1)``, both in one line."""


@functools.cache
def _interpreters() -> list[tuple[int, str]]:
    """Return minor version and command of each interpreter whose functions should be read."""
    names = ["python3", *(f"python3.{minor}" for minor in MINORS)]
    folders = [*os.environ["PATH"].split(os.pathsep), "/usr/local/bin", "/usr/bin"]
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    folders += sorted(glob.glob(f"{glob.escape(pyenv)}/versions/3.*/bin"))
    candidates = [shutil.which(name, path=folder) for folder in folders for name in names]
    found: dict[str, tuple[int, str]] = {}
    for command in dict.fromkeys([sys.executable, *filter(None, candidates)]):
        words = _ask(command).split(None, 4)
        if len(words) == 5 and words[3] == _ORDINARY and words[1:3] != ["12", "0"]:
            found.setdefault(words[4], (int(words[1]), command))
    return list(found.values())


def _ask(command: str) -> str:
    asked = [command, "-c", _ASKED]
    try:
        done = subprocess.run(
            asked, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
    except OSError:
        return ""
    return done.stdout.strip()


def pythons(minor: int) -> list[str]:
    """Return the commands of Python 3.*minor*; skip if there is none."""
    found = [command for version, command in _interpreters() if version == minor]
    if not found:
        pytest.skip(f"needs Python 3.{minor}")
    return found


@contextmanager
def telling(command: list[str]) -> Iterator[tuple[int, int, list[list[object]]]]:
    """Run a program until it waits in read(2); thread, process, and the functions it told."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], _PATIENCE_S)[0]
        tid, pid, told = json.loads(process.stdout.readline())
        syscall = Path(f"/proc/{tid}/syscall")
        while not syscall.read_text().startswith("0 0x0 "):
            assert process.poll() is None
            os.sched_yield()
        yield tid, pid, told
    finally:
        process.kill()
        process.communicate()
