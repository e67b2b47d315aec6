"""What every writer says of what is wrong: one table of messages and exit codes for all."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from pagewriters import Writer
from writers_support import command, each_writer, make_samples, outcome, run

LAST = "2251799813685246"
COUNT = "2251799813685247"
FILL = "fill takes FILE PAGES [--threads N] [--seed S] (see pagealloc --help)"
WRITE = "write takes FILE PAGE_NO TEXT (see pagealloc --help)"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one file of each kind that goes wrong."""
    monkeypatch.chdir(tmp_path)
    make_samples()
    return tmp_path


@each_writer
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no command given (see pagealloc --help)"),
        (["frob"], "unknown command: frob (see pagealloc --help)"),
        (["write", "f", "0"], WRITE),
        (["write", "f", "0", "a", "b"], WRITE),
        (["write", "--sync-dir", "f", "0"], WRITE),
        (["write", "--sync-dir", "--sync-dir", "f", "0", "x"], WRITE),
        (["write", "f", "--sync-dir", "0", "x"], WRITE),
        (["write", "f", "0", "x", "--sync-dir"], WRITE),
        (["write", "--sync-dir", "f", "-1", "x"], "page number is negative: -1"),
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
        (["fill"], FILL),
        (["fill", "f"], FILL),
        (["fill", "f", "1", "2"], FILL),
        (["fill", "f", "1", "--threads"], FILL),
        (["fill", "f", "1", "--seed", "1", "--threads"], FILL),
        (["fill", "f", "1", "--threads", "1", "--threads", "1"], FILL),
        (["fill", "f", "1", "--seed", "1", "--seed", "1"], FILL),
        (["fill", "f", "1", "--seed", "1", "--threads", "1", "--seed", "1"], FILL),
        (["fill", "f", "1", "--thread", "1"], FILL),
        (["fill", "f", "1", "--threads=1"], FILL),
        (["fill", "--threads", "1", "f", "1", "x"], FILL),
        (["fill", "f", "-1"], "page count is negative: -1"),
        (["fill", "f", "-"], "page count is not a decimal number: -"),
        (["fill", "f", ""], "page count is not a decimal number: "),
        (["fill", "f", "1e3"], "page count is not a decimal number: 1e3"),
        (["fill", "f", "+1"], "page count is not a decimal number: +1"),
        (["fill", "f", "2251799813685248"], f"page count is over {COUNT}: 2251799813685248"),
        (["fill", "f", "9" * 5000], f"page count is over {COUNT}: {'9' * 5000}"),
        *(
            (["fill", "f", "1", "--threads", word], f"threads must be 1 to 64: {word}")
            for word in ("0", "65", "-1", "+1", "", " 1", "x", "1.0", "0x1", "٣", "9" * 5000)
        ),
        *(
            (["fill", "f", "1", "--seed", word], f"seed is not an unsigned 64-bit number: {word}")
            for word in (str(2**64), "-1", "+1", "", " 1", "x", "0x1", "٣", "9" * 5000)
        ),
    ],
)
def test_wrong_arguments_touch_nothing(
    writer: Writer, here: Path, arguments: list[str], message: str
) -> None:
    assert outcome(writer, *arguments) == (2, "", f"pagealloc: {message}\n")
    assert not Path("f").exists()


@each_writer
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
        (["write", "--sync-dir", "folder", "0", "x"], "folder: open: is a directory"),
        (["fill", "folder", "1"], "folder: open: is a directory"),
        (["fill", "fifo", "1"], "fifo: open: not a regular file"),
        (["fill", "no/file", "1", "--threads", "8"], "no/file: open: no such file or directory"),
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
def test_what_the_system_refuses(
    writer: Writer, here: Path, arguments: list[str], message: str
) -> None:
    assert outcome(writer, *arguments) == (3, "", f"pagealloc: {message}\n")
    assert Path("good").stat().st_size == 8192


@each_writer
@pytest.mark.parametrize("words", [["write", "closed", "0", "x"], ["read", "closed", "0"]])
def test_a_file_that_may_not_be_opened(writer: Writer, here: Path, words: list[str]) -> None:
    # Root may open everything, so it does without what lets it.
    powerless = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")
    done = run(writer, *words, before=powerless if os.geteuid() == 0 else ())
    assert (done.returncode, done.stderr) == (3, b"pagealloc: closed: open: permission denied\n")


@each_writer
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
def test_what_the_file_does_not_hold(
    writer: Writer, here: Path, arguments: list[str], message: str
) -> None:
    assert outcome(writer, *arguments) == (1, "", f"pagealloc: {message}\n")


