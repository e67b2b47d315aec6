"""Programs made of a recording do what was recorded: they are recorded in turn."""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from lacking import lacking
from mounted_support import TRACEFS, Guard, calls
from strace_support import stracing

from tracefs.trace.call import Call

PROGRAM = """
import os
os.mkdir("sub")
fd = os.open("sub/a b", os.O_RDWR | os.O_CREAT | os.O_EXCL)
os.pwrite(fd, bytes(4096), 8192)
os.fdatasync(fd)
os.write(fd, b"head")
os.write(fd, b"more")
os.lseek(fd, 100, os.SEEK_SET)
os.write(fd, b"there")
os.pwritev(fd, [b"one", b"two"], 5000)
os.pwritev(fd, [b"durable"], 0, os.RWF_DSYNC)
os.ftruncate(fd, 9000)
os.posix_fallocate(fd, 0, 20000)
os.fsync(fd)
log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(log, b"line")
os.write(log, b"line")
os.close(log)
os.close(fd)
os.rename("sub/a b", "moved")
os.link("moved", "linked")
os.symlink("moved", "soft")
os.truncate("linked", 50)
os.unlink("soft")
folder = os.open("sub", os.O_RDONLY)
os.fsync(folder)
os.close(folder)
os.rmdir("sub")
try:
    os.mkdir("moved")
except FileExistsError:
    pass
"""

SHARED = """
import mmap
import os
log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for text in (b"one", b"three"):
    if not os.fork():
        os.write(log, text)
        os._exit(0)
    os.wait()
copy = os.dup(log)
os.close(log)
os.write(copy, b"parent")
os.close(copy)
page = mmap.mmap(-1, 4096)
direct = os.open("direct", os.O_RDWR | os.O_CREAT | os.O_DIRECT)
os.pwrite(direct, page, 4096)
os.close(direct)
os.mkdir("sub")
file = os.open("sub", os.O_RDWR | os.O_TMPFILE)
os.write(file, b"nameless")
os.link(f"/proc/self/fd/{file}", "named", src_dir_fd=0, follow_symlinks=True)
os.write(file, b"named")
"""
"""Opens that processes and descriptors share, and such as want more than a name."""


def recorded(tmp_path: Path, name: str, command: Sequence[str | Path]) -> list[Call]:
    folder = tmp_path / name
    folder.mkdir()
    recording = tmp_path / f"{name}.trace"
    run: list[str | Path] = [
        *TRACEFS,
        "run",
        "-q",
        "--witness",
        "full",
        "--dir",
        folder,
        "-o",
        recording,
        "--",
    ]
    subprocess.run([*run, *command], cwd=folder, check=True, timeout=50)
    return [one for one in calls(recording) if not one.errno]


def what(made: Sequence[Call]) -> list[tuple[object, ...]]:
    """Return of each call what a replay is to keep; directories are opened to be synced alone."""
    return [
        (one.call, one.path, one.target, one.offset, one.length, one.result, one.flags)
        for one in made
        if one.family not in {"dup", "flags", "map", "read"} and "O_DIRECTORY" not in one.flags
    ]


@pytest.fixture
def watched(tmp_path: Path, guard: Guard) -> None:
    for name in ("first", "second"):
        guard.watch(tmp_path / name)


@pytest.fixture
def recording(tmp_path: Path, watched: None) -> list[Call]:
    del watched
    return recorded(tmp_path, "first", [sys.executable, "-c", PROGRAM])


def export(tmp_path: Path, form: str) -> Path:
    output = tmp_path / f"made.{form}"
    done = subprocess.run(
        [*TRACEFS, "export", tmp_path / "first.trace", "--to", form, "-o", output],
        capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert output.exists(), done.stderr
    return output


def test_in_python(tmp_path: Path, recording: list[Call]) -> None:
    program = export(tmp_path, "python")
    again = recorded(tmp_path, "second", [sys.executable, program, "."])
    assert what(again) == what(recording)


def compiled(tmp_path: Path) -> Path:
    source = export(tmp_path, "c")
    shutil.copy(source, tmp_path / "replay.c")
    subprocess.run(
        ["gcc", "-Wall", "-Wextra", "-Werror", "-O1", "-o", "replay", "replay.c"],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    return tmp_path / "replay"


def test_in_c(tmp_path: Path, recording: list[Call]) -> None:
    again = recorded(tmp_path, "second", [compiled(tmp_path), "."])
    assert what(again) == what(recording)


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("form", ["c", "python"])
def test_opens_that_are_shared_and_opens_that_want_more(tmp_path: Path, form: str) -> None:
    recorded(tmp_path, "first", [sys.executable, "-c", SHARED])
    made = [compiled(tmp_path)] if form == "c" else [sys.executable, export(tmp_path, form)]
    (tmp_path / "again").mkdir()
    subprocess.run([*made, tmp_path / "again"], check=True, timeout=50)
    sizes = {
        name: {one.name: one.stat().st_size for one in (tmp_path / name).iterdir()}
        for name in ("first", "again")
    }
    assert sizes["again"] == sizes["first"]
    assert sizes["first"]["log"] == len("onethreeparent")


def test_by_fio(tmp_path: Path, recording: list[Call]) -> None:
    """fio(1) has one descriptor for a file, and no names with white space."""
    if shutil.which("fio") is None:
        lacking("fio is not installed")
    log = export(tmp_path, "fio")
    words = [
        "fio",
        "--name=replay",
        "--ioengine=psync",
        f"--read_iolog={log}",
        "--output=/dev/null",
    ]
    again = recorded(tmp_path, "second", [*words, "--replay_no_stall=1"])
    done = [(one.offset, one.length) for one in again if one.family == "write"]
    wanted = [one for one in recording if one.family == "write" and one.path == "log"]
    assert done == [(one.offset, one.length) for one in wanted]


def test_as_strace_prints_it(tmp_path: Path, recording: list[Call]) -> None:
    """The same program under strace, on a directory that is no mount."""
    assert recording
    log = tmp_path / "strace.log"
    bare = tmp_path / "bare"
    stracing(log, bare, [sys.executable, "-c", PROGRAM], "-ttt", "-T", "-s", "0")
    told = log.read_text().split('mkdir("sub"')[1]
    printed = [simple(line, f"{bare}/") for line in f'0 0.0 mkdir("sub"{told}'.splitlines()]
    exported = export(tmp_path, "strace").read_text().splitlines()
    assert [simple(line, "/") for line in exported] == [
        line for line in printed if line is not None and line.startswith(SAID)
    ]


SAID = (
    "mkdir(", "openat(", "pwrite64(", "fdatasync(", "write(", "lseek(", "pwritev2(", "ftruncate(",
    "fallocate(", "fsync(", "close(", "rename(", "link(", "symlink(", "truncate(", "unlink(",
    "rmdir(",
)  # fmt: skip


def simple(line: str, base: str) -> str | None:
    """Return what a line of strace has without its times, modes and vectors, names below *base*.

    None: a call that failed, or one to open or close a directory, which no recording has.
    """
    words = re.sub(r" <\d+\.\d+>$", "", line.split(maxsplit=2)[2])
    words = re.sub(rf"([\"<]){base}", r"\1", words)
    words = re.sub(r"AT_FDCWD<[^<>]*>", "AT_FDCWD", words)
    words = re.sub(r"\[[^]]*\], \d", "[...]", words)
    words = re.sub(r", 0777\)", ")", words)
    words = re.sub(r"\) +=", ") =", words)
    directory = words.startswith(("openat", "close")) and re.search(r'"sub"|<sub>', words)
    return None if " = -1 " in words or directory else words
