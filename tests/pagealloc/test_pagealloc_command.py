"""The command as its users see it: output, messages, exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pagealloc.cli import HELP
from pagealloc.page import build_page
from pagealloc_support import COMMAND, PACKAGE, ROOT, run

LAST = "2251799813685246"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one file of each kind that goes wrong."""
    monkeypatch.chdir(tmp_path)
    good = build_page(b"one")
    Path("good").write_bytes(good * 2)
    Path("hole").write_bytes(bytes(4096) + good)
    Path("torn").write_bytes(good + good[:100])
    Path("foreign").write_bytes(b"x" * 4096)
    Path("padding").write_bytes(good[:8] + b"x" + good[9:])
    Path("empty").touch()
    Path("closed").touch(mode=0)
    Path("folder").mkdir()
    os.mkfifo("fifo")
    return tmp_path


def outcome(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    done = run(*arguments, stdin=stdin)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no command given (see pagealloc --help)"),
        (["frob"], "unknown command: frob (see pagealloc --help)"),
        (["write", "f", "0"], "write takes FILE PAGE_NO TEXT (see pagealloc --help)"),
        (["write", "f", "0", "a", "b"], "write takes FILE PAGE_NO TEXT (see pagealloc --help)"),
        (["read", "f"], "read takes FILE PAGE_NO (see pagealloc --help)"),
        (["hexdump"], "hexdump takes FILE [PAGE_NO] (see pagealloc --help)"),
        (["verify"], "verify takes FILE (see pagealloc --help)"),
        (["write", "f", "-1", "x"], "page number is negative: -1"),
        (["write", "f", "one", "x"], "page number is not a decimal number: one"),
        (["write", "f", "", "x"], "page number is not a decimal number: "),
        (["write", "f", "1_0", "x"], "page number is not a decimal number: 1_0"),
        (["write", "f", " 1", "x"], "page number is not a decimal number:  1"),
        (["write", "f", "+1", "x"], "page number is not a decimal number: +1"),
        (["write", "f", "0x1", "x"], "page number is not a decimal number: 0x1"),
        (["write", "f", "1\n", "x"], "page number is not a decimal number: 1\n"),
        (["write", "f", "٣", "x"], "page number is not a decimal number: ٣"),
        (["write", "f", "2251799813685247", "x"], f"page number is over {LAST}: 2251799813685247"),
        (["write", "f", "9" * 5000, "x"], f"page number is over {LAST}: {'9' * 5000}"),
        (["read", "good", "-1"], "page number is negative: -1"),
        (["hexdump", "good", "x"], "page number is not a decimal number: x"),
        (["write", "f", "0", "x" * 4081], "payload is over 4080 bytes"),
    ],
)
def test_wrong_arguments_touch_nothing(here: Path, arguments: list[str], message: str) -> None:
    assert outcome(*arguments) == (2, "", f"pagealloc: {message}\n")
    assert not Path("f").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["write", "folder", "0", "x"], "folder: open: is a directory"),
        (["read", "folder", "0"], "folder: open: is a directory"),
        (["write", "fifo", "0", "x"], "fifo: open: not a regular file"),
        (["write", "/dev/null", "0", "x"], "/dev/null: open: not a regular file"),
        (["write", "no/file", "0", "x"], "no/file: open: no such file or directory"),
        (["write", "good/file", "0", "x"], "good/file: open: not a directory"),
        (["write", "", "0", "x"], ": open: no such file or directory"),
        (["read", "missing", "0"], "missing: open: no such file or directory"),
        (["hexdump", "missing"], "missing: open: no such file or directory"),
        (["verify", "missing"], "missing: open: no such file or directory"),
        (["write", "n" * 256, "0", "x"], f"{'n' * 256}: open: name too long"),
        (
            ["write", "good", LAST, "x"],
            f"good: page {LAST} at offset 9223372036854767616: pwrite: file too large",
        ),
    ],
)
def test_what_the_system_refuses(here: Path, arguments: list[str], message: str) -> None:
    assert outcome(*arguments) == (3, "", f"pagealloc: {message}\n")
    assert Path("good").stat().st_size == 8192


@pytest.mark.parametrize("command", [["write", "closed", "0", "x"], ["read", "closed", "0"]])
def test_a_file_that_may_not_be_opened(here: Path, command: list[str]) -> None:
    # Root may open everything, so it does without what lets it.
    powerless = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    done = subprocess.run([*powerless, *COMMAND, *command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (3, b"pagealloc: closed: open: permission denied\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["read", "good", "2"], "good: page 2 at offset 8192: beyond the end of the file"),
        (["read", "empty", "0"], "empty: page 0 at offset 0: beyond the end of the file"),
        (["hexdump", "good", "2"], "good: page 2 at offset 8192: beyond the end of the file"),
        (["read", "torn", "1"], "torn: page 1 at offset 4096: short page: 100 of 4096 bytes"),
        (
            ["read", "foreign", "0"],
            "foreign: page 0 at offset 0: wrong magic: 0x7878787878787878, not 0x4453453150414745",
        ),
        (["read", "padding", "0"], "padding: page 0 at offset 0: bytes 8 to 15 are not zero"),
        (["read", "hole", "0"], "hole: page 0 at offset 0: all zero: never written, or lost"),
    ],
)
def test_what_the_file_does_not_hold(here: Path, arguments: list[str], message: str) -> None:
    assert outcome(*arguments) == (1, "", f"pagealloc: {message}\n")


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("hole", "hole: page 0 at offset 0: all zero: never written, or lost"),
        ("torn", "torn: page 1 at offset 4096: short page: 100 of 4096 bytes"),
    ],
)
def test_verify_names_each_bad_page(here: Path, file: str, fault: str) -> None:
    summary = f"{file}: bad pages: 1 of 2"
    assert outcome("verify", file) == (1, "", f"pagealloc: {fault}\npagealloc: {summary}\n")


