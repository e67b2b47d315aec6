"""Rules on the command line and in files: which hold, and what is said of them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mounted_support import Run, calls

Traced = Callable[..., Run]

WRITE = ["sh", "-c", "printf 0123456789 > a; echo $?"]


def test_rules_of_a_file_hold_beside_those_of_the_command_line(
    traced_run: Traced, tmp_path: Path
) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\ncalls = "write"\npath = "b"\nerror = "ENOSPC"\n')
    run = traced_run(
        ["sh", "-c", "echo x > a; echo $?; echo x > b; echo $?; echo x > c; echo $?"],
        *("--inject", "write(a)=EIO", "--inject-file", str(file)),
    )
    assert run.stdout.split() == ["1", "1", "0"]
    injected = [(call.path, call.errno) for call in calls(run.recording) if call.injected]
    assert injected == [("a", 5), ("b", 28)]


def test_a_file_of_rules_that_is_wrong_is_told_with_its_place(
    traced_run: Traced, tmp_path: Path
) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\ncalls = "write"\nerror = "EOI"\n')
    run = traced_run(["true"], "--inject-file", str(file))
    assert run.returncode == 2
    assert run.stderr == (
        f"tracefs: {file}:3:9: error: expected an error name, as in EIO, saw 'EOI'; "
        "did you mean EIO?\n"
    )


def test_a_rule_that_is_there_twice_is_refused(traced_run: Traced) -> None:
    run = traced_run(["true"], "--inject", "fsync=EIO", "--inject", "fsync:error=5")
    assert run.returncode == 2
    assert run.stderr == ("tracefs: rule 'fsync:error=EIO': expected it once, saw it again\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--inject", "lseek=EIO"], "rule 'lseek:error=EIO': no filesystem hears of lseek"),
        (["--inject", "write(/x)=EIO"], "rule 'write(/x):error=EIO': no path is like '/x'"),
        (
            ["--inject", "pwrite=EIO", "--witness", "none"],
            "rule 'pwrite64:error=EIO': with --witness none nobody sees",
        ),
        (
            ["--inject", "all(x)=EIO", "--inject", "fsync(x)=ENOSPC"],
            "rule 'fsync(x):error=ENOSPC': it never strikes: rule 'all(x):error=EIO'",
        ),
    ],
)
def test_a_rule_that_never_strikes_is_told_and_the_command_runs(
    traced_run: Traced, words: list[str], said: str
) -> None:
    run = traced_run(WRITE, *words)
    assert run.returncode == 0
    assert run.stdout == "0\n"
    assert f"tracefs: {said}" in run.stderr


def test_more_than_was_asked_for_can_t_be_said_to_be_written(
    traced_run: Traced, tmp_path: Path
) -> None:
    """The kernel would take it for EIO (fuse_send_write_pages in fs/fuse/file.c)."""
    run = traced_run(WRITE, "--inject", "write:retval=1000000")
    assert run.stdout == "0\n"
    assert (tmp_path / "src" / "a").read_bytes() == b""


@pytest.mark.parametrize("said", [3 << 20, 1 << 20, (1 << 20) + 5])
def test_a_long_write_is_said_to_be_written_as_far_as_the_rule_says(
    traced_run: Traced, tmp_path: Path, said: int
) -> None:
    """The kernel asks for it in several requests (fuse_perform_write in fs/fuse/file.c)."""
    program = "import os; print(os.write(os.open('a', os.O_CREAT | os.O_WRONLY), b'x' * (3 << 20)))"
    run = traced_run([sys.executable, "-c", program], "--inject", f"write:retval={said}")
    assert run.stdout == f"{said}\n"
    assert (tmp_path / "src" / "a").stat().st_size == 0
