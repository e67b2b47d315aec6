"""strace's text of a program on a bare directory is judged as the recording of it is."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import strace_support as strace
from faulty_support import Program, each_program
from mounted_support import Run
from pagewriters import Writer
from writers_support import command, each_writer

from tracefs.check import check
from tracefs.contracts.language.engine import LanguageContract
from tracefs.contracts.language.reading import read_contracts
from tracefs.findings import CheckResult, Finding, Severity, Verdict
from tracefs.journal.reader import JournalReader
from tracefs.strace.text import open_text
from tracefs.trace import Trace

Traced = Callable[..., Run]

UNTOLD = {"directory-synced", "fdatasync-suffices", "idle-sync"}
"""Advice that needs to know whether an open made the file, and how large it was."""


def recorded(recording: Path) -> CheckResult:
    with JournalReader(recording) as reader:
        return check(Trace(reader), ["page-write"])


APPENDING = frozenset({"aligned", "complete"})
"""What depends on where a file ends that O_APPEND writes to."""


AT_ITS_END = {"open_flags_append.py", "cpp/append.cc"}
"""Programs that append to a file whose size the text doesn't tell."""


def is_unknown(finding: Finding) -> bool:
    return finding.verdict is Verdict.UNKNOWN


def is_untold(finding: Finding) -> bool:
    return finding.severity is Severity.ADVICE and finding.rule in UNTOLD


def compare(log: Path, recording: Path, undecided: frozenset[str] = frozenset()) -> None:
    """Hold the verdict on strace's text to that on the recording.

    *undecided* are the rules that the text leaves open though the recording decides them.
    """
    mine, theirs = strace.judged(log), recorded(recording)
    assert mine.trace.complete, mine.trace.incomplete_because
    assert mine.verdict is theirs.verdict
    (one,), (other,) = mine.contracts, theirs.contracts
    unknown = [finding for finding in one.findings if is_unknown(finding)]
    assert {finding.rule for finding in unknown} == undecided | {
        finding.rule for finding in other.findings if is_unknown(finding)
    }

    def apart(finding: Finding) -> bool:
        return is_untold(finding) or finding.rule in undecided

    assert strace.about(one.findings, apart) == strace.about(other.findings, apart)
    # What is said of the rest is said of the recording, too: nothing is invented.
    said = {(finding.rule, finding.path) for finding in one.findings if finding not in unknown}
    assert said <= {(finding.rule, finding.path) for finding in other.findings}


@each_program
def test_a_faulty_program_breaks_the_same_rules_in_the_same_places(
    program: Program, traced_run: Traced, tmp_path: Path
) -> None:
    words = [*program.command(), "pages.db", str(program.page)]
    log = strace.stracing(tmp_path / "log", tmp_path / "bare", words)
    run = traced_run(words, "--witness=full")
    assert (run.returncode, run.stderr) == (0, "")
    undecided = APPENDING if program.file in AT_ITS_END else frozenset[str]()
    compare(log, run.recording, undecided)
    assert {
        finding.rule
        for contract in strace.judged(log).contracts
        for finding in contract.findings
        if finding.severity is Severity.ERROR and not is_unknown(finding)
    } == set(program.rules)


@each_writer
@pytest.mark.parametrize(
    "arguments",
    [
        ["write", "pages.db", "2", "text"],
        ["write", "--sync-dir", "pages.db", "2", "text"],
        ["fill", "pages.db", "24", "--threads", "4"],
    ],
    ids=["write", "sync-dir", "threads"],
)
def test_a_page_writer_keeps_the_contract_in_both(
    writer: Writer, arguments: list[str], traced_run: Traced, tmp_path: Path
) -> None:
    words = command(writer, *arguments)
    log = strace.stracing(tmp_path / "log", tmp_path / "bare", words)
    run = traced_run(words, "--witness=full")
    assert (run.returncode, run.stderr) == (0, "")
    compare(log, run.recording)


TOLD = {"a directory that is synced", "new names that nobody syncs"}
"""Programs of which the text has all that the advice needs."""

