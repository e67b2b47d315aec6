"""A real 32-bit program: each call with its own numbers, or unknown for a reason that is true."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mounted_support import Run, calls

Traced = Callable[..., Run]
Seen = list[tuple[str, int | None, int | None, str | None]]

GIB4 = 1 << 32
NOT_VISIBLE = "the result is not visible at the entry of a call"
NO_REQUEST = "no request followed: it failed, or had nothing to do"
OLD_MMAP = "old_mmap of a 32-bit program: its arguments are in memory"
IS_32 = "the caller is a 32-bit program"
UNHEARD: Seen = [
    ("fallocate", GIB4 + 4096, 2 * GIB4 + 8192, None),
    ("sync_file_range", GIB4 + 4096, 8192, NOT_VISIBLE),
]
SEEN: dict[str, Seen] = {
    "full": [
        ("open", None, None, None),
        ("lseek", GIB4 + 8192, None, None),
        ("write", GIB4 + 8192, 512, None),
        ("pwrite64", GIB4 + 4096, 4096, None),
        ("ftruncate", None, 2 * GIB4 + 8192, None),
        *UNHEARD,
        ("fdatasync", None, None, None),
        ("fcntl", None, None, NOT_VISIBLE),
        ("ftruncate", None, -1, None),
        ("unknown", None, None, OLD_MMAP),
        ("close", None, None, None),
    ],
    "seccomp": [
        ("open", None, None, None),
        ("lseek", GIB4 + 8192, None, None),
        ("unknown", GIB4 + 8192, None, IS_32),
        ("unknown", GIB4 + 4096, None, IS_32),
        ("ftruncate", None, 2 * GIB4 + 8192, None),
        *UNHEARD,
        ("unknown", None, None, IS_32),
        ("fcntl", None, None, NOT_VISIBLE),
        ("unknown", None, None, OLD_MMAP),
        ("close", None, None, None),
    ],
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = tmp_path_factory.mktemp("program32") / "program32"
    source = Path(__file__).with_name("program32.c")
    options = ["-m32", "-O1", "-nostdlib", "-static", "-ffreestanding", "-fno-pie", "-no-pie"]
    subprocess.run(["gcc", *options, "-o", made, source], check=True)
    return str(made)


def recorded(program: str, level: str, traced_run: Traced) -> Seen:
    run = traced_run([program], f"--witness={level}")
    assert (run.returncode, run.stderr) == (0, "")
    return [(one.call, one.offset, one.length, one.reason) for one in calls(run.recording)]


@pytest.mark.parametrize("level", SEEN)
def test_every_call_is_as_it_was_made(level: str, program: str, traced_run: Traced) -> None:
    seen = recorded(program, level, traced_run)
    assert [one for one in seen if one[3] != NO_REQUEST] == SEEN[level]


def test_a_truncation_is_one_call(program: str, traced_run: Traced) -> None:
    seen = recorded(program, "full", traced_run)
    assert [one for one in seen if one[3] == NO_REQUEST] == []
