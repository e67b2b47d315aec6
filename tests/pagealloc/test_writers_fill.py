"""Filling a file from several threads: the same bytes from every writer, one page at a time."""

import re
from pathlib import Path

import pytest
from pagealloc.generated import generated_page
from pagealloc.page import PAGE_SIZE, build_page, fault_of
from pagealloc_support import calls_on
from pagewriters import Writer
from writers_support import command, each_writer, outcome, run

FIRST = b"EGAP1ESD" + bytes(8)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A name in a directory that holds nothing else; strace's log goes beside the directory."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder / "pages"


def generated(pages: int, seed: int = 0) -> bytes:
    return b"".join(generated_page(seed, page_no) for page_no in range(pages))


def pages_of(file: Path) -> list[bytes]:
    data = file.read_bytes()
    return [data[at : at + PAGE_SIZE] for at in range(0, len(data), PAGE_SIZE)]


@each_writer
def test_the_first_numbers_are_those_of_splitmix64(writer: Writer, file: Path) -> None:
    """The figures are the generator's published ones, which the model has no part in."""
    assert outcome(writer, "fill", str(file), "1", "--seed", "1234567") == (0, "", "")
    first = file.read_bytes()
    numbers = (6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431)
    assert first.startswith(FIRST + b"".join(number.to_bytes(8, "little") for number in numbers))


@each_writer
@pytest.mark.parametrize(
    ("words", "pages", "seed"),
    [
        (["0"], 0, 0),
        (["1"], 1, 0),
        (["007"], 7, 0),
        (["40", "--threads", "1"], 40, 0),
        (["40", "--threads", "8"], 40, 0),
        (["40", "--threads", "8", "--seed", "7"], 40, 7),
        (["40", "--seed", "7", "--threads", "8"], 40, 7),
        (["5", "--threads", "64"], 5, 0),
        (["0", "--threads", "64"], 0, 0),
        (["3", "--threads", "002", "--seed", "000000000000000000000000005"], 3, 5),
        (["3", "--seed", str(2**63)], 3, 2**63),
        (["3", "--seed", str(2**64 - 1)], 3, 2**64 - 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_bytes_come_from_seed_and_page_number_alone(
    writer: Writer, file: Path, words: list[str], pages: int, seed: int
) -> None:
    assert outcome(writer, "fill", str(file), *words) == (0, "", "")
    assert file.read_bytes() == generated(pages, seed)


@each_writer
def test_what_lies_behind_the_pages_stays(writer: Writer, file: Path) -> None:
    file.write_bytes(build_page(b"old") * 3 + b"tail")
    assert outcome(writer, "fill", str(file), "2", "--threads", "2") == (0, "", "")
    assert file.read_bytes() == generated(2) + build_page(b"old") + b"tail"


@each_writer
@pytest.mark.parametrize("threads", ["1", "8"])
def test_each_page_is_written_once_and_synced_before_the_next(
    writer: Writer, file: Path, threads: str
) -> None:
    calls = calls_on(
        [file, file.parent], command(writer, "fill", str(file), "24", "--threads", threads)
    )
    assert calls[:2] == ["openat(pages, O_RDWR|O_CREAT|O_CLOEXEC, 0644) = fd", "fstat"]
    assert calls[-1] == "close(fd) = 0"
    writes, syncs = calls[2:-1:2], calls[3:-1:2]
    assert syncs == ["fdatasync(fd) = 0"] * 24
    written = [re.fullmatch(r"pwrite64\(fd, DATA, 4096, (\d+)\) = 4096", call) for call in writes]
    offsets = [int(match[1]) for match in written if match is not None]
    assert sorted(offsets) == [page_no * PAGE_SIZE for page_no in range(24)]
    if threads == "1":
        assert offsets == sorted(offsets)


@each_writer
def test_no_pages_are_no_writes(writer: Writer, file: Path) -> None:
    words = command(writer, "fill", str(file), "0", "--threads", "8")
    assert calls_on([file], words) == [
        "openat(pages, O_RDWR|O_CREAT|O_CLOEXEC, 0644) = fd",
        "fstat",
        "close(fd) = 0",
    ]


@each_writer
def test_a_short_write_is_cut_off_and_the_pages_before_it_stay(writer: Writer, file: Path) -> None:
    done = run(writer, "fill", str(file), "9", before=("prlimit", "--fsize=10240"))
    assert (done.returncode, done.stderr.decode()) == (
        3,
        f"pagealloc: {file}: page 2 at offset 8192: pwrite: short write: 2048 of 4096 bytes\n",
    )
    assert file.read_bytes() == generated(2)


@each_writer
def test_a_short_write_of_one_thread_stops_all(writer: Writer, file: Path) -> None:
    limit = ("prlimit", f"--fsize={20 * PAGE_SIZE + 2048}")
    done = run(writer, "fill", str(file), "400", "--threads", "8", before=limit)
    # Whichever page beyond the limit came first: the one that crosses it, or one wholly behind.
    message = re.fullmatch(
        rf"pagealloc: {file}: page (\d+) at offset \d+: pwrite: "
        r"(short write: 2048 of 4096 bytes|file too large)\n",
        done.stderr.decode(),
    )
    assert message is not None, done.stderr
    assert (done.returncode, done.stdout) == (3, b"")
    assert int(message[1]) in range(20, 28)
    for page_no, page in enumerate(pages_of(file)):
        assert page in (generated_page(0, page_no), bytes(PAGE_SIZE))
        assert len(page) == PAGE_SIZE


@each_writer
@pytest.mark.parametrize("threads", ["1", "8"])
def test_a_failed_sync_stops_all_threads(writer: Writer, file: Path, threads: str) -> None:
    words = command(writer, "fill", str(file), "24", "--threads", threads)
    calls = calls_on([file], words, inject=["fdatasync:error=EIO"], code=4)
    assert [call.partition("(")[0] for call in calls] == [
        "openat",
        "fstat",
        "pwrite64",
        "fdatasync",
        "close",
    ]


@each_writer
def test_verify_finds_what_was_filled_good(writer: Writer, file: Path) -> None:
    assert run(writer, "fill", str(file), "30", "--threads", "3").returncode == 0
    assert outcome(writer, "verify", str(file)) == (0, f"{file}: good pages: 30\n", "")
    assert all(fault_of(page) is None for page in pages_of(file))