@each_writer
@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("hole", "hole: page 0 at offset 0: all zero: never written, or lost"),
        ("torn", "torn: page 1 at offset 4096: short page: 100 of 4096 bytes"),
    ],
)
def test_verify_names_each_bad_page(writer: Writer, here: Path, file: str, fault: str) -> None:
    summary = f"{file}: bad pages: 1 of 2"
    assert outcome(writer, "verify", file) == (1, "", f"pagealloc: {fault}\npagealloc: {summary}\n")


@each_writer
@pytest.mark.parametrize(("file", "pages"), [("good", 2), ("empty", 0)])
def test_verify_counts_good_pages(writer: Writer, here: Path, file: str, pages: int) -> None:
    assert outcome(writer, "verify", file) == (0, f"{file}: good pages: {pages}\n", "")


@each_writer
def test_names_in_messages_are_byte_for_byte(writer: Writer, here: Path) -> None:
    assert run(writer, "read", b"no\xff", "0").stderr == (
        b"pagealloc: no\xff: open: no such file or directory\n"
    )
    assert run(writer, b"\xff").stderr == (
        b"pagealloc: unknown command: \xff (see pagealloc --help)\n"
    )
    assert run(writer, "write", "f", b"1\xff", "x").stderr == (
        b"pagealloc: page number is not a decimal number: 1\xff\n"
    )


@each_writer
def test_an_endless_standard_input_is_refused(writer: Writer, here: Path) -> None:
    with open("/dev/zero", "rb") as zero:
        done = subprocess.run(
            [*command(writer), "write", "f", "0", "-"], stdin=zero, capture_output=True, check=False
        )
    assert (done.returncode, done.stderr) == (2, b"pagealloc: payload is over 4080 bytes\n")
    assert not Path("f").exists()


@each_writer
def test_standard_input_in_pieces_is_not_cut_off_at_the_limit(writer: Writer, here: Path) -> None:
    read_end, write_end = os.pipe2(os.O_DIRECT)  # each read gets one of the writes
    os.write(write_end, b"x" * 4080)
    os.write(write_end, b"y")
    os.close(write_end)
    done = subprocess.run(
        [*command(writer), "write", "f", "0", "-"],
        stdin=read_end,
        capture_output=True,
        check=False,
    )
    os.close(read_end)
    assert (done.returncode, done.stderr) == (2, b"pagealloc: payload is over 4080 bytes\n")


@each_writer
@pytest.mark.parametrize(
    ("source", "flags", "reason"),
    [
        ("/proc/self/mem", os.O_RDONLY, "input/output error"),  # nothing is mapped at offset 0
        ("/dev/null", os.O_WRONLY, "error 9"),
    ],
)
def test_standard_input_that_cannot_be_read_is_an_error(
    writer: Writer, here: Path, source: str, flags: int, reason: str
) -> None:
    descriptor = os.open(source, flags)
    done = subprocess.run(
        [*command(writer), "write", "f", "0", "-"],
        stdin=descriptor,
        capture_output=True,
        check=False,
    )
    os.close(descriptor)
    assert (done.returncode, done.stderr.decode()) == (3, f"pagealloc: standard input: {reason}\n")
    assert not Path("f").exists()


@each_writer
def test_output_that_cannot_be_written_is_an_error(writer: Writer, here: Path) -> None:
    for words in (["verify", "good"], ["read", "good", "0"], ["hexdump", "good"], ["--help"]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*command(writer), *words], stdout=full, stderr=subprocess.PIPE, check=False
            )
        assert (done.returncode, done.stderr) == (
            3,
            b"pagealloc: standard output: no space left on device\n",
        )


@each_writer
@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"])
def test_the_exit_code_stands_where_the_message_cannot_be_written(
    writer: Writer, here: Path, where: str
) -> None:
    shell = ("sh", "-c", f'"$@" {where}', "sh")
    for words, code in ((["verify", "hole"], 1), (["frob"], 2), (["read", "missing", "0"], 3)):
        done = run(writer, *words, before=shell)
        assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")


@each_writer
def test_a_reader_that_goes_away_ends_the_command_silently(writer: Writer, here: Path) -> None:
    for words in (["hexdump", "good"], ["verify", "good"], ["--help"]):
        read_end, write_end = os.pipe()
        os.close(read_end)
        done = subprocess.run(
            [*command(writer), *words], stdout=write_end, stderr=subprocess.PIPE, check=False
        )
        os.close(write_end)
        assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")
