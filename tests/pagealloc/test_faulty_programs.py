"""Each faulty program makes the calls that break its rule, and otherwise those of a good one."""

import subprocess
from pathlib import Path

import pytest
from faulty_support import FAULTY, Program, each_program, mistakes, programs
from pagealloc_support import calls_on

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

SOURCES = {".py", ".c", ".go", ".rs", ".cc", ".cpp"}
SHARED = {"target.py", "mod.rs"}

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


SHOWN = [program for program in programs() if program.file in CALLS]
"""Those that make the calls of a good program but for one; the others are as people write them."""


@pytest.mark.parametrize("program", SHOWN, ids=lambda program: program.file)
def test_a_faulty_program_makes_these_calls(program: Program, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    file = folder / "f"
    start = [*program.command(), str(file), str(program.page)]
    assert calls_on([file, folder / "f.other"], start) == CALLS[program.file]
    assert b"EGAP1ESD\0\0\0\0\0\0\0\0" in file.read_bytes()


@each_program
def test_a_faulty_program_looks_as_if_all_were_well(program: Program, tmp_path: Path) -> None:
    """Nothing but the calls gives it away."""
    file = tmp_path / "f"
    done = subprocess.run(
        [*program.command(), str(file), str(program.page)], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert b"EGAP1ESD\0\0\0\0\0\0\0\0" in file.read_bytes()


def test_pages_written_in_order_need_no_seek(tmp_path: Path) -> None:
    file = tmp_path / "files" / "f"
    file.parent.mkdir()
    (program,) = (program for program in programs() if program.file == "positional_write.py")
    assert calls_on([file], [*program.command(), str(file), "2"]) == [
        OPEN,
        *["write(fd, DATA, 4096) = 4096", SYNC] * 3,
        CLOSE,
    ]


def test_every_error_rule_has_a_program_of_its_own() -> None:
    assert {tuple(program.rules) for program in programs()} >= {(rule,) for rule in ERROR_RULES}
    assert {rule for program in programs() for rule in program.rules} == ERROR_RULES


def test_every_program_is_listed_and_described() -> None:
    listed = {program.file for program in programs()}
    present = {
        str(file.relative_to(FAULTY))
        for file in FAULTY.rglob("*")
        if file.suffix in SOURCES and file.name not in SHARED
    }
    assert present == listed
    assert set(CALLS) <= listed
    assert mistakes().keys() == listed


@each_program
def test_the_table_of_mistakes_has_its_rules(program: Program) -> None:
    assert mistakes()[program.file].rules == set(program.rules)


def test_the_readme_has_those_that_break_one_rule() -> None:
    readme = (FAULTY / "README.md").read_text()
    assert all(f"`{program.file}`" in readme for program in SHOWN)


@each_program
def test_a_program_names_its_rules_in_its_first_line(program: Program) -> None:
    head = (FAULTY / program.file).read_text().splitlines()[0]
    assert all(f"`{rule}`" in head for rule in program.rules), head


@pytest.mark.parametrize("program", SHOWN, ids=lambda program: program.file)
def test_arguments_are_checked(program: Program) -> None:
    done = subprocess.run(program.command(), capture_output=True, check=False)
    assert done.returncode != 0
    assert b"FILE [PAGE_NO]" in done.stderr
