"""What each command may import, so that its start can't become slower unnoticed.

An import that is not named here fails. If it is needed, name it, after a look at what it costs:
``python -X importtime -m tracefs ...``.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import kept

LOADED = """
import json, sys
def tell():
    print("\\n" + json.dumps(sorted(sys.modules)))
"""
BARE = LOADED + "tell()"
COMMAND = LOADED + "from tracefs.cli.main import main; main(sys.argv[1:]); tell()"
BEFORE_THE_SERVER = (
    LOADED
    + """
import os
def hear(event, _):
    if event == "subprocess.Popen":
        tell()
        sys.stdout.flush()
        os._exit(0)
sys.addaudithook(hear)
from tracefs.cli.main import main
main(sys.argv[1:])
"""
)
MODULES = (
    LOADED + "import importlib; [importlib.import_module(name) for name in sys.argv[1:]]; tell()"
)


def loaded(program: str, *words: str) -> set[str]:
    command = [sys.executable, "-c", program, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(names)


def others(names: set[str]) -> set[str]:
    """Return the packages that are not of tracefs, without what the interpreter itself has."""
    bare = {name.partition(".")[0] for name in loaded(BARE)}
    found = {name.partition(".")[0] for name in names} - bare - {"tracefs"}
    return {name for name in found if not name.startswith("_")}


def parts(names: set[str]) -> set[str]:
    """Return the packages and modules right below tracefs."""
    return {name.split(".")[1] for name in names if name.startswith("tracefs.")}


HELP = {
    "argparse", "bz2", "collections", "contextlib", "enum", "errno", "fnmatch", "functools",
    "gettext", "importlib", "locale", "lzma", "re", "shutil", "signal", "textwrap", "typing",
    "warnings", "zlib",
}  # fmt: skip
"""argparse, with what it needs to wrap lines."""

MSGSPEC = {
    "ast", "bisect", "datetime", "decimal", "dis", "inspect", "linecache", "math", "msgspec",
    "numbers", "opcode", "platform", "token", "tokenize", "typing_extensions", "uuid",
}  # fmt: skip
"""msgspec, with what it needs before Python 3.13."""

READ = HELP | MSGSPEC | {
    "fcntl", "glob", "grp", "hashlib", "ipaddress", "ntpath", "pathlib", "pwd", "random", "select",
    "selectors", "shlex", "struct", "subprocess", "tempfile", "threading", "urllib", "weakref",
}  # fmt: skip
"""Reading a recording, and asking addr2line."""

SPAWN = HELP | {
    "array",
    "fcntl",
    "math",
    "select",
    "selectors",
    "socket",
    "subprocess",
    "threading",
}
"""A process, and a socket to it."""

RECORD = (READ | SPAWN | {"ctypes", "gc", "mmap", "resource", "termios"}) - {
    "random",
    "shlex",
    "tempfile",
}

SERVE = RECORD | {
    "atexit", "attr", "attrs", "base64", "binascii", "calendar", "contextvars", "copy", "csv",
    "cython_runtime", "email", "heapq", "hmac", "idna", "logging", "outcome", "pickle", "pyfuse3",
    "queue", "quopri", "random", "sniffio", "sortedcontainers", "ssl", "string", "tempfile",
    "traceback", "trio", "unicodedata", "zipfile",
}  # fmt: skip
"""pyfuse3 and trio."""


@pytest.fixture
def recording(tmp_path: Path) -> str:
    return str(kept(tmp_path / "r"))


def test_help() -> None:
    names = loaded(COMMAND, "--help")
    assert others(names) - HELP == set()
    assert parts(names) == {"cli", "errors"}


@pytest.mark.parametrize(
    ("words", "own"),
    [
        (["check"], {"check", "contracts", "wholefile"}),
        (["show"], {"witness"}),
        (["show", "--call", "fsync"], {"witness"}),
    ],
    ids=lambda value: " ".join(sorted(value)),
)
def test_reading(words: list[str], own: set[str], recording: str) -> None:
    names = loaded(COMMAND, *words, recording)
    assert others(names) - READ == set()
    assert parts(names) == own | {
        "cli", "elfnotes", "errors", "events", "findings", "journal", "pathtext", "report",
        "source", "syscalls", "trace",
    }  # fmt: skip
    # The names of calls that can be notified, not who is notified.
    witness = {name for name in names if name.startswith("tracefs.witness.")}
    assert witness <= {f"tracefs.witness.{part}" for part in ("bpf", "level_names", "levels")}


@pytest.mark.parametrize("words", [["diff"], ["record-golden", "-o", "GOLDEN", "--from"]])
def test_comparing(words: list[str], recording: str, tmp_path: Path) -> None:
    told = [str(tmp_path / "golden") if word == "GOLDEN" else word for word in words]
    if words == ["diff"]:
        told.append(recording)
    names = loaded(COMMAND, *told, recording)
    assert others(names) - READ - SPAWN - {"heapq"} == set()
    assert parts(names) <= {
        "capture", "cli", "elfnotes", "errors", "events", "findings", "golden", "journal",
        "pathtext", "report", "source", "suggestion", "syscalls", "trace", "wholefile", "witness",
    }  # fmt: skip


def test_run_before_its_server_starts() -> None:
    """The server's own start takes longest, so that nothing may come before it."""
    names = loaded(BEFORE_THE_SERVER, "run", "--", "true")
    assert others(names) - SPAWN == set()
    assert parts(names) == {"capture", "cli", "errors", "pathtext", "witness"}
    assert {
        name for name in names if name.startswith(("tracefs.capture.", "tracefs.witness."))
    } == {
        "tracefs.capture.spawn",
        "tracefs.witness.level_names",
    }


def test_run_before_its_command_starts() -> None:
    names = loaded(MODULES, "tracefs.cli.run", "tracefs.cli.running")
    assert others(names) - RECORD == set()
    assert parts(names) == {
        "capture", "cli", "elfnotes", "errors", "events", "faults", "filecalls", "journal",
        "pathtext", "report", "rlimits", "syscalls", "witness",
    }  # fmt: skip


def test_the_package() -> None:
    assert parts(loaded(MODULES, "tracefs")) == set()


def test_a_living_mount() -> None:
    """It is kept by programs that are none of tracefs."""
    names = loaded(MODULES, "tracefs.capture.living")
    assert others(names) - RECORD - {"atexit"} == set()
    assert parts(names) == {
        "capture", "errors", "events", "faults", "journal", "pathtext", "witness",
    }  # fmt: skip


def test_the_server() -> None:
    names = loaded(MODULES, "tracefs.capture.server")
    assert others(names) - SERVE == set()
    assert parts(names) == {
        "callnames", "capture", "errors", "events", "faults", "filecalls", "journal", "pathtext",
        "ranges", "rlimits", "syscalls", "versions", "witness",
    }  # fmt: skip
    witness = {name for name in names if name.startswith("tracefs.witness.")}
    assert witness <= {
        f"tracefs.witness.{part}"
        for part in ("_procfs", "level_names", "proc", "procfs", "threads", "word")
    }
