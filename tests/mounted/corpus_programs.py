"""The programs of the corpus: how each is built and run, once for all tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from lacking import lacking
from mounted_support import PATIENCE_S

FOLDER: Final = Path(__file__).with_name("corpus")
_SUFFIXES: Final = {".c", ".cpp", ".rs", ".go", ".py", ".java", ".js"}
PROGRAMS: Final = sorted(path.name for path in FOLDER.iterdir() if path.suffix in _SUFFIXES)
_RING_DISABLED: Final = Path("/proc/sys/kernel/io_uring_disabled")


class Builder:
    """Builds a program when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built: dict[str, list[str]] = {}

    def command(self, name: str) -> list[str]:
        """Return the words that run program *name*.

        Without its compiler the test is skipped by name; in CI it fails.
        """
        if name not in self._built:
            tool, how = _HOW[Path(name).suffix]
            if shutil.which(tool) is None:
                lacking(f"{name} needs {tool}")
            self._built[name] = how(FOLDER / name, self._folder)
        if name == "uring.c" and _RING_DISABLED.exists() and _RING_DISABLED.read_text() == "2\n":
            pytest.skip("uring.c needs io_uring, which kernel.io_uring_disabled rules out")
        return self._built[name]


def _compile(words: list[str], made: Path, **environment: str) -> list[str]:
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    return [str(made)]


def _c(source: Path, folder: Path) -> list[str]:
    made = folder / source.stem
    flags = ("-std=gnu17", "-O1", "-g", "-Wall", "-Wextra", "-pthread")
    return _compile(["gcc", *flags, "-o", str(made), str(source)], made)


def _cpp(source: Path, folder: Path) -> list[str]:
    made = folder / source.stem
    return _compile(["g++", "-std=c++17", "-g", "-pthread", "-o", str(made), str(source)], made)


def _rust(source: Path, folder: Path) -> list[str]:
    made = folder / f"{source.stem}-rs"
    return _compile(["rustc", "--edition=2021", "-g", "-o", str(made), str(source)], made)


def _go(source: Path, folder: Path) -> list[str]:
    made = folder / f"{source.stem}-go"
    return _compile(["go", "build", "-o", str(made), str(source)], made, CGO_ENABLED="0")


def _java(source: Path, folder: Path) -> list[str]:
    _compile(["javac", "-d", str(folder), str(source)], folder)
    # No files of its own, and no more threads than it needs.
    options = ("-XX:-UsePerfData", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
    return ["java", *options, "-cp", str(folder), source.stem]


def _python(source: Path, _folder: Path) -> list[str]:
    return [sys.executable, "-SP", str(source)]


def _node(source: Path, _folder: Path) -> list[str]:
    return ["node", str(source)]


_HOW: Final[dict[str, tuple[str, Callable[[Path, Path], list[str]]]]] = {
    ".c": ("gcc", _c),
    ".cpp": ("g++", _cpp),
    ".rs": ("rustc", _rust),
    ".go": ("go", _go),
    ".java": ("javac", _java),
    ".py": (sys.executable, _python),
    ".js": ("node", _node),
}


def run_bare(words: list[str], directory: Path) -> None:
    """Run a command in *directory*, untraced by tracefs."""
    directory.mkdir()
    done = subprocess.run(
        words, cwd=directory, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
