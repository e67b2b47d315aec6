"""One program under strace with other options: what it is read as stays the same."""

import subprocess
import sys
from pathlib import Path

import pytest
import strace_support as strace
from mounted_support import PATIENCE_S

from tracefs.findings import Verdict
from tracefs.strace.text import open_text
from tracefs.trace.call import Call, Released

GOOD = """
import os, threading
fd = os.open("a\\xff", os.O_RDWR | os.O_CREAT | os.O_EXCL)
def write(page):
    os.pwrite(fd, b"c" * 4096, page * 4096)
    os.fdatasync(fd)
write(0)
thread = threading.Thread(target=write, args=(1,))
thread.start()
thread.join()
if os.fork() == 0:
    write(2)
    os._exit(0)
os.wait()
os.rename("a\\xff", "b")
os.close(fd)
"""
SHORT = """
import os
fd = os.open("a", os.O_RDWR | os.O_CREAT | os.O_EXCL)
for page in range(3):
    os.pwrite(fd, b"c" * 4096, page * 4096)
    os.fdatasync(fd)
os.close(fd)
"""
PYTHON = (sys.executable, "-S", "-E", "-c")


def essence(call: Call | Released) -> tuple[object, ...]:
    if isinstance(call, Released):
        return ("released", call.handle, call.ino)
    return (
        call.call, call.family, call.path, call.target, call.ino, call.handle, call.fd, call.offset,
        call.length, call.result, call.errno, call.flags, call.position, call.created, call.note,
    )  # fmt: skip


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    folder = tmp_path_factory.mktemp("plain")
    log = strace.stracing(folder / "log", folder / "bare", [*PYTHON, GOOD])
    assert strace.judged(log).verdict is Verdict.KEPT
    return list(map(essence, strace.items(log)))


@pytest.mark.parametrize(
    "options",
    [
        "-t", "-tt", "-ttt", "-r", "-T", "-ttt -T", "-r -tt", "-yy", "-s0", "-s4096", "-v", "-x",
        "-xx", "-n", "-i", "-k", "-Y", "-q", "-qq", "-qqq", "-a 1", "-X verbose",
        "-e signal=none", "-e write=3 -e read=3", "--absolute-timestamps=precision:ns",
        "--syscall-times=ns", "--seccomp-bpf",
    ],
)  # fmt: skip
def test_options_change_nothing(
    options: str, plain: list[tuple[object, ...]], tmp_path: Path
) -> None:
    log = strace.stracing(tmp_path / "log", tmp_path / "bare", [*PYTHON, GOOD], *options.split())
    assert list(map(essence, strace.items(log))) == plain
    result = strace.judged(log)
    assert (result.verdict, result.trace.incomplete_because) == (Verdict.KEPT, None)


def test_lines_on_standard_error_have_their_threads_in_brackets(
    plain: list[tuple[object, ...]], tmp_path: Path
) -> None:
    log, bare = tmp_path / "log", tmp_path / "bare"
    bare.mkdir()
    with log.open("wb") as error:
        words = [*strace.PLAIN, "--", *PYTHON, GOOD]
        subprocess.run(words, cwd=bare, stderr=error, timeout=PATIENCE_S, check=True)
    assert b"[pid " in log.read_bytes()
    assert list(map(essence, strace.items(log))) == plain
    assert strace.judged(log).verdict is Verdict.KEPT


def test_without_f_one_process_is_all_there_may_be(tmp_path: Path) -> None:
    log, bare = tmp_path / "log", tmp_path / "bare"
    bare.mkdir()
    for program, verdict in ((SHORT, Verdict.KEPT), (GOOD, Verdict.UNKNOWN)):
        words = ["strace", "-y", "-o", str(log), "--", *PYTHON, program]
        subprocess.run(words, cwd=bare, timeout=PATIENCE_S, check=True)
        result = strace.judged(log)
        assert result.verdict is verdict
    assert "was started and is not in the text" in (result.trace.incomplete_because or "")


def test_without_y_there_is_nothing_to_judge(tmp_path: Path) -> None:
    log, bare = tmp_path / "log", tmp_path / "bare"
    bare.mkdir()
    words = ["strace", "-f", "-o", str(log), "--", *PYTHON, SHORT]
    subprocess.run(words, cwd=bare, timeout=PATIENCE_S, check=True)
    with log.open("rb") as file, pytest.raises(Exception, match="without paths beside"):
        open_text(file, "log")


