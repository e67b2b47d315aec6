"""Faults of errno, delay and false return: what the program sees is what strace makes it see."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
from mounted_support import PATIENCE_S, Run, calls, journal

from tracefs.events import Flush, Fsync, Open, Write
from tracefs.trace import Call

Traced = Callable[..., Run]

SAYS: Final = """
import errno, os
def say(name, call, *args):
    try:
        done = call(*args)
    except OSError as error:
        done = errno.errorcode[error.errno]
    print(name, done if not isinstance(done, bytes) else len(done))
    return done
"""
"""What each program begins with: it says what each of its calls came to."""
PAGES: Final = (
    SAYS
    + """
fd = os.open("pages.db", os.O_RDWR | os.O_CREAT, 0o600)
for page in range(6):
    say("pwrite", os.pwrite, fd, b"x" * 4096, page * 4096)
    say("fdatasync", os.fdatasync, fd)
say("fsync", os.fsync, fd)
say("size", lambda: os.fstat(fd).st_size)
say("ftruncate", os.ftruncate, fd, 100)
say("close", os.close, fd)
say("reopen", lambda: os.close(os.open("pages.db", os.O_RDONLY)))
say("size", lambda: os.stat("pages.db").st_size)
"""
)
NAMES: Final = (
    SAYS
    + """
say("mkdir", os.mkdir, "d")
say("mkdir", os.mkdir, "e")
open("a", "w").close()
say("link", os.link, "a", "b")
say("symlink", os.symlink, "a", "s")
say("rename", os.rename, "a", "c")
say("rename", os.rename, "a", "c")
say("unlink", os.unlink, "b")
say("chmod", os.chmod, "c", 0o600)
say("rmdir", os.rmdir, "e")
print(sorted(os.listdir(".")))
"""
)


def _python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def _under_strace(directory: Path, command: Sequence[str], rules: Sequence[str]) -> str:
    """What *command* prints in the bare *directory* with the same faults by strace."""
    injected = [f"--inject={rule}" for rule in rules]
    names = ",".join(rule.partition(":")[0] for rule in rules)
    done = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", f"--trace={names}", *injected, "--", *command],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# Names of system calls alone, since strace has no families of ours; counted as strace counts.
@pytest.mark.parametrize(
    ("program", "rules"),
    [
        (PAGES, ["pwrite64:error=EIO:when=3"]),
        (PAGES, ["pwrite64:error=ENOSPC:when=2+2"]),
        (PAGES, ["pwrite64:error=EDQUOT:when=4+"]),
        (PAGES, ["fdatasync:error=EIO:when=2..3"]),
        (PAGES, ["fdatasync:error=EROFS:when=1..5+2", "pwrite64:error=EIO:when=5"]),
        (PAGES, ["fsync:error=EIO"]),
        (PAGES, ["ftruncate:error=EPERM"]),
        (PAGES, ["pwrite64:retval=4096:when=6"]),
        (PAGES, ["fdatasync:retval=0:when=2+"]),
        (PAGES, ["pwrite64:delay_enter=1:when=1", "fdatasync:delay_exit=1:when=1"]),
        (NAMES, ["mkdir:error=ENOSPC:when=2"]),
        (NAMES, ["rename:error=EIO:when=1"]),
        (NAMES, ["link:error=EMLINK", "symlink:error=EIO"]),
        (NAMES, ["unlink:error=EROFS", "rmdir:error=EBUSY"]),
        (NAMES, ["chmod:error=EPERM"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_program_sees_what_strace_would_make_it_see(
    traced_run: Traced, tmp_path: Path, program: str, rules: list[str]
) -> None:
    assert shutil.which("strace"), "strace is one of the judges"
    bare = tmp_path / "bare"
    bare.mkdir()
    options = [word for rule in rules for word in ("--inject", rule)]
    run = traced_run(_python(program), *options)
    assert run.returncode == 0, run.stderr
    assert run.stdout == _under_strace(bare, _python(program), rules)
    struck = {fault.rule for call in calls(run.recording) for fault in call.injected}
    assert struck == set(rules)
    assert "struck no call" not in run.stderr


def _injected(run: Run) -> list[Call]:
    return [call for call in calls(run.recording) if call.injected]


def test_what_fails_is_not_done(traced_run: Traced, tmp_path: Path) -> None:
    run = traced_run(_python(PAGES), "--inject", "pwrite64=EIO:when=6", "--inject", "fsync=EIO")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "src" / "pages.db").stat().st_size == 100
    assert "size 20480" in run.stdout
    assert [(call.call, call.errno) for call in _injected(run)] == [("pwrite64", 5), ("fsync", 5)]


def test_what_is_said_to_be_written_is_not(traced_run: Traced, tmp_path: Path) -> None:
    program = SAYS + 'say("pwrite", os.pwrite, os.open("a", os.O_CREAT | os.O_RDWR), b"x" * 10, 0)'
    run = traced_run(_python(program), "--inject", "write:retval=10")
    assert run.stdout == "pwrite 10\n"
    assert (tmp_path / "src" / "a").read_bytes() == b""
    (write,) = journal(run.recording, Write)
    assert [(one.rule, one.kind) for one in write.injected] == [("write:retval=10", "retval")]


@pytest.mark.parametrize("witness", ["none", "proc", "seccomp"])
def test_a_family_needs_no_witness(traced_run: Traced, witness: str) -> None:
    run = traced_run(_python(PAGES), "--inject", "sync=EIO:when=3", "--witness", witness)
    assert run.stdout.splitlines().count("fdatasync EIO") == 1
    assert [event.errno for event in journal(run.recording, Fsync)] == [0, 0, 5, 0, 0, 0, 0]


def test_calls_that_were_not_named_are_told(traced_run: Traced) -> None:
    run = traced_run(_python(PAGES), "--inject", "pwrite64=EIO", "--witness", "none")
    assert "pwrite EIO" not in run.stdout
    assert "the rule pwrite64:error=EIO struck no call" in run.stderr
    assert "calls that could not be named" in run.stderr


def test_a_glob_and_a_file_of_its_own_count(traced_run: Traced) -> None:
    program = (
        SAYS
        + """
