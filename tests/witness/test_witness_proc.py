"""The look at a held thread: what it shows, what it can't, and that it never fails or leaks."""

import fcntl
import json
import os
import platform
import resource
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from witness_support import (
    NOBODY,
    NUMBERS,
    READ,
    Pipe,
    caller,
    descriptors,
    look_until_in,
)

from tracefs.events import Sighting
from tracefs.witness import procfs
from tracefs.witness.proc import ProcWitness, _unreadable
from tracefs.witness.threads import MAX_FDS

WRITE, WRITEV, PWRITEV2 = NUMBERS["write"], NUMBERS["writev"], NUMBERS["pwritev2"]
SPLICE, FSYNC = NUMBERS["splice"], NUMBERS["fsync"]


@pytest.fixture
def witness() -> Iterator[ProcWitness]:
    made = ProcWitness(platform.machine())
    yield made
    made.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


@pytest.fixture
def full(pipe: Pipe) -> Pipe:
    pipe.fill()
    return pipe


def test_a_held_write_shows_its_arguments_and_its_descriptor(
    witness: ProcWitness, full: Pipe
) -> None:
    fd = full.write_end
    source = f"rename(b'pager'); tell(address); call({WRITE}, {fd}, address, 1234)"
    with caller(source, fd) as process:
        (address,) = process.hear()
        seen = look_until_in(witness, process.pid, WRITE, fd)
    assert seen.args[:3] == (fd, address, 1234)
    assert seen == Sighting(
        nr=WRITE,
        args=seen.args,
        pid=process.pid,
        comm="pager",
        fd=fd,
        position=0,
        fd_flags=os.O_WRONLY,
        fd_ino=os.fstat(fd).st_ino,
    )


def test_position_flags_and_inode_are_those_of_the_file_that_is_changed(
    witness: ProcWitness, pipe: Pipe, tmp_path: Path
) -> None:
    # splice(2) from an empty pipe waits with the file, its third argument, in hand.
    file = os.open(tmp_path / "pages.db", os.O_RDWR | os.O_CREAT | os.O_DSYNC)
    os.lseek(file, 8192, os.SEEK_SET)
    source = f"call({SPLICE}, {pipe.read_end}, 0, {file}, 0, 4096, 0)"
    with caller(source, pipe.read_end, file) as process:
        seen = look_until_in(witness, process.pid, SPLICE, pipe.read_end)
    assert (seen.fd, seen.position) == (file, 8192)
    assert seen.fd_ino == os.fstat(file).st_ino
    assert seen.fd_flags is not None
    assert seen.fd_flags & ~os.O_CLOEXEC == fcntl.fcntl(file, fcntl.F_GETFL)
    os.close(file)


@pytest.mark.parametrize(
    ("nr", "rest"), [(WRITEV, ()), (PWRITEV2, (-1, -1, 0))], ids=["writev", "pwritev2"]
)
def test_the_lengths_of_a_vector_are_left_alone(
    witness: ProcWitness, full: Pipe, nr: int, rest: tuple[int, ...]
) -> None:
    fd = full.write_end
    source = f"call({nr}, {fd}, iovec(100, 4096, 1), 3, *{rest})"
    with caller(source, fd) as process:
        seen = look_until_in(witness, process.pid, nr, fd)
    assert (seen.vector_bytes, seen.fd, seen.missing) == (None, fd, None)


def test_a_negative_argument_is_unsigned(witness: ProcWitness, full: Pipe) -> None:
    fd = full.write_end
    with caller(f"call({PWRITEV2}, {fd}, iovec(9), 1, -1, -1, 0)", fd) as process:
        seen = look_until_in(witness, process.pid, PWRITEV2, fd)
    assert seen.args[3] == (1 << 64) - 1


def test_a_thread_is_told_from_its_process(witness: ProcWitness, full: Pipe) -> None:
    fd = full.write_end
    source = f"""
def work():
    rename(b"writer")
    tell(threading.get_native_id())
    call({WRITE}, {fd}, address, 1)
threading.Thread(target=work).start()
"""
    with caller(source, fd) as process:
        (tid,) = process.hear()
        seen = look_until_in(witness, tid, WRITE, fd)
        assert tid != process.pid
        assert (seen.pid, seen.comm) == (process.pid, "writer")
        assert witness.look(process.pid).comm != "writer"


def test_a_call_that_changes_no_file_shows_number_and_arguments_alone(
    witness: ProcWitness, pipe: Pipe
) -> None:
    with caller(f"os.read({pipe.read_end}, 77)", pipe.read_end) as process:
        seen = look_until_in(witness, process.pid, READ, pipe.read_end)
    assert seen.args[2] == 77
    assert seen == Sighting(nr=READ, args=seen.args, pid=process.pid, comm=seen.comm)


