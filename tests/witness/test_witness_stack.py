"""Stacks of threads that wait in a system call; the marks in the programs say what is true."""

import os
import platform
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lacking import lacking

from tracefs.source import Location, Resolver, call_site
from tracefs.witness import go_frames
from tracefs.witness.stack import StackReader

PATIENCE_S = 20

C = """
#include <unistd.h>
static char byte;
__attribute__((noinline)) static long inner(int fd)
{
    long got = read(fd, &byte, 1);          // MARK inner
    return got + byte;
}
__attribute__((noinline)) static long outer(int fd, int n)
{
    volatile char room[300];
    room[n] = 1;
    long got = inner(fd) + room[n];         // MARK outer
    return got;
}
int main(void)
{
    write(1, "r", 1);
    long got = outer(0, 7);                 // MARK main
    return got == 99;
}
"""
CPP = """
#include <unistd.h>
struct Reader {
    char byte = 0;
    __attribute__((noinline)) long inner(int fd) {
        long got = ::read(fd, &byte, 1);    // MARK inner
        return got + byte;
    }
};
int main() {
    Reader reader;
    (void)!write(1, "r", 1);
    long got = reader.inner(0);             // MARK main
    return got == 99;
}
"""
RUST = """
use std::io::{Read, Write};
#[inline(never)]
fn inner(file: &mut std::fs::File) -> usize {
    let mut byte = [0; 1];
    file.read(&mut byte).unwrap() + 1       // MARK inner
}
fn main() {
    use std::os::unix::io::FromRawFd;
    let mut file = unsafe { std::fs::File::from_raw_fd(0) };
    std::io::stdout().write_all(b"r").unwrap();
    std::io::stdout().flush().unwrap();
    let got = inner(&mut file);             // MARK main
    std::process::exit(got as i32 - 1);
}
"""
GO = """
package main

import (
	"runtime"
	"syscall"
)

//go:noinline
func inner(data []byte) int {
	n, _ := syscall.Read(0, data) // MARK inner
	return n + len(data)
}

//go:noinline
func outer(size int) int {
	var room [100]int
	room[size] = inner(make([]byte, 1)) // MARK outer
	return room[size]
}

func main() {
	syscall.Write(1, []byte("r"))
	if outer(7) == 99 { // MARK main
		panic("no")
	}
}

// Else another thread than the first may go on with main after a call.
func init() { runtime.LockOSThread() }
"""
PYTHON = """
import os
def inner(fd):
    return os.read(fd, 1)                   # MARK inner
def outer(fd):
    return list(                            # MARK outer
        inner(fd)                           # MARK outer.<locals>.<genexpr>
        for _ in range(1)
    )
class Main:
    def run(self):
        os.write(1, b"r")
        outer(0)                            # MARK Main.run
Main().run()                                # MARK <module>
"""


def marks(source: str) -> list[tuple[str, int]]:
    """Return the functions that are marked, innermost first, with their lines."""
    found = []
    for number, line in enumerate(source.splitlines(), 1):
        _, mark, name = line.partition("MARK ")
        if mark:
            found.append((name.strip(), number))
    return found


