"""``tracefs replay``: what a program did, done again elsewhere, comes out the same."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mounted_support import TRACEFS, Guard

PROGRAM = """
import os
os.rename("old", "moved")
fd = os.open("new \\n file", os.O_RDWR | os.O_CREAT, 0o640)
os.pwrite(fd, b"a" * 5000, 100)
os.fdatasync(fd)
os.ftruncate(fd, 3000)
os.close(fd)
os.mkdir("sub")
os.symlink("moved", "sub/link")
with open("moved", "ab") as file:
    file.write(b"more")
"""


@pytest.fixture
def folder(tmp_path: Path, guard: Guard) -> Path:
    source = tmp_path / "data"
    source.mkdir()
    guard.watch(source)
    (source / "old").write_bytes(b"old" * 1000)
    (source / "kept").write_bytes(b"kept")
    run: list[str | Path] = [
        *TRACEFS,
        "run",
        "-q",
        "--payload",
        "--dir",
        source,
        "-o",
        tmp_path / "rec",
        "--",
    ]
    subprocess.run([*run, sys.executable, "-c", PROGRAM], cwd=source, check=True, timeout=50)
    return tmp_path


def replay(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*TRACEFS, "replay", "rec", "again", *options],
        cwd=folder, capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip


@pytest.mark.parametrize("options", [(), ("--timing",), ("--no-syncs",)], ids=str)
def test_it_comes_out_the_same(folder: Path, options: tuple[str, ...]) -> None:
    done = replay(folder, *options)
    assert done.returncode == 0, done.stderr
    assert f"the same as {folder}/data: 5 names, sha256 " in done.stderr
    assert (folder / "again/moved").read_bytes() == b"old" * 1000 + b"more"


def test_syncs_are_made_unless_they_are_left_out(folder: Path) -> None:
    for options, made in (((), 1), (("--no-syncs",), 0)):
        shutil.rmtree(folder / "again", ignore_errors=True)
        strace = ["strace", "-f", "-o", f"{folder}/strace", "-e", "trace=fdatasync,fsync"]
        command = [*strace, *TRACEFS, "replay", "rec", "again", *options]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=50)
        assert (folder / "strace").read_text().count("fdatasync(") == made


def test_what_differs_is_told(folder: Path) -> None:
    (folder / "data/sub/link").unlink()
    done = replay(folder)
    assert done.returncode == 1
    assert f"not as {folder}/data: 1 name of 4" in done.stderr
    assert "sub/link: link to moved, and there not there" in done.stderr


def test_a_file_that_never_changed_is_taken_from_where_it_was(folder: Path) -> None:
    (folder / "data/kept").write_bytes(b"changed since")
    done = replay(folder)
    assert done.returncode == 3
    assert "kept" in done.stderr


def test_a_directory_that_has_something_is_left_alone(folder: Path) -> None:
    (folder / "again").mkdir()
    (folder / "again/mine").write_text("mine")
    done = replay(folder)
    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert [one.name for one in (folder / "again").iterdir()] == ["mine"]


def test_a_directory_that_was_named_by_a_relative_path_is_found_from_elsewhere(
    folder: Path,
) -> None:
    data = folder / "data"
    run = [*TRACEFS, "run", "-q", "--payload", "-o", "../rel", "--", "touch", "more"]
    subprocess.run(run, cwd=data, check=True, timeout=50)
    replay = subprocess.run(
        [*TRACEFS, "replay", "rel", "again"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert replay.returncode == 0, replay.stderr
    assert f"the same as {data}: 6 names, sha256 " in replay.stderr


def test_a_replay_inside_the_traced_directory_is_not_compared_with_itself(folder: Path) -> None:
    done = subprocess.run(
        [*TRACEFS, "replay", "../rec", "again"],
        cwd=folder / "data", capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"the same as {folder}/data: 5 names, sha256 " in done.stderr


def test_a_recording_without_its_bytes_leaves_no_directory(folder: Path) -> None:
    (folder / "rec/start.jsonl").unlink()
    done = replay(folder)
    assert done.returncode == 3
    assert "has no starting tree" in done.stderr
    assert "repair: record it with tracefs run --payload" in done.stderr
    assert not (folder / "again").exists()