def test_on_an_unknown_machine_no_argument_is_taken_for_a_descriptor(full: Pipe) -> None:
    stranger = ProcWitness("riscv64")
    with caller(f"call({WRITE}, {full.write_end}, address, 1)", full.write_end) as process:
        seen = look_until_in(stranger, process.pid, WRITE, full.write_end)
    assert (seen.fd, seen.position, seen.missing) == (None, None, None)
    stranger.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"fifteen bytes!!", "fifteen bytes!!"),
        (b"caf\xc3\xa9", "café"),
        (b"a\nb\xff", "a\nb\\xff"),
        (b"\n", "\n"),
        (b"", ""),
    ],
)
def test_a_name_is_path_text(witness: ProcWitness, full: Pipe, name: bytes, text: str) -> None:
    fd = full.write_end
    with caller(f"rename({name!r}); call({WRITE}, {fd}, address, 1)", fd) as process:
        assert look_until_in(witness, process.pid, WRITE, fd).comm == text


def test_a_kept_thread_is_seen_anew_at_each_look(witness: ProcWitness, full: Pipe) -> None:
    fd = full.write_end
    source = f"""
for name, length in ((b"one", 4096), (b"two", 4095)):
    rename(name)
    call({WRITE}, {fd}, address, length)
"""
    with caller(source, fd) as process:
        first = look_until_in(witness, process.pid, WRITE, fd)
        full.drain()
        while (second := witness.look(process.pid)).args[:3:2] != (fd, 4095):
            os.sched_yield()
    assert (first.comm, second.comm) == ("one", "two")


def test_a_kept_thread_is_followed_through_exec(witness: ProcWitness, full: Pipe) -> None:
    fd, other = full.write_end, os.dup(full.write_end)
    source = f"""
os.set_inheritable({fd}, False)
call({WRITE}, {fd}, address, 4096)
line = "import os; os.write({other}, bytes(11))"
os.execv(sys.executable, ["another", "-c", line])
"""
    with caller(source, fd, other) as process:
        before = look_until_in(witness, process.pid, WRITE, fd)
        full.drain()
        after = look_until_in(witness, process.pid, WRITE, other)
    assert (before.fd, after.fd, after.args[2]) == (fd, other, 11)
    assert before.pid == after.pid
    assert after.fd_ino == os.fstat(other).st_ino
    os.close(other)


def test_exec_in_another_thread_keeps_the_number_and_loses_nothing(
    witness: ProcWitness, full: Pipe
) -> None:
    # The thread that calls exec takes over its process's number (execve(2)).
    fd = full.write_end
    source = f"""
rename(b"leader")
def work():
    os.read(0, 1)
    os.execv(sys.executable, ["another", "-c", "import os; os.write({fd}, bytes(11))"])
threading.Thread(target=work).start()
call({WRITE}, {fd}, address, 1)
"""
    with caller(source, fd) as process:
        assert look_until_in(witness, process.pid, WRITE, fd).comm == "leader"
        process.say("x")
        while (after := witness.look(process.pid)).args[:3:2] != (fd, 11):
            os.sched_yield()
    assert after.comm != "leader"
    assert after.fd_ino == os.fstat(fd).st_ino


def test_a_number_that_was_closed_and_opened_again_is_seen_as_what_it_is_now(
    witness: ProcWitness, pipe: Pipe, tmp_path: Path
) -> None:
    files = []
    for name, position in (("first", 4096), ("second", 12288)):
        files.append(os.open(tmp_path / name, os.O_RDWR | os.O_CREAT))
        os.lseek(files[-1], position, os.SEEK_SET)
    first, second = files
    source = f"""
for length in (1, 2):
    call({SPLICE}, {pipe.read_end}, 0, {first}, 0, length, 0)
    os.close({first})
    os.dup2({second}, {first})
"""
    with caller(source, pipe.read_end, first, second) as process:
        seen = look_until_in(witness, process.pid, SPLICE, pipe.read_end)
        assert (seen.position, seen.fd_ino) == (4096, os.fstat(first).st_ino)
        os.write(pipe.write_end, b"x")
        while (seen := witness.look(process.pid)).args[:5:4] != (pipe.read_end, 2):
            os.sched_yield()
    assert (seen.fd, seen.position, seen.fd_ino) == (first, 12288, os.fstat(second).st_ino)
    for file in files:
        os.close(file)


