"""Which system calls every writer makes on the file: those, in that order, and no others."""

from pathlib import Path

import pytest
from pagealloc.page import PAGE_SIZE, build_page
from pagealloc_support import calls_on
from pagewriters import Writer
from writers_support import command, each_writer

WRITE_CALLS = [
    "openat(pages, O_RDWR|O_CREAT|O_CLOEXEC, 0644) = fd",
    "fstat",
    "pwrite64(fd, DATA, 4096, 8192) = 4096",
    "fdatasync(fd) = 0",
    "close(fd) = 0",
]
DIRECTORY_CALLS = [
    "openat(files, O_RDONLY|O_CLOEXEC|O_DIRECTORY) = fd",
    "fsync(fd:files) = 0",
    "close(fd:files) = 0",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A name in a directory that holds nothing else; strace's log goes beside the directory."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder / "pages"


def write(writer: Writer, file: Path, *option: str) -> list[str]:
    return command(writer, "write", *option, str(file), "2", "text")


def names(calls: list[str]) -> list[str]:
    return [call.partition("(")[0] for call in calls]


@each_writer
@pytest.mark.parametrize("old", [None, 0, 5 * PAGE_SIZE], ids=["new", "empty", "longer"])
def test_a_write_is_exactly_these_calls(writer: Writer, file: Path, old: int | None) -> None:
    if old is not None:
        file.write_bytes(bytes(old))
    assert calls_on([file, file.parent], write(writer, file)) == WRITE_CALLS


@each_writer
@pytest.mark.parametrize("old", [None, 5 * PAGE_SIZE], ids=["new", "longer"])
def test_sync_dir_syncs_the_directory_once_the_file_is_closed(
    writer: Writer, file: Path, old: int | None
) -> None:
    if old is not None:
        file.write_bytes(bytes(old))
    calls = calls_on([file, file.parent], write(writer, file, "--sync-dir"))
    assert calls == WRITE_CALLS + DIRECTORY_CALLS


@each_writer
@pytest.mark.parametrize("name", ["pages", "./pages", "../files/pages"])
def test_the_directory_of_a_name_without_one_is_the_working_directory(
    writer: Writer, file: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    words = command(writer, "write", "--sync-dir", name, "2", "text")
    calls = calls_on([file, file.parent], words)
    assert names(calls)[-2:] == ["fsync", "close"]
    assert calls[-2:] == DIRECTORY_CALLS[-2:]


@each_writer
def test_a_read_is_one_pread(writer: Writer, file: Path) -> None:
    file.write_bytes(build_page(b"x") * 3)
    for words in (["read", str(file), "2"], ["hexdump", str(file), "2"]):
        assert calls_on([file], command(writer, *words)) == [
            "openat(pages, O_RDONLY|O_CLOEXEC) = fd",
            "fstat",
            "pread64(fd, DATA, 4096, 8192) = 4096",
            "close(fd) = 0",
        ]


@each_writer
@pytest.mark.parametrize("words", ["verify", "hexdump"])
def test_a_whole_file_is_read_page_by_page(writer: Writer, file: Path, words: str) -> None:
    file.write_bytes(build_page(b"x") * 2)
    assert calls_on([file], command(writer, words, str(file))) == [
        "openat(pages, O_RDONLY|O_CLOEXEC) = fd",
        "fstat",
        "pread64(fd, DATA, 4096, 0) = 4096",
        "pread64(fd, DATA, 4096, 4096) = 4096",
        'pread64(fd, "", 4096, 8192) = 0',
        "close(fd) = 0",
    ]


@each_writer
@pytest.mark.parametrize("call", ["openat", "pwrite64", "fdatasync"])
def test_a_call_that_a_signal_interrupted_is_made_again(
    writer: Writer, file: Path, call: str
) -> None:
    calls = calls_on([file], write(writer, file), inject=[f"{call}:error=EINTR:when=1..20"])
    interrupted = names([entry for entry in calls if "EINTR" in entry])
    # strace counts for each thread, and Go may go on in another.
    assert set(interrupted) == {call}
    assert len(interrupted) >= 20
    assert [entry for entry in calls if "EINTR" not in entry] == WRITE_CALLS


@each_writer
def test_a_read_that_a_signal_interrupted_is_made_again(writer: Writer, file: Path) -> None:
    file.write_bytes(build_page(b"x") * 3)
    words = command(writer, "read", str(file), "2")
    calls = calls_on([file], words, inject=["pread64:error=EINTR:when=1"])
    assert names(calls) == ["openat", "fstat", "pread64", "pread64", "close"]


@each_writer
def test_a_directory_sync_that_a_signal_interrupted_is_made_again(
    writer: Writer, file: Path
) -> None:
    calls = calls_on(
        [file, file.parent],
        write(writer, file, "--sync-dir"),
        inject=["fsync:error=EINTR:when=1"],
    )
    assert [call for call in calls if "EINTR" not in call] == WRITE_CALLS + DIRECTORY_CALLS
    assert len(calls) == len(WRITE_CALLS + DIRECTORY_CALLS) + 1


@each_writer
def test_a_sync_that_failed_is_not_repeated(writer: Writer, file: Path) -> None:
    words = write(writer, file, "--sync-dir")
    calls = calls_on([file, file.parent], words, inject=["fdatasync:error=EIO"], code=4)
    assert names(calls) == ["openat", "fstat", "pwrite64", "fdatasync", "close"]


@each_writer
@pytest.mark.parametrize("old", [0, 8192 + 2048])
def test_a_file_that_ends_elsewhere_than_the_short_write_is_not_cut(
    writer: Writer, file: Path, old: int
) -> None:
    """Somebody else changed its size meanwhile, and would lose data."""
    file.write_bytes(bytes(old))
    # strace says that 1024 bytes were written, up to 9216; the kernel is not asked to.
    calls = calls_on([file], write(writer, file), inject=["pwrite64:retval=1024"], code=3)
    assert "ftruncate" not in names(calls)
    assert names(calls).count("pwrite64") == 1
    assert file.stat().st_size == old
