"""Reading and writing pages: what lands in the file, by which calls, and what if one fails."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

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
    read_page,
    write_page,
)
from pagealloc.page import build_page
from pagealloc_support import COMMAND, calls_on, run

WRITE_CALLS = [
    "openat(pages, O_RDWR|O_CREAT|O_CLOEXEC, 0644) = fd",
    "fstat",
    "pwrite64(fd, DATA, 4096, 8192) = 4096",
    "fdatasync(fd) = 0",
    "close(fd) = 0",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A name in a directory that holds nothing else; strace's log goes beside the directory."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder / "pages"


def write_command(file: Path, page_no: int = 2) -> list[str]:
    return [*COMMAND, "write", str(file), str(page_no), "text"]


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


def test_a_new_file_is_made_with_mode_0644(file: Path) -> None:
    os.umask(mask := os.umask(0o022))
    write_page(str(file), 0, b"")
    assert file.stat().st_mode & 0o777 == 0o644 & ~mask


def test_a_path_may_be_any_bytes(file: Path) -> None:
    path = os.fsencode(file) + b"\xff"
    write_page(path, 0, b"x")
    assert read_page(path, 0)[:1] == b"x"


@pytest.mark.parametrize(("page_no", "data"), [(-1, b""), (2**51, b""), (0, b"x" * 4081)])
def test_what_cannot_be_is_refused_before_the_file_is_made(
    file: Path, page_no: int, data: bytes
) -> None:
    with pytest.raises(ArgumentError):
        write_page(str(file), page_no, data)
    assert not file.exists()


def test_a_write_is_exactly_these_calls_on_a_new_file(file: Path) -> None:
    assert calls_on([file], write_command(file)) == WRITE_CALLS


def test_a_write_is_exactly_these_calls_on_an_old_file(file: Path) -> None:
    file.write_bytes(bytes(5 * PAGE_SIZE))
    assert calls_on([file], write_command(file)) == WRITE_CALLS


def test_a_read_is_one_pread(file: Path) -> None:
    write_page(str(file), 2, b"x")
    assert calls_on([file], [*COMMAND, "read", str(file), "2"]) == [
        "openat(pages, O_RDONLY|O_CLOEXEC) = fd",
        "fstat",
        "pread64(fd, DATA, 4096, 8192) = 4096",
        "close(fd) = 0",
    ]


@pytest.mark.parametrize("call", ["openat", "pwrite64", "fdatasync"])
def test_a_call_that_a_signal_interrupted_is_made_again(file: Path, call: str) -> None:
    calls = calls_on([file], write_command(file), inject=[f"{call}:error=EINTR:when=1"])
    again = [entry for entry in calls if "EINTR" not in entry]
    assert again == WRITE_CALLS
    assert len(calls) == len(again) + 1


def test_a_sync_that_failed_is_not_repeated(file: Path) -> None:
    calls = calls_on([file], write_command(file), inject=["fdatasync:error=EIO"], code=4)
    assert [call.partition("(")[0] for call in calls] == [
        "openat",
        "fstat",
        "pwrite64",
        "fdatasync",
        "close",
    ]


def test_a_page_beyond_the_end_is_no_page(file: Path) -> None:
    write_page(str(file), 0, b"")
    with pytest.raises(ContentError, match="page 1 at offset 4096: beyond the end of the file"):
        read_page(str(file), 1)


@pytest.mark.parametrize("old", [0, PAGE_SIZE, PAGE_SIZE + 7, 3 * PAGE_SIZE])
def test_a_short_write_leaves_the_size_as_it_was(file: Path, old: int) -> None:
    file.write_bytes(b"o" * old)
    limited = ["prlimit", "--fsize=10240", *write_command(file)]
    done = subprocess.run(limited, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (
        3,
        b"pagealloc: %s: page 2 at offset 8192: pwrite: short write: 2048 of 4096 bytes\n"
        % os.fsencode(file),
    )
    assert file.stat().st_size == old
    assert file.read_bytes()[:8192] == b"o" * min(old, 8192)


def test_a_file_that_another_program_made_longer_is_not_cut(file: Path) -> None:
    file.write_bytes(bytes(8192 + 2048))
    # The kernel wrote nothing; strace says 1024, as if the file had grown to 10240 meanwhile.
    calls = calls_on([file], write_command(file), inject=["pwrite64:retval=1024"], code=3)
    assert not any(call.startswith("ftruncate") for call in calls)
    assert file.stat().st_size == 8192 + 2048


def test_a_page_beyond_the_size_limit_is_refused(file: Path) -> None:
    file.write_bytes(b"o" * 5000)
    limited = ["prlimit", "--fsize=8192", *write_command(file)]
    done = subprocess.run(limited, capture_output=True, check=False)
    assert done.returncode == 3
    assert done.stderr.endswith(b"page 2 at offset 8192: pwrite: file too large\n")
    assert file.read_bytes() == b"o" * 5000


def in_tiny_tmpfs(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run *script* in an 8 KiB tmpfs of its own mount namespace, which ends with it."""
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    mount = 'mount -t tmpfs -o size=8k tiny "$0" && cd "$0" && '
    return subprocess.run(
        [*own, "sh", "-c", mount + script, str(folder), *COMMAND],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    done = in_tiny_tmpfs(
        tmp_path,
        '"$@" write f 0 a && "$@" write f 1 b || exit 9; before=$(cksum f); '
        '"$@" write f 2 c; echo $?; [ "$before" = "$(cksum f)" ] && "$@" verify f',
    )
    assert done.stdout == "3\nf: good pages: 2\n"
    assert done.stderr == ("pagealloc: f: page 2 at offset 8192: pwrite: no space left on device\n")


def test_a_full_disk_leaves_a_new_file_empty(tmp_path: Path) -> None:
    done = in_tiny_tmpfs(
        tmp_path, 'head -c 8192 /dev/zero > full; "$@" write f 0 a; echo $?; wc -c < f'
    )
    assert done.stdout == "3\n0\n"


def test_a_sync_that_failed_is_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only a broken disk fails a sync; the command's own test has strace answer EIO.
    def fail(fd: int) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr("pagealloc.store.full_sync", fail)
    with pytest.raises(SyncError) as caught:
        write_page(str(tmp_path / "pages"), 0, b"x")
    assert isinstance(caught.value, SystemCallError)
    assert isinstance(caught.value.__cause__, OSError)


def test_no_descriptor_stays_open_after_a_failure(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(SystemCallError):
        write_page("/dev/null", 0, b"")
    (tmp_path / "empty").touch()
    with pytest.raises(ContentError):
        read_page(str(tmp_path / "empty"), 0)
    assert os.listdir("/proc/self/fd") == before


def test_the_lab_page(file: Path) -> None:
    assert run("write", str(file), "0", "first page").returncode == 0
    xxd = subprocess.run(["xxd", "-l", "32", str(file)], capture_output=True, check=True).stdout
    assert xxd == (
        b"00000000: 4547 4150 3145 5344 0000 0000 0000 0000  EGAP1ESD........\n"
        b"00000010: 6669 7273 7420 7061 6765 0000 0000 0000  first page......\n"
    )