PROGRAMS = {
    "fork": """
import os
fd = os.open("a", os.O_RDWR | os.O_CREAT)
if os.fork() == 0:
    os.pwrite(fd, b"c" * 4096, 0)
    os._exit(0)
os.wait()
os.fdatasync(fd)
os.close(fd)
""",
    "exec closes": """
import os
fd = os.open("a", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"c" * 4096, 0)
os.execvp("true", ["true"])
""",
    "dup and close": """
import os
fd = os.open("a", os.O_RDWR | os.O_CREAT)
other = os.dup(fd)
os.pwrite(fd, b"c" * 4096, 0)
os.close(fd)
os.fdatasync(other)
""",
    "two opens of one file": """
import os
one = os.open("a", os.O_RDWR | os.O_CREAT)
other = os.open("./a", os.O_RDONLY)
os.pwrite(one, b"c" * 4096, 0)
os.fsync(other)
os.pwrite(one, b"c" * 4096, 4096)
""",
    "renamed": """
import os
fd = os.open("a.tmp", os.O_RDWR | os.O_CREAT | os.O_EXCL)
os.pwrite(fd, b"c" * 4096, 0)
os.rename("a.tmp", "a")
again = os.open("a", os.O_RDWR)
os.fdatasync(again)
os.close(fd)
os.mkdir("d")
os.rename("a", "d/b")
os.rename("d", "e")
last = os.open("e/b", os.O_RDWR)
os.pwrite(again, b"c" * 4096, 0)
os.fdatasync(last)
""",
    "linked and unlinked": """
import os
fd = os.open("a", os.O_RDWR | os.O_CREAT)
os.link("a", "b")
os.unlink("a")
other = os.open("b", os.O_RDWR)
os.pwrite(fd, b"c" * 4096, 0)
os.fdatasync(other)
new = os.open("a", os.O_RDWR | os.O_CREAT)
os.pwrite(new, b"c" * 4096, 0)
os.fdatasync(fd)
""",
    "appending": """
import os
fd = os.open("a", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
os.write(fd, b"c" * 4096)
os.fdatasync(fd)
os.pwrite(fd, b"c" * 4096, 0)
os.fdatasync(fd)
""",
    "synchronous": """
import os
fd = os.open("a", os.O_RDWR | os.O_CREAT | os.O_DSYNC)
os.pwrite(fd, b"c" * 4096, 0)
os.pwrite(fd, b"c" * 4096, 4096)
os.close(fd)
fd = os.open("a", os.O_RDWR)
os.pwritev(fd, [b"c" * 4000, b"d" * 96], 0, os.RWF_SYNC)
""",
    "moving the position": """
import os
fd = os.open("a", os.O_RDWR | os.O_CREAT)
os.write(fd, b"c" * 5000)
os.fsync(fd)
os.lseek(fd, 10, os.SEEK_SET)
os.read(fd, 90)
os.writev(fd, [b"one", b"two"])
os.fsync(fd)
os.lseek(fd, 0, os.SEEK_CUR)
os.sendfile(fd, fd, 4, 96)
os.fsync(fd)
""",
    "names with odd bytes": r"""
import os
name = b"a\xff\"b\n>c\\d, (e) = 1 \x01"
fd = os.open(name, os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b'"x", 1) = 1\n' * 8, 0)
os.fsync(fd)
os.rename(name, "z")
os.pwrite(fd, b"c" * 4096, 0)
""",
    "threads that share": """
import os, threading
fds = []
def work():
    fds.append(os.open("a", os.O_RDWR | os.O_CREAT))
thread = threading.Thread(target=work)
thread.start()
thread.join()
os.pwrite(fds[0], b"c" * 4096, 0)
os.fdatasync(fds[0])
thread = threading.Thread(target=lambda: os.close(fds[0]))
thread.start()
thread.join()
fd = os.open("b", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"c" * 4096, 0)
""",
    "resized": """
import os
fd = os.open("a", os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 8192)
os.pwrite(fd, b"c" * 4096, 0)
os.truncate("a", 4096)
os.fsync(fd)
os.posix_fallocate(fd, 0, 16384)
os.close(fd)
""",
    "killed": """
import os, signal
fd = os.open("a", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"c" * 4096, 0)
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGKILL)
os.wait()
os.fdatasync(fd)
""",
    "through symbolic links": """
import os
os.mkdir("d")
os.symlink("d", "l")
fd = os.open("l/a", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"c" * 4096, 0)
os.rename("l/a", "l/../d/b")
other = os.open("d/b", os.O_RDWR)
os.fdatasync(other)
os.symlink("d/b", "m")
os.truncate("m", 100)
os.pwrite(fd, b"c" * 4096, 0)
last = os.open("m", os.O_RDWR)
os.fdatasync(last)
os.unlink("m")
os.chdir("l")
os.unlink("../l/b")
os.pwrite(fd, b"c" * 4096, 4096)
""",
    "a directory that is synced": """
import os
fd = os.open("a", os.O_RDWR | os.O_CREAT | os.O_EXCL)
os.pwrite(fd, b"c" * 4096, 0)
os.fdatasync(fd)
folder = os.open(".", os.O_RDONLY)
os.fsync(folder)
os.mkdir("d")
fd = os.open("d/a", os.O_RDWR | os.O_CREAT | os.O_EXCL)
os.pwrite(fd, b"c" * 4096, 0)
os.fdatasync(fd)
os.fsync(os.open("d", os.O_RDONLY | os.O_DIRECTORY))
""",
    "new names that nobody syncs": """
import os
fd = os.open("a", os.O_RDWR | os.O_CREAT | os.O_EXCL)
os.pwrite(fd, b"c" * 4096, 0)
os.fsync(fd)
os.pwrite(fd, b"c" * 4096, 0)
os.fsync(fd)
os.fsync(fd)
""",
    "a database": """
import sqlite3
db = sqlite3.connect("a.db")
db.execute("create table t(x)")
for mode in ("delete", "truncate", "persist"):
    db.execute(f"pragma journal_mode={mode}")
    db.execute("insert into t values (?)", ("y" * 9000,))
    db.commit()
db.execute("vacuum")
db.close()
""",
    "other programs": """
import subprocess
for line in (
    "echo a > a; dd if=a of=b bs=64 status=none; mv b c; (echo x; echo y) >> c",
    "dd if=/dev/zero of=z bs=4096 count=3 conv=fsync status=none",
    "dd if=c of=d bs=1 status=none; ln c e; rm c; rm none",
    "truncate -s 5 e; tar cf t.tar a e; mkdir f; mv e f; mkdir g; touch g/e; ln -s g h; rm h/e",
):
    subprocess.run(["bash", "-c", line])
""",
    "half a sync": """
import ctypes, os
fd = os.open("a", os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"c" * 4096, 0)
ctypes.CDLL(None).sync_file_range(fd, ctypes.c_long(0), ctypes.c_long(4096), 2)
os.sync()
os.close(fd)
""",
}


