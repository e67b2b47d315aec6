"""Each faulty program makes the calls that break its rule, and otherwise those of a good one."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pagealloc_support import FAULTY, calls_on

OPEN = "openat(f, O_RDWR|O_CREAT|O_CLOEXEC, 0644) = fd"
OPEN_IN_C = "openat(f, O_RDWR|O_CREAT, 0644) = fd"
PAGE_2 = "pwrite64(fd, DATA, 4096, 8192) = 4096"
SYNC = "fdatasync(fd) = 0"
CLOSE = "close(fd) = 0"

CALLS = {
    "positional_write.py": [OPEN, "write(fd, DATA, 4096) = 4096", SYNC, CLOSE],
    "full_page.py": [OPEN, "pwrite64(fd, DATA, 100, 8192) = 100", SYNC, CLOSE],
    "aligned.py": [OPEN, "pwrite64(fd, DATA, 4096, 8704) = 4096", SYNC, CLOSE],
    "synced.py": [OPEN, PAGE_2, CLOSE],
    "synced_other_file.py": [
        OPEN,
        "openat(f.other, O_RDWR|O_CREAT|O_CLOEXEC, 0644) = fd",
        PAGE_2,
        "fdatasync(fd:f.other) = 0",
        "close(fd:f.other) = 0",
        CLOSE,
    ],
    "synced_after_close.py": [OPEN, PAGE_2, CLOSE, OPEN, SYNC, CLOSE],
    "synced_two_writes.py": [
        OPEN,
        PAGE_2,
        "pwrite64(fd, DATA, 4096, 12288) = 4096",
        SYNC,
        CLOSE,
    ],
    "synced_error_ignored.py": [OPEN, PAGE_2, CLOSE],
    "complete.py": [OPEN, "pwrite64(fd, DATA, 4096, 8192) = 2048", SYNC, CLOSE],
    "no_seek.py": [OPEN, "lseek(fd, 4104192, SEEK_SET) = 4104192", PAGE_2, SYNC, CLOSE],
    "open_flags.py": [
        "openat(f, O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC, 0644) = fd",
        PAGE_2,
        SYNC,
        CLOSE,
    ],
    "open_flags_append.py": [
        "openat(f, O_RDWR|O_CREAT|O_APPEND|O_CLOEXEC, 0644) = fd",
        "pwrite64(fd, DATA, 4096, 0) = 4096",
        SYNC,
        CLOSE,
    ],
    "c/lseek_write.c": [
        OPEN_IN_C,
        "lseek(fd, 8192, SEEK_SET) = 8192",
        "write(fd, DATA, 4096) = 4096",
        SYNC,
        CLOSE,
    ],
    "c/unsynced.c": [OPEN_IN_C, PAGE_2, CLOSE],
}

ERROR_RULES = {
    "positional-write",
    "full-page",
    "aligned",
    "synced",
    "complete",
    "no-seek",
    "open-flags",
}
"""The error rules of `page-write`."""


def programs() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = tomllib.loads((FAULTY / "expected.toml").read_text())["program"]
    return listed


def command(program: Path, folder: Path) -> list[str]:
    """Return how to start *program*, compiled into *folder* if it has to be."""
    if program.suffix == ".py":
        return [sys.executable, str(program)]
    binary = folder / program.stem
    subprocess.run(
        ["gcc", "-Wall", "-Wextra", "-Werror", "-O1", "-o", str(binary), str(program)], check=True
    )
    return [str(binary)]


@pytest.mark.parametrize("program", programs(), ids=lambda program: str(program["file"]))
def test_a_faulty_program_makes_these_calls(program: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    file = folder / "f"
    start = [*command(FAULTY / program["file"], tmp_path), str(file), str(program["page"])]
    assert calls_on([file, folder / "f.other"], start) == CALLS[program["file"]]
    assert b"EGAP1ESD\0\0\0\0\0\0\0\0" in file.read_bytes()


def test_pages_written_in_order_need_no_seek(tmp_path: Path) -> None:
    file = tmp_path / "files" / "f"
    file.parent.mkdir()
    start = [*command(FAULTY / "positional_write.py", tmp_path), str(file), "2"]
    assert calls_on([file], start) == [
        OPEN,
        *["write(fd, DATA, 4096) = 4096", SYNC] * 3,
        CLOSE,
    ]


def test_every_error_rule_has_a_program_of_its_own() -> None:
    assert {tuple(program["rules"]) for program in programs()} >= {(rule,) for rule in ERROR_RULES}
    assert {rule for program in programs() for rule in program["rules"]} == ERROR_RULES


def test_every_program_is_listed_and_described() -> None:
    present = {
        str(file.relative_to(FAULTY))
        for file in (*FAULTY.glob("*.py"), *FAULTY.glob("c/*.c"))
        if file.name != "target.py"
    }
    assert present == {program["file"] for program in programs()} == set(CALLS)
    readme = (FAULTY / "README.md").read_text()
    for program in programs():
        head = (FAULTY / program["file"]).read_text().split("\n\n")[0].splitlines()[0]
        assert all(f"`{rule}`" in head for rule in program["rules"])
        assert f"`{program['file']}`" in readme


def test_arguments_are_checked(tmp_path: Path) -> None:
    for program in programs():
        done = subprocess.run(
            command(FAULTY / program["file"], tmp_path), capture_output=True, check=False
        )
        assert done.returncode != 0
        assert b"FILE [PAGE_NO]" in done.stderr