for name in ("a.db", "b.db", "b.log"):
    fd = os.open(name, os.O_CREAT | os.O_WRONLY)
    for turn in range(3):
        say(name, os.write, fd, b"x")
"""
    )
    run = traced_run(_python(program), "--inject", "write(*.db)=ENOSPC:when=2:per=file")
    assert run.stdout.splitlines() == [
        "a.db 1", "a.db ENOSPC", "a.db 1", "b.db 1", "b.db ENOSPC", "b.db 1",
        "b.log 1", "b.log 1", "b.log 1",
    ]  # fmt: skip


def test_a_write_in_many_requests_is_one_call(traced_run: Traced) -> None:
    program = (
        SAYS
        + """
fd = os.open("a", os.O_CREAT | os.O_RDWR)
for turn in range(3):
    say("pwrite", os.pwrite, fd, b"x" * (3 << 20), 100)
say("write", os.write, fd, b"y" * (2 << 20))
say("write", os.write, fd, b"y" * (2 << 20))
"""
    )
    run = traced_run(
        _python(program), "--inject", "pwrite64=EIO:when=2", "--inject", "=write=EIO:when=2"
    )
    assert run.stdout.split() == [
        "pwrite", "3145728", "pwrite", "EIO", "pwrite", "3145728",
        "write", "2097152", "write", "EIO",
    ]  # fmt: skip
    # The kernel makes several requests of each.
    assert len(journal(run.recording, Write)) > 5


def test_an_error_at_close_and_open(traced_run: Traced) -> None:
    run = traced_run(
        _python(PAGES), "--inject", "close=EIO:when=1", "--inject", "open=EACCES:when=2"
    )
    assert "close EIO\nreopen EACCES\n" in run.stdout
    assert [event.errno for event in journal(run.recording, Flush) if event.errno] == [5]
    assert [event.errno for event in journal(run.recording, Open)] == [13]


def test_a_held_call_lasts_as_long_as_it_says(traced_run: Traced) -> None:
    run = traced_run(_python(PAGES), "--inject", "fdatasync:delay_enter=20:delay_exit=30:when=1")
    (held,) = _injected(run)
    assert held.end_ns - held.start_ns >= 50_000_000
    assert [(one.kind, one.delay_ns) for one in held.injected] == [("delay", 50_000_000)]
    assert (held.errno, held.faults) == (0, ())


def test_others_go_on_while_a_call_is_held(traced_run: Traced) -> None:
    program = (
        SAYS
        + """
import threading
fd, other = (os.open(name, os.O_CREAT | os.O_WRONLY) for name in "ab")
os.write(fd, b"x")
held = threading.Thread(target=os.fsync, args=(fd,))
held.start()
turns = 0
while held.is_alive():
    os.pwrite(other, b"y", turns)
    turns += 1
print(turns > 20)
"""
    )
    run = traced_run(_python(program), "--inject", "fsync(a):delay_enter=300")
    assert run.stdout == "True\n"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("pwrite64=EOI", "EIO"),
        ("pwrit64=EIO", "pwrite64"),
        ("fsync:errno=EIO", "error"),
        ("fsync=ENOSYS", "doesn't ask again"),
    ],
)
def test_a_rule_that_can_t_be_is_one_clear_line(traced_run: Traced, rule: str, said: str) -> None:
    run = traced_run(["true"], "--inject", rule)
    assert run.returncode == 2
    assert len(run.stderr.splitlines()) == 1
    assert rule in run.stderr
    assert said in run.stderr