CONTRACTS = """
version = 1

[[contract]]
id = "pages"
per = "open"
opens = "writable"

[[contract.rule]]
id = "whole"
every = "@write[not emulated]"
must = "length == page_size and offset % page_size == 0"

[[contract.rule]]
id = "synced"
every = "@write[errno == '']"
next = "@sync"

[[contract.rule]]
id = "plain"
never = ["lseek", "write"]

[[contract]]
id = "synced-before-renamed"
before = "rename($old, *)"
need = "fdatasync|fsync($old)"

[[contract]]
id = "names-stay"
never = ["link", "unlink", "truncate|ftruncate", "fcntl[F_SETFL in flags]"]

[[contract]]
id = "once"
per = "file"
every = "@write"
at_most = 1

[[contract]]
id = "never-mapped"
never = ["@map", "io_uring_setup"]
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_judged_alike(name: str, traced_run: Traced, tmp_path: Path) -> None:
    """By page-write and by contract files; the advice, too, where the text tells which are new."""
    words = [sys.executable, "-S", "-E", "-c", PROGRAMS[name]]
    log = strace.stracing(tmp_path / "log", tmp_path / "bare", words)
    run = traced_run(words, "--witness=full")
    assert run.returncode == 0, run.stderr
    compare(log, run.recording)
    contracts: list[str | LanguageContract] = ["page-write"] if name in TOLD else []
    contracts += map(LanguageContract, read_contracts(CONTRACTS, "c.toml"))
    with log.open("rb") as file, JournalReader(run.recording) as reader:
        text = open_text(file, "log")
        assert text is not None
        mine, theirs = check(text.trace(), contracts), check(Trace(reader), contracts)
    for one, other in zip(mine.contracts, theirs.contracts, strict=True):
        assert (one.id, one.verdict) == (other.id, other.verdict)
        assert strace.about(one.findings) == strace.about(other.findings)


def test_whether_a_file_is_new_is_left_open(tmp_path: Path) -> None:
    """O_CREAT alone doesn't say so, O_EXCL does."""
    contract = """
version = 1
[[contract]]
id = "directories"
every = "open[created]"
next = "fsyncdir(dir($path))"
until = "end"
"""
    (spec,) = read_contracts(contract.replace("open[", "open($path)["), "c.toml")
    for flag, verdict in (("0", Verdict.UNKNOWN), ("os.O_EXCL", Verdict.BROKEN)):
        program = f"import os; os.open('a', os.O_RDWR | os.O_CREAT | {flag})"
        directory = tmp_path / flag
        log = strace.stracing(tmp_path / "log", directory, [sys.executable, "-c", program])
        with log.open("rb") as file:
            text = open_text(file, "log")
            assert text is not None
            assert check(text.trace(), [LanguageContract(spec)]).verdict is verdict
