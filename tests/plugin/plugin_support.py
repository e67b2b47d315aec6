"""Runs of pytest as a user makes them: in a process of their own, which uses its mount freely."""

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

PATIENCE_S: Final = 50
HEAD: Final = """
import os, subprocess, sys
import pytest
from tracefs.api import *

def save(path, page=0, sync=os.fdatasync):
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        os.pwrite(fd, bytes(4096), page * 4096)
        if sync is not None:
            sync(fd)
    finally:
        os.close(fd)
"""


class Result(NamedTuple):
    """What a run printed, and how it ended."""

    code: int
    text: str
    base: Path
    """Its --basetemp."""

    def counts(self, **expected: int) -> None:
        """Hold that as many tests passed, failed and so on."""
        last = self.text.rstrip().splitlines()[-1]
        found = {
            word.rstrip(",").rstrip("s") if word.startswith("error") else word.rstrip(","): int(n)
            for n, word in zip(last.split(), last.split()[1:], strict=False)
            if n.isdecimal()
        }
        assert found == expected, self.text

    def recordings(self) -> list[str]:
        """Return the names of the recordings that were kept."""
        return sorted(path.name for path in self.base.glob("**/recordings/*"))

    def says(self, *lines: str) -> None:
        """Hold that these words are in what was printed, in this order."""
        place = 0
        for line in lines:
            found = self.text.find(line, place)
            assert found >= 0, f"{line!r} is not in, or not after, in:\n{self.text}"
            place = found + len(line)


def run_tests(
    folder: Path,
    source: str,
    *options: str,
    before: tuple[str, ...] = (),
    env: dict[str, str] | None = None,
    head: str = HEAD,
    ini: str = "",
    plugins: tuple[str, ...] | None = (),
) -> Result:
    """Run pytest on one test file.

    Args:
        folder: Of the file, and of all that comes of it.
        source: What stands in it.
        options: For pytest.
        before: Words in front of the command.
        env: What is set in the environment.
        head: What stands above *source*.
        ini: Settings.
        plugins: Those that are there beside tracefs's; each takes its time. None: all that are
            installed, found as pytest finds them.
    """
    folder.joinpath("test_it.py").write_text(head + source, encoding="utf-8")
    folder.joinpath("pytest.ini").write_text(f"[pytest]\n{ini}\n", encoding="utf-8")
    base = folder / "base"
    words = [
        *before, sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider",
        f"--basetemp={base}", *options,
    ]  # fmt: skip
    environment = _environment()
    if plugins is not None:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        words += [word for name in ("tracefs.pytest_plugin", *plugins) for word in ("-p", name)]
    done = subprocess.run(
        words,
        cwd=folder,
        env=environment | {"COLUMNS": "100"} | (env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ends_unmounted(folder), done.stdout
    return Result(done.returncode, done.stdout, base)


def _environment() -> dict[str, str]:
    """Return the environment without what this run of pytest was told, or tells its workers."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "TRACEFS_")) and name not in {"CI", "BUILD_NUMBER"}
    }


def run_file(folder: Path, name: str, *options: str) -> str:
    """Return what pytest prints of a test file as it stands, with no other plugins."""
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
            "-p", "tracefs.pytest_plugin", f"--basetemp={folder / 'base'}", name, *options,
        ],
        cwd=folder,
        env=_environment() | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    assert ends_unmounted(folder), done.stdout
    return done.stdout


def ends_unmounted(folder: Path) -> bool:
    """Return whether nothing is mounted below *folder*, or soon isn't any more.

    Of a run that was killed, another process takes the mount away.
    """
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        poller = select.poll()
        poller.register(file, select.POLLPRI)  # when the list changes (proc(5))
        while f" {folder}/" in file.read():
            if not poller.poll(PATIENCE_S * 1000):
                return False
            file.seek(0)
    return True
