"""The library: reading and writing pages, and what is raised when it can't be done."""

import doctest
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pagealloc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagealloc import (
    PAGE_SIZE,
    PAYLOAD_MAX,
    ArgumentError,
    ContentError,
    SyncError,
    SystemCallError,
    fill_pages,
    read_page,
    write_page,
)
from pagealloc.generated import generated_page
from pagealloc.page import build_page
from pagealloc_support import PACKAGE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pages"


# Sparse files: ext4 ends at 16 TiB, which is page 2**32 - 1.
@given(st.dictionaries(st.integers(0, 2**32 - 2), st.binary(max_size=PAYLOAD_MAX), max_size=5))
def test_what_was_written_is_read(pages: dict[int, bytes]) -> None:
    with TemporaryDirectory() as folder:
        path = os.path.join(folder, "pages")
        for page_no, data in pages.items():
            write_page(path, page_no, data)
        for page_no, data in pages.items():
            assert read_page(path, page_no) == data.ljust(PAYLOAD_MAX, b"\0")
        if pages:
            assert os.stat(path).st_size == (max(pages) + 1) * PAGE_SIZE


def test_a_page_is_overwritten_whole_and_its_neighbours_are_not(file: Path) -> None:
    for page_no in range(3):
        write_page(str(file), page_no, b"x" * PAYLOAD_MAX)
    write_page(str(file), 1, b"short")
    assert file.read_bytes() == b"".join(
        build_page(data) for data in (b"x" * PAYLOAD_MAX, b"short", b"x" * PAYLOAD_MAX)
    )


def test_a_path_may_be_any_bytes(file: Path) -> None:
    path = os.fsencode(file) + b"\xff"
    write_page(path, 0, b"x", sync_dir=True)
    assert read_page(path, 0)[:1] == b"x"


@pytest.mark.parametrize(("page_no", "data"), [(-1, b""), (2**51, b""), (0, b"x" * 4081)])
def test_what_cannot_be_is_refused_before_the_file_is_made(
    file: Path, page_no: int, data: bytes
) -> None:
    with pytest.raises(ArgumentError):
        write_page(str(file), page_no, data)
    assert not file.exists()


@pytest.mark.parametrize(
    ("pages", "threads", "seed", "message"),
    [
        (-1, 1, 0, "page count is negative: -1"),
        (2**51, 1, 0, f"page count is over 2251799813685247: {2**51}"),
        (1, 0, 0, "threads must be 1 to 64: 0"),
        (1, 65, 0, "threads must be 1 to 64: 65"),
        (1, 1, -1, "seed is not an unsigned 64-bit number: -1"),
        (1, 1, 2**64, f"seed is not an unsigned 64-bit number: {2**64}"),
    ],
)
def test_a_filling_that_cannot_be_is_refused_before_the_file_is_made(
    file: Path, pages: int, threads: int, seed: int, message: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        fill_pages(str(file), pages, threads=threads, seed=seed)
    assert str(caught.value) == message
    assert not file.exists()


@given(pages=st.integers(0, 9), threads=st.integers(1, 64), seed=st.integers(0, 2**64 - 1))
def test_threads_change_nothing_about_the_bytes(pages: int, threads: int, seed: int) -> None:
    with TemporaryDirectory() as folder:
        path = os.path.join(folder, "pages")
        fill_pages(path, pages, threads=threads, seed=seed)
        expected = b"".join(generated_page(seed, page_no) for page_no in range(pages))
        assert Path(path).read_bytes() == expected


@given(page_no=st.integers(0, 2**51), seed=st.integers(0, 2**64 - 1))
def test_the_stream_of_a_page_is_that_of_the_one_before_it_less_one(
    page_no: int, seed: int
) -> None:
    """The state moves by the same number from page to page as from output to output."""
    this, following = generated_page(seed, page_no), generated_page(seed, page_no + 1)
    assert following[16:-8] == this[24:]


def test_threads_that_cannot_be_started_are_an_error(file: Path) -> None:
    # Each would have a stack as large as the limit, for which there is no address space.
    limits = ["prlimit", f"--stack={1 << 30}", f"--as={1 << 29}"]
    done = subprocess.run(
        [*limits, sys.executable, PACKAGE / "bin" / "pagealloc", "fill", file, "9"],
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, b"pagealloc: %s: thread: error 11\n" % bytes(file))
    assert file.read_bytes() == b""


def test_a_sync_that_failed_is_its_own_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Only a broken disk fails a sync; the tests of the commands have strace answer EIO.
    def fail(fd: int) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr("pagealloc.descriptor.full_sync", fail)
    with pytest.raises(SyncError) as of_write:
        write_page(str(file), 0, b"x")
    with pytest.raises(SyncError) as of_fill:
        fill_pages(str(file), 2)
    for caught in (of_write, of_fill):
        assert isinstance(caught.value, SystemCallError)
        assert isinstance(caught.value.__cause__, OSError)


def test_a_fault_in_the_program_itself_is_not_lost_in_a_thread(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("pagealloc.filling.write_synced", wrong)
    with pytest.raises(ZeroDivisionError):
        fill_pages(str(file), 3, threads=2)


def test_a_page_beyond_the_end_is_no_page(file: Path) -> None:
    write_page(str(file), 0, b"")
    with pytest.raises(ContentError, match="page 1 at offset 4096: beyond the end of the file"):
        read_page(str(file), 1)


def test_no_descriptor_stays_open_after_a_failure(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(SystemCallError):
        write_page("/dev/null", 0, b"")
    with pytest.raises(SystemCallError):
        fill_pages("/dev/null", 1)
    (tmp_path / "empty").touch()
    with pytest.raises(ContentError):
        read_page(str(tmp_path / "empty"), 0)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("start", ["module", "script"])
def test_the_package_runs_without_an_installation(file: Path, start: str) -> None:
    write_page(str(file), 0, b"x")
    words = {"module": ["-m", "pagealloc"], "script": [str(PACKAGE / "bin" / "pagealloc")]}[start]
    done = subprocess.run(
        [sys.executable, *words, "verify", str(file)],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)} if start == "module" else None,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"%s: good pages: 1\n" % bytes(file))


def test_the_example_in_the_package_is_right() -> None:
    assert doctest.testmod(pagealloc).failed == 0
    assert doctest.testmod(pagealloc).attempted > 0
