"""What the seccomp witness hears of a command: each call on a traced file, and no other."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mounted_support import PATIENCE_S, TRACEFS, Guard, Run, calls, journal

from tracefs.events import Flush, Header, Notice
from tracefs.journal.reader import JournalReader
from tracefs.syscalls import numbers

Traced = Callable[..., Run]

NAMES = {number: name for name, number in numbers("x86_64").items()}
MINUS_512 = 2**64 - 512
PYTHON = [sys.executable, "-SP"]
"""It looks for no module in the traced directory."""

# What every script begins with: an open file of two pages, and system calls by number.
PRELUDE = """
import ctypes, fcntl, mmap, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *args):
    return libc.syscall(number, *map(ctypes.c_long, args))
fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, bytes(8192), 0)
"""


def heard(
    traced_run: Traced, script: str, *options: str
) -> list[tuple[str, str | None, tuple[int, ...]]]:
    """Run *script* after the prelude; return name, file and arguments of what was heard of f."""
    run = traced_run([*PYTHON, "-c", PRELUDE + script], *(options or ("--witness=seccomp",)))
    assert (run.returncode, run.stderr) == (0, "")
    found = []
    for notice in journal(run.recording, Notice):
        name = NAMES.get(notice.seen.nr, "?")
        if name == "exit_group":
            continue
        found.append((name, notice.path, notice.seen.args))
    return found


@pytest.mark.parametrize(
    ("script", "name", "args"),
    [
        ("os.lseek(fd, 4096, os.SEEK_SET)", "lseek", (4096, 0)),
        ("os.lseek(fd, 4096, 0); os.lseek(fd, -512, os.SEEK_CUR)", "lseek", (MINUS_512, 1)),
        ("os.lseek(fd, 0, os.SEEK_END)", "lseek", (0, 2)),
        ("os.lseek(fd, 5 << 32, os.SEEK_SET)", "lseek", (5 << 32, 0)),
        ("call(32, fd)", "dup", ()),
        ("call(292, fd, 40, os.O_CLOEXEC)", "dup3", (40, os.O_CLOEXEC)),
        ("call(33, fd, 40)", "dup2", (40,)),
        ("fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 50)", "fcntl", (1030, 50)),
        ("fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)", "fcntl", (4, os.O_APPEND)),
        ("call(285, fd, 0, 0, 9000)", "fallocate", (0, 0, 9000)),
        ("call(277, fd, 4096, 4096, 2)", "sync_file_range", (4096, 4096, 2)),
        ("call(306, fd)", "syncfs", ()),
        ("os.close(fd)", "close", ()),
    ],
)
def test_a_call_on_a_traced_file(
    traced_run: Traced, script: str, name: str, args: tuple[int, ...]
) -> None:
    called, path, got = heard(traced_run, script, "--witness=full")[-1]
    assert (called, path) == (name, "f")
    assert got[1 : 1 + len(args)] == args


def test_calls_without_a_descriptor(traced_run: Traced) -> None:
    script = """
view = mmap.mmap(fd, 8192)
view[0] = 1
view.flush()
call(162)
call(436, fd, fd, 0)
call(425, 1, 0)
os._exit(0)
"""
    names = [name for name, _, _ in heard(traced_run, script)]
    # Python's mmap keeps a copy of the descriptor.
    assert names == [
        *("fcntl", "mmap", "msync", "sync", "close_range", "io_uring_setup"),
    ]


def test_calls_on_other_files_are_not_told(traced_run: Traced) -> None:
    script = """
other = os.open("/dev/null", os.O_RDWR)
os.lseek(other, 5, os.SEEK_SET)
os.dup2(other, 60)
os.close(other)
here = os.open("/proc/self/maps", os.O_RDONLY)
os.lseek(here, 1, os.SEEK_SET)
call(436, 60, 70, 0)
anonymous = mmap.mmap(-1, 4096)
anonymous.flush()
call(3, 999)
call(8, 999, 0, 0)
os.lseek(fd, 0, os.SEEK_CUR)
"""
    assert heard(traced_run, script) == []


def test_a_descriptor_is_known_however_it_came(traced_run: Traced) -> None:
    script = """
os.lseek(os.dup(fd), 1, 0)
ours, theirs = socket.socketpair()
socket.send_fds(ours, [b"x"], [fd])
_, (passed,), _, _ = socket.recv_fds(theirs, 1, 1)
os.lseek(passed, 2, 0)
os.set_inheritable(fd, True)
pid = os.fork()
if not pid:
    os.lseek(fd, 3, 0)
    code = "import os, sys; os.lseek(int(sys.argv[1]), 4, 0)"
    os.execv(sys.executable, [sys.executable, "-SP", "-c", code, str(fd)])
os.waitpid(pid, 0)
os.rename("f", "g")
os.lseek(fd, 5, 0)
"""
    run = traced_run([*PYTHON, "-c", PRELUDE + script], "--witness=seccomp")
    assert (run.returncode, run.stderr) == (0, "")
    seeks = [n for n in journal(run.recording, Notice) if NAMES[n.seen.nr] == "lseek"]
    assert [(n.path, n.seen.args[1]) for n in seeks] == [
        ("f", 1),
        ("f", 2),
        ("f", 3),
        ("f", 4),
        ("f", 5),
    ]
    seeks_shown = [call for call in calls(run.recording) if call.family == "seek"]
    assert [call.path for call in seeks_shown][-2:] == ["f", "g"]
    assert len({n.seen.pid for n in seeks}) == 2
    assert [n.seen.position for n in seeks[:4]] == [0, 1, 2, 3]


def test_numbers_that_no_call_has_are_no_calls(traced_run: Traced) -> None:
    # 0x40000008 is lseek of an x32 program, which this kernel may run or not.
    script = """