@pytest.mark.parametrize(
    "options",
    [
        "-e trace=%file,%desc", "-e trace=openat,pwrite64,close,fsync,fdatasync,msync",
        "-e trace=pwrite64,openat,close,execve", "-P a", "-z", "-Z", "-e trace=%file",
        "-e trace=%desc", "-e status=successful", "-e trace=%memory,%desc,%file",
    ],
)  # fmt: skip
def test_a_filter_leaves_a_good_program_undecided(options: str, tmp_path: Path) -> None:
    log = strace.stracing(tmp_path / "log", tmp_path / "bare", [*PYTHON, SHORT], *options.split())
    with log.open("rb") as file:
        if open_text(file, "log") is None:
            return
    result = strace.judged(log)
    assert result.verdict is Verdict.UNKNOWN, result
    assert "strace -e trace" in (result.trace.incomplete_because or "")


def test_a_filter_that_shows_all_syncs_still_tells_what_is_wrong(tmp_path: Path) -> None:
    program = SHORT.replace("os.fdatasync(fd)", "os.fsync(fd)")
    program += """
import mmap
fd = os.open("a", os.O_RDWR)
os.pwrite(fd, b"c" * 100, 0)
os.fdatasync(fd)
view = mmap.mmap(-1, 4096)
view.flush()
"""
    options = ("-e", "trace=%file,%desc,msync")
    log = strace.stracing(tmp_path / "log", tmp_path / "bare", [*PYTHON, program], *options)
    result = strace.judged(log)
    assert result.verdict is Verdict.BROKEN
    broken = {f.rule for f in result.contracts[0].findings if f.verdict is Verdict.BROKEN}
    assert "full-page" in broken
    assert "synced" not in broken


def test_an_attached_process_is_undecided(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = "import os; os.read(0, 1)\n" + SHORT
    bare = tmp_path / "bare"
    bare.mkdir()
    with subprocess.Popen([*PYTHON, program], cwd=bare, stdin=subprocess.PIPE) as traced:
        words = [*strace.PLAIN, "-o", str(log), "-p", str(traced.pid)]
        with subprocess.Popen(words, stderr=subprocess.PIPE) as tracer:
            assert tracer.stderr is not None
            assert b"attached" in tracer.stderr.readline()
            assert traced.stdin is not None
            traced.stdin.write(b"x")
            traced.stdin.close()
            traced.wait(PATIENCE_S)
            tracer.wait(PATIENCE_S)
    result = strace.judged(log)
    assert result.verdict is Verdict.UNKNOWN
    assert "ran before the text begins" in (result.trace.incomplete_because or "")


def test_a_text_that_is_cut_anywhere_is_neither_kept_nor_broken(tmp_path: Path) -> None:
    """Nothing is held against a program for what it did after the cut."""
    log = strace.stracing(tmp_path / "log", tmp_path / "bare", [*PYTHON, GOOD])
    whole = log.read_bytes()
    begins = whole.index(b"a\\303\\277")
    ends = whole.rindex(b"= ?")  # of exit_group: what follows is its echo
    cut = tmp_path / "cut"
    for end in range(begins, ends):
        if end % 29 and whole[end - 1] != 10:
            continue  # ends of lines, and some places within them
        cut.write_bytes(whole[:end])
        result = strace.judged(cut)
        assert result.verdict is Verdict.UNKNOWN, whole[:end][-200:]


def test_standard_error_of_the_program_in_the_text(tmp_path: Path) -> None:
    log, bare = tmp_path / "log", tmp_path / "bare"
    bare.mkdir()
    program = SHORT.replace("os.close(fd)", "os.write(2, b'done\\n'); os.close(fd)")
    with log.open("wb") as error:
        words = [*strace.PLAIN, "--", *PYTHON, program]
        subprocess.run(words, cwd=bare, stderr=error, timeout=PATIENCE_S, check=True)
    result = strace.judged(log)
    assert result.verdict is Verdict.UNKNOWN
    assert "can't be read" in (result.trace.incomplete_because or "")