@contextmanager
def running(*command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until it says that it has come so far."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], PATIENCE_S)[0]
        assert process.stdout.read(1) == b"r"
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_read(process: subprocess.Popen[bytes], tid: int) -> None:
    syscall = Path(f"/proc/{tid}/syscall")
    while not syscall.read_text().startswith("0 0x0 "):
        assert process.poll() is None
        os.sched_yield()


@contextmanager
def waiting(*command: str | Path) -> Iterator[int]:
    """Run a program that says so and then waits in read(2); its process id."""
    with running(*command) as process:
        wait_for_read(process, process.pid)
        yield process.pid


def places(pid: int) -> tuple[tuple[Location, ...], str | None]:
    stack, unstacked = StackReader(platform.machine()).capture(pid)
    return Resolver(None).resolve(stack), unstacked


def own(found: tuple[Location, ...], source: Path) -> list[tuple[str, int]]:
    """Return function and line of the places in *source*."""
    return [
        (place.function or "", place.line or 0)
        for place in found
        if place.file is not None and Path(place.file).name == source.name
    ]


def compiler(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        lacking(f"needs {name}")
    return found


@pytest.mark.parametrize(
    "flags",
    [
        ["-O0"],
        ["-O0", "-no-pie"],
        ["-O1"],
        ["-O2"],
        ["-Os", "-no-pie", "-fomit-frame-pointer"],
        ["-O0", "-fcf-protection=none"],
    ],
    ids=" ".join,
)
def test_a_c_program(tmp_path: Path, flags: list[str]) -> None:
    source = tmp_path / "stack.c"
    source.write_text(C)
    subprocess.run(["gcc", "-g", *flags, "-o", tmp_path / "stack", source], check=True)
    with waiting(tmp_path / "stack") as pid:
        found, unstacked = places(pid)
    assert unstacked is None
    assert own(found, source) == marks(C)
    site = call_site(found)
    assert site is not None
    assert str(site) == f"stack.c:{marks(C)[0][1]} in inner"


@pytest.mark.parametrize("flag", ["-O0", "-O2"])
def test_a_cpp_program(tmp_path: Path, flag: str) -> None:
    source = tmp_path / "stack.cc"
    source.write_text(CPP)
    subprocess.run([compiler("g++"), "-g", flag, "-o", tmp_path / "stack", source], check=True)
    with waiting(tmp_path / "stack") as pid:
        found, unstacked = places(pid)
    assert unstacked is None
    lines = [line for _, line in own(found, source)]
    assert lines == [line for _, line in marks(CPP)]
    assert own(found, source)[0][0] == "Reader::inner(int)"


@pytest.mark.parametrize("flags", [["-g"], ["-g", "-O"]], ids=" ".join)
def test_a_rust_program(tmp_path: Path, flags: list[str]) -> None:
    source = tmp_path / "stack.rs"
    source.write_text(RUST)
    command = [compiler("rustc"), *flags, "-o", str(tmp_path / "stack"), str(source)]
    subprocess.run(command, check=True)
    with waiting(tmp_path / "stack") as pid:
        found, _ = places(pid)
    assert own(found, source)[:2] == [(f"stack::{name}", line) for name, line in marks(RUST)]
    site = call_site(found)
    assert site is not None
    assert site.line == marks(RUST)[0][1]


@pytest.mark.parametrize(
    "flags", [["-gcflags=-l"], ["-ldflags=-s -w", "-gcflags=-l"]], ids=["plain", "stripped"]
)
@pytest.mark.parametrize("inlined", [False, True], ids=["called", "inlined"])
def test_a_go_program(tmp_path: Path, flags: list[str], inlined: bool) -> None:
    text = GO
    if inlined:
        text = GO.replace("//go:noinline\nfunc inner", "func inner")
        flags = [flag for flag in flags if flag != "-gcflags=-l"]
    source = tmp_path / "stack.go"
    source.write_text(text)
    command = [compiler("go"), "build", *flags, "-o", str(tmp_path / "stack"), str(source)]
    environment = {**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off"}
    subprocess.run(command, check=True, env=environment)
    with waiting(tmp_path / "stack") as pid:
        reader = StackReader(platform.machine())
        stack, unstacked = reader.capture(pid)
        assert reader.capture(pid) == (stack, unstacked)
    assert unstacked is None
    found = Resolver(None).resolve(stack)
    assert own(found, source) == [(f"main.{name}", line) for name, line in marks(text)]
    site = call_site(found)
    assert site is not None
    assert str(site) == f"stack.go:{marks(text)[0][1]} in main.inner"


GO_LARGER = """
func init() { os.Stdin.Sync(); fmt.Sscan("") }
"""
GO_IDS = ["", "-ldflags=-buildid=", "-ldflags=-buildid=redacted"]


def build_go(source: Path, text: str, *flags: str) -> None:
    """Compile a Go program, to the file of its name without suffix."""
    source.write_text(text)
    command = [compiler("go"), "build", "-gcflags=-l", *filter(None, flags)]
    command += ["-o", str(source.with_suffix("")), str(source)]
    environment = {**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off"}
    subprocess.run(command, check=True, env=environment)


@pytest.mark.parametrize("identity", GO_IDS)
def test_a_go_program_that_was_built_anew_has_its_own_lines(tmp_path: Path, identity: str) -> None:
    """What was found out of another program of the name, at the same addresses or not, is not."""
    larger = GO.replace('"runtime"', '"fmt"; "os"; "runtime"') + GO_LARGER
    source = tmp_path / "stack.go"
    reader = StackReader(platform.machine())
    for text in (GO, "\n\n" + GO, larger, GO):
        build_go(source, text, identity)
        with waiting(source.with_suffix("")) as pid:
            stack, unstacked = reader.capture(pid)
            assert reader.capture(pid) == (stack, unstacked)
        assert unstacked is None
        found = Resolver(None).resolve(stack)
        assert own(found, source) == [(f"main.{name}", line) for name, line in marks(text)]


@pytest.mark.parametrize(("identity", "kept"), [(GO_IDS[0], True), (GO_IDS[1], False)])
def test_a_go_programs_table_is_looked_for_once(
    tmp_path: Path, identity: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "stack.go"
    build_go(source, GO, identity)
    reader = StackReader(platform.machine())
    with waiting(source.with_suffix("")) as pid:
        first = reader.capture(pid)
        monkeypatch.delattr(go_frames, "_find")
        if kept:
            monkeypatch.delattr(go_frames.GoTable, "_read")
        assert reader.capture(pid) == first
    assert first[1] is None


@pytest.mark.parametrize("interpreter", [sys.executable, "/usr/bin/python3"])
def test_a_python_program(tmp_path: Path, interpreter: str) -> None:
    asked = [interpreter, "-c", "import sys; print((3, 11) <= sys.version_info[:2] <= (3, 14))"]
    try:
        fits = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        fits = ""
    if fits.strip() != "True":
        pytest.skip(f"{interpreter} is no Python whose functions are read")
    source = tmp_path / "stack.py"
    source.write_text(PYTHON)
    with waiting(interpreter, source) as pid:
        found, unstacked = places(pid)
    assert unstacked is None
    assert set(own(found, source)) == set(marks(PYTHON))
    assert own(found, source)[0] == marks(PYTHON)[0]
    site = call_site(found)
    assert site is not None
    assert str(site) == f"stack.py:{marks(PYTHON)[0][1]} in inner"


def test_a_function_told_by_rbp_that_moved_its_stack_is_not_guessed(tmp_path: Path) -> None:
    text = C.replace("volatile char room[300];", "volatile char room[n * 40];")
    source = tmp_path / "stack.c"
    source.write_text(text)
    subprocess.run(["gcc", "-g", "-O0", "-o", tmp_path / "stack", source], check=True)
    with waiting(tmp_path / "stack") as pid:
        found, unstacked = places(pid)
    # inner stores outer's rbp, so that outer's own frame is exact, however large it grew.
    assert own(found, source) == marks(text)
    assert unstacked is None


def test_where_rbp_can_not_be_told_the_stack_is_cut_short(tmp_path: Path) -> None:
    """The compiler has moved other instructions between those that set rbp up."""
    source = tmp_path / "stack.c"
    source.write_text(C)
    flags = ["-O2", "-fno-omit-frame-pointer"]
    subprocess.run(["gcc", "-g", *flags, "-o", tmp_path / "stack", source], check=True)
    with waiting(tmp_path / "stack") as pid:
        found, unstacked = places(pid)
    assert own(found, source) == marks(C)[: len(own(found, source))]
    assert unstacked in {None, "not further: the frame is told by rbp, which is not visible"}


DEAD = """
#include <stdlib.h>
#include <unistd.h>
static char byte;
__attribute__((noinline)) void leaf(void *p) { *(volatile long *)p = 1; }
__attribute__((noinline)) void over(int n)
{
    volatile long pad[2] = {n};
    void (*volatile call)(void *) = leaf;
    call((void *)pad);
}
__attribute__((noinline)) void deep(int n)
{
    volatile long room[8];
    room[0] = n;
    if (n > 0) deep(n - 1); else over(n);
    room[1] = n;
}
__attribute__((noinline)) long inner(int fd, int n)
{
    long room[n];
    volatile long *used = room;
    (void)used;
    return read(fd, &byte, 1);              // MARK inner
}
int main(int count, char **words)
{
    int size = atoi(words[count - 1]);
    write(1, "r", 1);
    deep(40);
    return inner(0, size);                  // MARK main
}
"""


def test_a_return_address_left_in_dead_stack_makes_no_frame(tmp_path: Path) -> None:
    """An array of variable length covers the frames of calls that have returned."""
    source = tmp_path / "stack.c"
    source.write_text(DEAD)
    subprocess.run(["gcc", "-g", "-O0", "-o", tmp_path / "stack", source], check=True)
    for size in range(1, 80):
        with waiting(tmp_path / "stack", str(size)) as pid:
            found, unstacked = places(pid)
        told = own(found, source)
        assert told == marks(DEAD)[: len(told)], size
        assert told
        assert told == marks(DEAD) or unstacked is not None


def test_arguments_pushed_for_a_call_are_counted(tmp_path: Path) -> None:
    """syscall(2) takes seven, the last of them on the stack, and stores no rbp."""
    called = "syscall(0L, (long)fd, &byte, 1L, 0L, 0L, 0L)"
    text = C.replace("read(fd, &byte, 1)", called)
    assert called in text
    source = tmp_path / "stack.c"
    source.write_text(text)
    flags = ["-O0", "-D_GNU_SOURCE"]
    subprocess.run(["gcc", "-g", *flags, "-o", tmp_path / "stack", source], check=True)
    with waiting(tmp_path / "stack") as pid:
        found, unstacked = places(pid)
    assert own(found, source) == marks(text)
    assert unstacked is None


def test_a_static_program_is_cut_short_and_says_so(tmp_path: Path) -> None:
    """It has no .eh_frame_hdr: what would be searched for functions."""
    source = tmp_path / "stack.c"
    source.write_text(C)
    subprocess.run(["gcc", "-g", "-static", "-o", tmp_path / "stack", source], check=True)
    with waiting(tmp_path / "stack") as pid:
        found, unstacked = places(pid)
    assert own(found, source) == []
    assert unstacked is not None
    assert unstacked.startswith("not further: the module has no .eh_frame_hdr")


def test_a_module_that_was_built_anew_has_no_lines(tmp_path: Path) -> None:
    source = tmp_path / "stack.c"
    source.write_text(C)
    program = tmp_path / "stack"
    subprocess.run(["gcc", "-g", "-o", program, source], check=True)
    with waiting(program) as pid:
        stack, _ = StackReader(platform.machine()).capture(pid)
        program.unlink()
        source.write_text("\n\n" + C)
        subprocess.run(["gcc", "-g", "-o", program, source], check=True)
    found = Resolver(None).resolve(stack)
    assert own(found, source) == []
    site = call_site(found)
    assert site is not None
    assert str(site).startswith("stack+0x")


def test_a_stripped_program_has_addresses(tmp_path: Path) -> None:
    source = tmp_path / "stack.c"
    source.write_text(C)
    subprocess.run(["gcc", "-O2", "-s", "-o", tmp_path / "stack", source], check=True)
    with waiting(tmp_path / "stack") as pid:
        found, _ = places(pid)
    assert own(found, source) == []
    assert [str(place) for place in found if (place.module or "").endswith("/stack")]


def test_nobody_has_no_stack() -> None:
    stack, unstacked = StackReader(platform.machine()).capture(2**22 - 1)
    assert stack == ()
    assert unstacked == "the caller was gone: ENOENT"


def test_of_another_machine_no_stack_is_read() -> None:
    stack, unstacked = StackReader("aarch64").capture(os.getpid())
    assert (stack, unstacked) == ((), "stacks of aarch64 programs are not read")


MAPPED = """
#define _GNU_SOURCE
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#define HOW (MAP_PRIVATE | MAP_FIXED_NOREPLACE)
static char byte;
static ElfW(Addr) base;
static char path[4096];
static int look(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size, (void)data;
    if (!strstr(info->dlpi_name, "libc.so")) return 0;
    base = info->dlpi_addr;
    strcpy(path, info->dlpi_name);
    return 1;
}
__attribute__((noinline)) static long inner(int fd)
{
    long got = read(fd, &byte, 1);          // MARK inner
    return got + byte;
}
int main(void)
{
    if (!dl_iterate_phdr(look, 0)) return 2;
    int file = open(path, O_RDONLY);
    char *where = (char *)base;
    int done = 0;
    while (done < TIMES) {
        where += SIDE * (1L << 24);
        done += mmap(where, 1 << 20, RIGHTS, HOW, file, 0) == where;
    }
    write(1, "r", 1);
    long got = inner(0);                    // MARK main
    return got == 99;
}
"""


@pytest.mark.parametrize("side", ["-1", "+1"], ids=["below", "above"])
@pytest.mark.parametrize("rights", ["PROT_READ", "PROT_READ | PROT_EXEC"], ids=["data", "code"])
def test_a_library_that_is_mapped_as_data_too(tmp_path: Path, side: str, rights: str) -> None:
    source = tmp_path / "stack.c"
    stacks = []
    for times in ("0", "1"):
        text = MAPPED.replace("SIDE", side).replace("RIGHTS", rights).replace("TIMES", times)
        source.write_text(text)
        subprocess.run(["gcc", "-g", "-o", tmp_path / "stack", source], check=True)
        with waiting(tmp_path / "stack") as pid:
            stacks.append(StackReader(platform.machine()).capture(pid))
    (without, _), (stack, unstacked) = stacks
    assert stack[0] == without[0]
    assert own(Resolver(None).resolve(stack), source) == marks(MAPPED)
    assert unstacked is None


ALONE = """
#include <pthread.h>
#include <unistd.h>
static char byte;
__attribute__((noinline)) static long inner(int fd)
{
    long got = read(fd, &byte, 1);          // MARK inner
    return got + byte;
}
static void *work(void *first)
{
    pthread_join(*(pthread_t *)first, 0);
    write(1, "r", 1);
    return (void *)(inner(0) + 1);          // MARK work
}
int main(void)
{
    static pthread_t first;
    pthread_t other;
    first = pthread_self();
    pthread_create(&other, 0, work, &first);
    pthread_exit(0);
}
"""


def test_a_thread_that_outlives_the_first(tmp_path: Path) -> None:
    """The memory is no longer to be had by the process id (proc_pid_mem(5))."""
    source = tmp_path / "stack.c"
    source.write_text(ALONE)
    subprocess.run(["gcc", "-g", "-pthread", "-o", tmp_path / "stack", source], check=True)
    with running(tmp_path / "stack") as process:
        (tid,) = [
            int(name)
            for name in os.listdir(f"/proc/{process.pid}/task")
            if name != str(process.pid)
        ]
        wait_for_read(process, tid)
        found, unstacked = places(tid)
    assert own(found, source) == marks(ALONE)
    assert unstacked is None


@pytest.mark.parametrize(("times", "visible"), [(3, True), (1000, False)])
def test_a_thread_that_a_signal_woke_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, visible: bool
) -> None:
    source = tmp_path / "stack.c"
    source.write_text(C)
    subprocess.run(["gcc", "-g", "-o", tmp_path / "stack", source], check=True)
    pread, left = os.pread, [b"running\n"] * times

    def look(fd: int, size: int, offset: int) -> bytes:
        running = left and os.readlink(f"/proc/self/fd/{fd}").endswith("/syscall")
        return left.pop() if running else pread(fd, size, offset)

    with waiting(tmp_path / "stack") as pid:
        monkeypatch.setattr(os, "pread", look)
        found, unstacked = places(pid)
    assert own(found, source) == (marks(C) if visible else [])
    assert unstacked == (None if visible else "its registers are not visible")
