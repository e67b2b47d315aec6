"""What every writer says, and leaves behind, when a system call fails."""

import os
import subprocess
from pathlib import Path

import pytest
from pagealloc.page import PAGE_SIZE, build_page
from pagewriters import Writer
from writers_support import command, each_writer, run


def injected(
    writer: Writer, log: Path, fault: str, *words: str, on: Path | None = None
) -> tuple[int, str]:
    """Return exit code and standard error of the command while strace answers with *fault*."""
    only = [f"--trace-path={on}"] if on is not None else []
    strace = ["strace", "-f", "-o", str(log), *only, f"--inject={fault}", "--"]
    done = run(writer, *words, before=tuple(strace))
    return done.returncode, done.stderr.decode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A name in a directory that holds nothing else."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder / "pages"


@each_writer
@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        (
            "fdatasync:error=EIO",
            4,
            "page 1 at offset 4096: fdatasync: input/output error; the page may not be on the disk",
        ),
        (
            "fdatasync:error=EFBIG",
            4,
            "page 1 at offset 4096: fdatasync: file too large; the page may not be on the disk",
        ),
        (
            "fsync:error=EIO",
            4,
            "directory: fsync: input/output error; the name may not be on the disk",
        ),
        ("fsync:error=EINVAL", 4, "directory: fsync: error 22; the name may not be on the disk"),
        ("pwrite64:error=EIO", 3, "page 1 at offset 4096: pwrite: input/output error"),
        ("pwrite64:error=EDQUOT", 3, "page 1 at offset 4096: pwrite: disk quota exceeded"),
        ("pwrite64:error=EPERM", 3, "page 1 at offset 4096: pwrite: operation not permitted"),
        ("pwrite64:retval=0", 3, "page 1 at offset 4096: pwrite: short write: 0 of 4096 bytes"),
        ("openat:error=EROFS", 3, "open: read-only file system"),
        ("openat:error=EMFILE", 3, "open: too many open files"),
        ("openat:error=ELOOP", 3, "open: too many symbolic links"),
        ("openat:error=ETXTBSY", 3, "open: file is being executed"),
        ("openat:error=ENFILE", 3, "open: error 23"),
    ],
)
def test_a_call_that_fails_is_named_with_its_reason(
    writer: Writer, file: Path, tmp_path: Path, fault: str, code: int, message: str
) -> None:
    file.write_bytes(build_page(b"old"))
    # fsync is the directory's; every other fault is to hit the calls on the file alone.
    on = file.parent if fault.startswith("fsync") else file
    words = ["write", "--sync-dir", str(file), "1", "x"]
    assert injected(writer, tmp_path / "log", fault, *words, on=on) == (
        code,
        f"pagealloc: {file}: {message}\n",
    )
    assert file.read_bytes()[:PAGE_SIZE] == build_page(b"old")
    assert file.stat().st_size == (PAGE_SIZE if code == 3 else 2 * PAGE_SIZE)


@each_writer
def test_a_read_that_fails_is_named_with_its_reason(
    writer: Writer, file: Path, tmp_path: Path
) -> None:
    file.write_bytes(build_page(b"old"))
    assert injected(
        writer, tmp_path / "log", "pread64:error=EIO", "read", str(file), "0", on=file
    ) == (3, f"pagealloc: {file}: page 0 at offset 0: pread: input/output error\n")


@each_writer
def test_a_directory_that_may_not_be_opened(writer: Writer, file: Path) -> None:
    """To write into a directory one need not be allowed to read it."""
    file.parent.chmod(0o300)
    powerless = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")
    done = run(
        writer,
        *("write", "--sync-dir", str(file), "0", "x"),
        before=powerless if os.geteuid() == 0 else (),
    )
    file.parent.chmod(0o700)
    assert (done.returncode, done.stderr.decode()) == (
        3,
        f"pagealloc: {file}: directory: open: permission denied\n",
    )
    assert file.read_bytes() == build_page(b"x")