@pytest.mark.parametrize(("file", "pages"), [("good", 2), ("empty", 0)])
def test_verify_counts_good_pages(here: Path, file: str, pages: int) -> None:
    assert outcome("verify", file) == (0, f"{file}: good pages: {pages}\n", "")


@pytest.mark.parametrize(
    ("text", "stdin", "payload"),
    [
        ("text", b"unused", b"text"),
        ("", b"unused", b""),
        ("--help", b"", b"--help"),
        ("-", b"from a pipe\n", b"from a pipe\n"),
        ("-", b"a\0b", b"a\0b"),
        ("-", b"x" * 4080, b"x" * 4080),
        ("café", b"", "café".encode()),
    ],
)
def test_text_or_standard_input_is_the_payload(
    here: Path, text: str, stdin: bytes, payload: bytes
) -> None:
    assert outcome("write", "f", "1", text, stdin=stdin) == (0, "", "")
    assert Path("f").read_bytes() == bytes(4096) + build_page(payload)
    assert run("read", "f", "1").stdout == payload


def test_arguments_may_be_any_bytes(here: Path) -> None:
    assert run("write", b"f\xff", "0", b"\xfe").returncode == 0
    assert run("read", b"f\xff", "0").stdout == b"\xfe"
    assert run("read", b"no\xff", "0").stderr == (
        b"pagealloc: no\xff: open: no such file or directory\n"
    )


def test_an_endless_standard_input_is_refused(here: Path) -> None:
    with open("/dev/zero", "rb") as zero:
        done = subprocess.run(
            [*COMMAND, "write", "f", "0", "-"], stdin=zero, capture_output=True, check=False
        )
    assert (done.returncode, done.stderr) == (2, b"pagealloc: payload is over 4080 bytes\n")
    assert not Path("f").exists()


def test_standard_input_in_pieces_is_not_cut_off_at_the_limit(here: Path) -> None:
    read_end, write_end = os.pipe2(os.O_DIRECT)  # each read gets one of the writes
    os.write(write_end, b"x" * 4080)
    os.write(write_end, b"y")
    os.close(write_end)
    done = subprocess.run(
        [*COMMAND, "write", "f", "0", "-"], stdin=read_end, capture_output=True, check=False
    )
    os.close(read_end)
    assert (done.returncode, done.stderr) == (2, b"pagealloc: payload is over 4080 bytes\n")


def test_hexdump_of_the_file_is_xxd_of_the_file(here: Path) -> None:
    for file in ("good", "torn", "empty", "foreign"):
        xxd = subprocess.run(["xxd", file], capture_output=True, check=True).stdout
        assert run("hexdump", file).stdout == xxd


def test_hexdump_of_a_page_is_xxd_of_that_part(here: Path) -> None:
    for file in ("good", "torn"):
        xxd = subprocess.run(
            ["xxd", "-s", "4096", "-l", "4096", file], capture_output=True, check=True
        ).stdout
        assert run("hexdump", file, "1").stdout == xxd


def test_output_that_cannot_be_written_is_an_error(here: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "verify", "good"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (
        3,
        b"pagealloc: standard output: no space left on device\n",
    )


def test_a_reader_that_goes_away_ends_the_command_silently(here: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [*COMMAND, "hexdump", "good"], stdout=write_end, stderr=subprocess.PIPE, check=False
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (-13, b"")


def test_a_failed_sync_has_its_own_exit_code(here: Path) -> None:
    strace = ["strace", "-o", "log", "-e", "inject=fdatasync:error=EIO"]
    done = subprocess.run(
        [*strace, *COMMAND, "write", "good", "1", "x"], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        4,
        (
            b"pagealloc: good: page 1 at offset 4096: fdatasync: input/output error; "
            b"the page may not be on the disk\n"
        ),
    )


def test_help_is_what_the_reference_quotes() -> None:
    assert outcome("--help") == outcome("-h") == (0, HELP, "")
    reference = (ROOT / "docs" / "reference" / "pagealloc.md").read_text()
    assert HELP in reference
    assert all(len(line) <= 80 for line in HELP.splitlines())


def test_the_package_runs_as_a_module(here: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pagealloc", "verify", "good"],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"good: good pages: 2\n")