made = call(0x40000008, fd, 100, 0) >= 0
call(-1, fd, 100, 0)
assert (os.lseek(fd, 0, os.SEEK_CUR) == 100) == made
print(int(made), end="")
"""
    run = traced_run([*PYTHON, "-c", PRELUDE + script], "--witness=full")
    names = [NAMES[notice.seen.nr] for notice in journal(run.recording, Notice)]
    assert names.count("lseek") == int(run.stdout)
    assert set(names) <= {"pwrite64", "lseek", "exit_group"}


def test_what_has_no_position_has_no_seek(traced_run: Traced) -> None:
    script = """
os.mkfifo("p")
pipe = os.open("p", os.O_RDWR)
for number, args in ((8, (pipe, 5, 0)), (1, (pipe, id(b"x"), 1)), (8, (os.open(".", 0), 0, 0))):
    call(number, *args)
"""
    names = [name for name, _, _ in heard(traced_run, script, "--witness=full")]
    assert names == ["pwrite64"]


@pytest.mark.parametrize("level", ["seccomp", "full"])
def test_a_shells_redirection_closes_by_close_and_dup2(traced_run: Traced, level: str) -> None:
    run = traced_run(["sh", "-c", "echo one > f; exec 3> f; exec 3> g"], f"--witness={level}")
    assert (run.returncode, run.stderr) == (0, "")
    seen = [call for call in calls(run.recording) if call.family == "close"]
    # As in strace's log of it: dash keeps a copy of what a redirection takes the number of.
    assert [(one.call, one.path) for one in seen] == [
        ("close", "f"),
        ("dup2", "f"),
        ("close", "f"),
        ("close", "g"),
        ("close", "f"),
        ("exit_group", "g"),
    ]


@pytest.mark.parametrize("options", [(), ("--visible",)])
def test_who_can_reach_the_mount_is_recorded(traced_run: Traced, options: tuple[str, ...]) -> None:
    run = traced_run(["true"], "--witness=seccomp", *options)
    with JournalReader(run.recording) as reader:
        assert reader.header.visible is bool(options)


def test_a_descriptor_that_exec_closes(traced_run: Traced) -> None:
    script = "os.execv('/bin/true', ['true'])"
    run = traced_run([*PYTHON, "-c", PRELUDE + script], "--witness=seccomp")
    assert run.returncode == 0
    (notice,) = journal(run.recording, Notice)  # of /bin/true's end nothing: it has none open
    assert NAMES[notice.seen.nr] == "execve"
    (flush,) = journal(run.recording, Flush)
    assert notice.end_ns <= flush.start_ns
    assert notice.tid == flush.tid


def test_a_call_of_a_32_bit_program(traced_run: Traced, tmp_path: Path) -> None:
    """``int 0x80`` takes the i386 table, from a 64-bit program too."""
    source = tmp_path / "old.c"
    source.write_text("""
#include <fcntl.h>
static long old(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}
int main(void)
{
    int fd = open("f", O_RDWR | O_CREAT, 0644);
    return old(19, fd, 4096, 0) == 4096 && old(6, fd, 0, 0) == 0 ? 0 : 1;
}
""")
    subprocess.run(["gcc", "-o", tmp_path / "old", source], check=True)
    run = traced_run([str(tmp_path / "old")], "--witness=full")
    assert (run.returncode, run.stderr) == (0, "")
    seek, close = journal(run.recording, Notice)
    assert (NAMES[seek.seen.nr], seek.path, seek.seen.args[1:3]) == ("lseek", "f", (4096, 0))
    assert (NAMES[close.seen.nr], close.path) == ("close", "f")


def test_syncfs_reaches_the_real_filesystem(traced_run: Traced, tmp_path: Path) -> None:
    """FUSE drops it; where the real one fails, so does the program's."""
    run = traced_run([*PYTHON, "-c", PRELUDE + "sys.exit(call(306, fd))"], "--witness=seccomp")
    assert (run.returncode, run.stderr) == (0, "")


def test_the_header_says_what_was_notified(traced_run: Traced) -> None:
    run = traced_run(["true"], "--witness=full")
    header = _header(run.recording)
    assert header.witness == "full"
    assert {"lseek", "write", "pwrite64", "fdatasync", "close"} <= set(header.notified)
    assert header.degraded == ()


def test_in_a_user_namespace(tmp_path: Path, guard: Guard) -> None:
    directory = tmp_path / "src"
    directory.mkdir()
    guard.watch(directory)
    command = [*PYTHON, "-c", PRELUDE + "os.lseek(fd, 1, 0)"]
    own = ["unshare", "--user", "--map-root-user"]
    done = subprocess.run(
        [*own, *TRACEFS, "run", "--witness=seccomp", "-o", tmp_path / "rec", "--", *command],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seeks = [n for n in journal(tmp_path / "rec", Notice) if NAMES[n.seen.nr] == "lseek"]
    assert [n.path for n in seeks] == ["f"]


def test_a_run_within_a_run_says_what_it_can_not_see(traced_run: Traced, tmp_path: Path) -> None:
    inner = [*TRACEFS, "run", "-q", "--dir", "sub", "-o", str(tmp_path / "inner")]
    run = traced_run(
        ["sh", "-c", 'mkdir sub && "$@"', "sh", *inner, "--witness=seccomp", "--", "true"],
        "--witness=seccomp",
    )
    assert run.returncode == 125
    assert "another supervisor listens to this process already (EBUSY)" in run.stderr


def _header(recording: Path) -> Header:
    with JournalReader(recording) as reader:
        return reader.header