@pytest.mark.parametrize("kept", [False, True], ids=["first look", "kept descriptor"])
def test_a_descriptor_closed_under_a_held_call_is_missing_and_the_call_is_not(
    witness: ProcWitness, full: Pipe, kept: bool
) -> None:
    fd = full.write_end
    source = f"""
threading.Thread(target=call, args=({WRITE}, {fd}, address, 5)).start()
os.read(0, 1)
os.close({fd})
tell(1)
os.read(0, 1)
"""
    with caller(source, fd) as process:
        tids = [int(name) for name in wait_for_two_threads(process.pid)]
        (tid,) = set(tids) - {process.pid}
        watcher = ProcWitness(platform.machine())
        look_until_in(watcher, tid, WRITE, fd)
        watcher.close()
        if kept:
            witness.look(tid)
        process.say("x")
        process.hear()
        seen = look_until_in(witness, tid, WRITE, fd)
    assert seen.args[2] == 5
    assert (seen.fd, seen.position, seen.fd_flags, seen.fd_ino) == (fd, None, None, None)
    assert seen.missing == "the descriptor was closed, or the caller was gone: ENOENT"


def wait_for_two_threads(pid: int) -> list[str]:
    while len(tids := os.listdir(f"/proc/{pid}/task")) < 2:
        os.sched_yield()
    return tids


@pytest.mark.parametrize("kept", [False, True], ids=["never seen", "seen before"])
def test_a_thread_that_has_ended_is_missing(witness: ProcWitness, full: Pipe, kept: bool) -> None:
    fd = full.write_end
    before = descriptors()
    with caller(f"call({WRITE}, {fd}, address, 1)", fd) as process:
        if kept:
            look_until_in(witness, process.pid, WRITE, fd)
    seen = witness.look(process.pid)
    assert seen.missing is not None
    assert seen == Sighting(missing=seen.missing)
    assert seen.missing.startswith("the caller was gone: E")
    assert descriptors() == before, "nothing is kept of it"


def test_a_number_that_went_to_another_thread_is_looked_at_anew(
    witness: ProcWitness, full: Pipe
) -> None:
    fd = full.write_end
    line = f"call({WRITE}, {fd}, address, 1)"
    with caller("rename(b'old'); " + line, fd) as old:
        look_until_in(witness, old.pid, WRITE, fd)
    with caller("rename(b'new'); " + line, fd) as new:
        look_until_in(witness, new.pid, WRITE, fd)
        # What is kept for a number whose thread has died, and which the kernel gave away again.
        witness._threads.forget(new.pid)
        kept = witness._threads
        kept._kept[new.pid] = kept._kept.pop(old.pid)
        kept.files[new.pid] = kept.files.pop(old.pid)
        seen = witness.look(new.pid)
    assert (seen.comm, seen.pid) == ("new", new.pid)


def test_nobody_is_missing(witness: ProcWitness) -> None:
    assert witness.look(NOBODY) == Sighting(missing="the caller was gone: ENOENT")


@given(tid=st.integers() | st.integers(NOBODY, 2**32))
def test_no_number_makes_a_look_fail(tid: int) -> None:
    witness = ProcWitness(platform.machine())
    before = descriptors()
    seen = witness.look(tid)
    assert seen.missing is not None or seen.args
    witness.close()
    assert descriptors() == before


def test_a_running_thread_is_in_no_call(witness: ProcWitness) -> None:
    with caller("tell(1)\nwhile True: pass") as process:
        process.hear()
        seen = witness.look(process.pid)
    assert (seen.nr, seen.args, seen.pid) == (-1, (), process.pid)
    assert seen.missing == "the thread was not in a system call"


def test_a_thread_stopped_in_its_own_code_is_in_no_call(witness: ProcWitness) -> None:
    with caller("tell(1)\nwhile True: pass") as process:
        process.hear()
        while True:
            os.kill(process.pid, signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            line = Path(f"/proc/{process.pid}/syscall").read_text(encoding="ascii")
            if line.startswith("-1 "):
                break
            os.kill(process.pid, signal.SIGCONT)
        seen = witness.look(process.pid)
    assert (seen.nr, seen.pid) == (-1, process.pid)
    assert seen.missing == "the thread was not in a system call"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"running", "the thread was not in a system call"),
        (b"-1 0x7ffc0 0x401000", "the thread was not in a system call"),
        (
            b"0" + 8 * b" 0x0",
            "a thread of the kernel's own asked, for asynchronous I/O or write-back",
        ),
        (b"4" + 6 * b" 0x3" + b" 0xffffd000 0x8049000", "the caller is a 32-bit program"),
        (b"426" + 8 * b" 0x0", None),
        (b"0" + 6 * b" 0x0" + b" 0x7fff4cfb1798 0x7f43da67f2ad", None),
    ],
)
def test_why_a_line_does_not_tell_the_call(line: bytes, reason: str | None) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(line)
        file.flush()
        assert _unreadable(procfs.call(file.fileno())) == reason