@each_writer
@pytest.mark.parametrize("old", [0, PAGE_SIZE, PAGE_SIZE + 7, 3 * PAGE_SIZE])
def test_a_short_write_leaves_the_size_as_it_was(writer: Writer, file: Path, old: int) -> None:
    file.write_bytes(b"o" * old)
    done = run(writer, "write", str(file), "2", "text", before=("prlimit", "--fsize=10240"))
    assert (done.returncode, done.stderr.decode()) == (
        3,
        f"pagealloc: {file}: page 2 at offset 8192: pwrite: short write: 2048 of 4096 bytes\n",
    )
    assert file.stat().st_size == old
    assert file.read_bytes()[:8192] == b"o" * min(old, 8192)


@each_writer
@pytest.mark.parametrize(
    ("words", "size"), [(["write", "FILE", "1", "x"], 2), (["fill", "FILE", "3"], 3)]
)
def test_a_close_that_fails_is_told_and_the_pages_stay(
    writer: Writer, file: Path, tmp_path: Path, words: list[str], size: int
) -> None:
    given = [str(file) if word == "FILE" else word for word in words]
    outcome = injected(writer, tmp_path / "log", "close:error=EIO", *given, on=file)
    assert outcome == (3, f"pagealloc: {file}: close: input/output error\n")
    assert file.stat().st_size == size * PAGE_SIZE
    assert (tmp_path / "log").read_text().count("fdatasync") == (1 if words[0] == "write" else 3)


@each_writer
@pytest.mark.parametrize(
    ("fault", "left"), [("error=EIO", 8192 + 2048), ("error=EINTR:when=1..3", 0)]
)
def test_cutting_back_is_tried_again_only_after_a_signal(
    writer: Writer, file: Path, tmp_path: Path, fault: str, left: int
) -> None:
    file.touch()
    strace = ("strace", "-f", "-o", str(tmp_path / "log"), f"--trace-path={file}")
    limited = (*strace, f"--inject=ftruncate:{fault}", "prlimit", "--fsize=10240")
    done = run(writer, "write", str(file), "2", "text", before=limited)
    assert (done.returncode, done.stderr.decode()) == (
        3,
        f"pagealloc: {file}: page 2 at offset 8192: pwrite: short write: 2048 of 4096 bytes\n",
    )
    assert file.stat().st_size == left


@each_writer
def test_a_page_beyond_the_size_limit_is_refused(writer: Writer, file: Path) -> None:
    file.write_bytes(b"o" * 5000)
    done = run(writer, "write", str(file), "2", "text", before=("prlimit", "--fsize=8192"))
    assert (done.returncode, done.stderr.decode()) == (
        3,
        f"pagealloc: {file}: page 2 at offset 8192: pwrite: file too large\n",
    )
    assert file.read_bytes() == b"o" * 5000


def in_tiny_tmpfs(writer: Writer, folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run *script* in an 8 KiB tmpfs of its own mount namespace, which ends with it."""
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    mount = 'mount -t tmpfs -o size=8k tiny "$0" && cd "$0" && '
    return subprocess.run(
        [*own, "sh", "-c", mount + script, str(folder), *command(writer)],
        capture_output=True,
        text=True,
        check=False,
    )


@each_writer
def test_a_full_disk_leaves_the_file_as_it_was(writer: Writer, tmp_path: Path) -> None:
    done = in_tiny_tmpfs(
        writer,
        tmp_path,
        '"$@" write f 0 a && "$@" write f 1 b || exit 9; before=$(cksum f); '
        '"$@" write f 2 c; echo $?; [ "$before" = "$(cksum f)" ] && "$@" verify f',
    )
    assert done.stdout == "3\nf: good pages: 2\n"
    assert done.stderr == "pagealloc: f: page 2 at offset 8192: pwrite: no space left on device\n"


@each_writer
def test_a_full_disk_leaves_a_new_file_empty(writer: Writer, tmp_path: Path) -> None:
    done = in_tiny_tmpfs(
        writer, tmp_path, 'head -c 8192 /dev/zero > full; "$@" write f 0 a; echo $?; wc -c < f'
    )
    assert done.stdout == "3\n0\n"


@each_writer
def test_a_full_disk_stops_a_filling_where_it_is(writer: Writer, tmp_path: Path) -> None:
    done = in_tiny_tmpfs(writer, tmp_path, '"$@" fill f 9; echo $?; "$@" verify f')
    assert done.stdout == "3\nf: good pages: 2\n"
    assert done.stderr == "pagealloc: f: page 2 at offset 8192: pwrite: no space left on device\n"