_POWERLESS = """
import ctypes, json, os, platform, signal
from witness_support import NUMBERS, Pipe, look_until_in
from tracefs.witness.proc import ProcWitness, _unreadable

PR_SET_DUMPABLE, NOBODY = 4, 65534
prctl = ctypes.CDLL(None).prctl
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
witness = ProcWitness(platform.machine())
foreign = witness.look(1)
pipe = Pipe()
pipe.fill()
told, tell = os.pipe()
caller = os.fork()
if not caller:
    os.write(pipe.write_end, bytes(4096))
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    os.write(tell, b"x")
    signal.pause()
own = look_until_in(witness, caller, NUMBERS["write"], pipe.write_end)
pipe.drain()
os.read(told, 1)
secret, again = witness.look(caller), witness.look(caller)
os.kill(caller, signal.SIGKILL)
print(json.dumps([seen.missing for seen in (foreign, own, secret, again)]))
"""


def test_a_caller_that_may_not_be_read_is_missing_with_the_reason() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _POWERLESS],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        check=True,
    )
    foreign, own, secret, again = json.loads(done.stdout)
    assert own is None
    assert foreign == "the caller may not be read: EACCES"
    # Kept descriptors don't outlive the right to read: prctl(2), PR_SET_DUMPABLE.
    assert secret == "the caller may not be read: EPERM"
    assert again == "the caller may not be read: EACCES"


def test_a_look_that_runs_out_of_descriptors_is_missing_and_leaves_none(
    witness: ProcWitness,
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = descriptors()
    free = os.dup(0)
    os.close(free)
    # Room for the first of the files that a look opens.
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, limits[1]))
    try:
        seen = witness.look(os.getpid())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert seen == Sighting(missing="the caller could not be read: EMFILE")
    assert descriptors() == before


def test_many_threads_keep_a_bounded_number_of_descriptors(
    witness: ProcWitness, pipe: Pipe
) -> None:
    source = f"""
threading.stack_size(65536)
threads = [threading.Thread(target=os.read, args=({pipe.read_end}, 1)) for _ in range(150)]
for thread in threads: thread.start()
tell(*[thread.native_id for thread in threads])
"""
    before = descriptors()
    with caller(source, pipe.read_end) as process:
        tids = process.hear()
        at_start = descriptors()
        for _ in range(2):
            for tid in tids:
                assert look_until_in(witness, tid, READ, pipe.read_end).pid == process.pid
        assert descriptors() - at_start == 2 * 128
        witness.close()
        assert descriptors() == at_start
    assert descriptors() == before


def test_many_files_of_a_thread_keep_a_bounded_number_of_descriptors(
    witness: ProcWitness,
) -> None:
    pipes = [Pipe() for _ in range(12)]
    fds = [pipe.write_end for pipe in pipes]
    for pipe in pipes:
        pipe.fill()
    with caller(f"for fd in {fds} * 2: call({WRITE}, fd, address, 4096)", *fds) as process:
        at_start = descriptors()
        for pipe in pipes * 2:
            seen = look_until_in(witness, process.pid, WRITE, pipe.write_end)
            assert seen.fd_ino == os.fstat(pipe.write_end).st_ino
            pipe.drain()
        assert descriptors() - at_start == 2 + MAX_FDS
        witness.close()
        assert descriptors() == at_start
    for pipe in pipes:
        pipe.close()


if platform.machine() == "x86_64":
    # ssize_t n = read(0, esp, 1), by the 32-bit ABI.
    _CODE = bytes.fromhex("b8 03000000 31db 89e1 ba 01000000 cd80 ebfe".replace(" ", ""))

    def _program_of_32_bits() -> bytes:
        """ELF header and one program header before `_CODE` (elf(5))."""
        base, start = 0x8048000, 52 + 32
        size = start + len(_CODE)
        ident = b"\x7fELF\1\1\1" + bytes(9)
        head = struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + start, 52, 0, 0, 52, 32, 1, 40, 0, 0)
        segment = struct.pack("<IIIIIIII", 1, 0, base, base, size, size, 5, 4096)
        return ident + head + segment + _CODE

    def test_a_call_by_another_table_is_not_named_by_ours(
        witness: ProcWitness, tmp_path: Path
    ) -> None:
        program = tmp_path / "program"
        program.write_bytes(_program_of_32_bits())
        program.chmod(0o755)
        with subprocess.Popen([program], stdin=subprocess.PIPE) as process:
            # Until exec is through it is still a 64-bit program; then it waits in read, number 3.
            while not (line := Path(f"/proc/{process.pid}/syscall").read_bytes()).startswith(b"3 "):
                assert process.poll() is None, line
                os.sched_yield()
            seen = witness.look(process.pid)
            process.kill()
        assert (seen.nr, seen.args, seen.pid) == (-1, (), process.pid)
        assert (seen.comm, seen.missing) == ("program", "the caller is a 32-bit program")
