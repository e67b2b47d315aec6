"""Lines become calls; what is doubtful leaves the verdict open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strace_samples import BODY, HEAD, TAIL, text

from tracefs.check import check
from tracefs.findings import CheckResult, Verdict
from tracefs.report.ledger import Ledger
from tracefs.report.strace import STARTS_ONLY, UNTIMED, WITHOUT_DURATIONS
from tracefs.strace.files import Scope
from tracefs.strace.survey import survey
from tracefs.strace.trace import StraceTrace
from tracefs.trace.call import Call, Released, TraceItem

OPEN = 'openat(AT_FDCWD</d>, "a", O_RDWR|O_CREAT|O_EXCL, 0644) = 3</d/a>'
PAGE = 'pwrite64(3</d/a>, "a"..., 4096, 0) = 4096'
SYNC = "fdatasync(3</d/a>) = 0"
CLOSE = "close(3</d/a>) = 0"
GOOD = (OPEN, PAGE, SYNC, CLOSE)


def trace(lines: list[str], base: bytes | None = b"/d", *, only: bool = True) -> StraceTrace:
    return StraceTrace(lines, survey(lines), Scope(base, only=only), source="/d")


def judged(lines: list[str]) -> CheckResult:
    return check(trace(lines), ["page-write"])


def items(*lines: str) -> list[TraceItem]:
    return list(trace(text(*lines)).items())


def calls(*lines: str) -> list[Call]:
    return [item for item in items(*lines) if isinstance(item, Call)]


def why(lines: list[str]) -> str:
    result = judged(lines)
    assert result.verdict is Verdict.UNKNOWN
    return result.trace.incomplete_because or ""


def test_a_good_program_is_kept() -> None:
    result = judged(text(*GOOD))
    assert (result.verdict, result.trace.complete, result.trace.calls) == (Verdict.KEPT, True, 4)
    assert result.contracts[0].evidence["no-seek"] == "every lseek, seen in strace's text"


@pytest.mark.parametrize(
    ("sync", "left"),
    [("sync() = 0", 0), ("syncfs(3</d/a>) = 0", 0), ("syncfs(3</d/a>) = -1 EIO (I/O error)", 4096)],
)
def test_a_sync_of_everything_leaves_nothing_to_wait(sync: str, left: int) -> None:
    ledger = Ledger(0)
    for one in calls(OPEN, PAGE, sync, CLOSE):
        ledger.take(one)
    assert sum(owed.bytes for owed in ledger.at_end()) == left


@pytest.mark.parametrize(
    ("before", "behind", "clock"),
    [
        ("", "", UNTIMED),
        ("1.000100 ", "", STARTS_ONLY),
        ("1.000100 ", " <0.000045>", "CLOCK_REALTIME"),
    ],
)
def test_what_the_text_has_of_times_is_told(before: str, behind: str, clock: str) -> None:
    found = trace([f"100 {before}{SYNC}{behind}\n"])
    assert found.header.clock == clock
    assert (found.header.clock in WITHOUT_DURATIONS) == (not behind)


def test_the_last_descriptor_ends_the_open() -> None:
    copy = "dup(3</d/a>) = 4</d/a>"
    found = items(OPEN, copy, CLOSE, "close(4</d/a>) = 0")
    assert [type(item) for item in found] == [Call, Call, Call, Call, Released]


def test_a_file_without_a_name_leaves_the_names_in_its_directory_alone() -> None:
    found = calls(
        'openat(AT_FDCWD</d>, ".", O_RDWR|O_TMPFILE, 0600) = 3</d/#17>(deleted)',
        'linkat(AT_FDCWD</d>, "/proc/self/fd/3", AT_FDCWD</d>, "b", AT_SYMLINK_FOLLOW) = 0',
        'rename("b", "c") = 0',
    )
    assert [(one.path, one.target) for one in found[:3]] == [
        ("#17", None), ("b", "#17"), ("b", "c"),
    ]  # fmt: skip


def test_a_mapping_keeps_the_open() -> None:
    mapped = "mmap(NULL, 4096, PROT_READ, MAP_SHARED, 3</d/a>, 0) = 0x7f0000000000"
    between = 'mkdir("b", 0700) = 0'
    found = items(OPEN, mapped, CLOSE, between, "munmap(0x7f0000000000, 4096) = 0", between)
    assert [type(item) for item in found] == [Call, Call, Call, Released, Call]
    assert not isinstance(items(OPEN, mapped, CLOSE)[2], Call)  # at its exit


def test_a_number_that_another_thread_gets_before_the_close_is_told() -> None:
    """A close frees its number at once (close(2)), strace tells it when it is over."""
    found = calls(
        OPEN,
        "clone(flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD) = 101",
        "100 close(3</d/a> <unfinished ...>",
        '101 openat(AT_FDCWD</d>, "b", O_RDWR) = 3</d/b>',
        "100 <... close resumed>) = 0",
        '101 pwrite64(3</d/b>, "x", 1, 0) = 1',
        "101 close(3</d/b>) = 0",
        "101 exit(0) = ?",
        "101 +++ exited with 0 +++",
    )
    told = [(call.call, call.path) for call in found]
    assert told == [
        ("openat", "a"), ("openat", "b"), ("close", "a"), ("pwrite64", "b"), ("close", "b")
    ]  # fmt: skip


def test_a_call_begins_with_its_first_line() -> None:
    write, sync = calls(
        OPEN,
        "clone(flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD) = 101",
        '100 pwrite64(3</d/a>, "x", 1, 0 <unfinished ...>',
        "101 fdatasync(3</d/a> <unfinished ...>",
        "100 <... pwrite64 resumed>) = 1",
        "101 <... fdatasync resumed>) = 0",
        "101 exit(0) = ?",
        "101 +++ exited with 0 +++",
    )[1:3]
    assert write.start_ns < sync.start_ns < write.end_ns < sync.end_ns


def test_a_position_that_others_may_move_is_not_known() -> None:
    """Descriptor 7 may be the same open, passed through a socket (unix(7))."""
    one, other = 'write(3</d/a>, "x", 1) = 1', "lseek(7</d/a>, 5, SEEK_SET) = 5"
    assert [call.offset for call in calls(OPEN, one, one)[1:3]] == [0, 1]
    assert [call.offset for call in calls(OPEN, one, other, one)[1:4]] == [0, 5, None]


def test_a_position_is_not_known_where_a_filter_may_hide_what_moves_it() -> None:
    lines = [OPEN, 'write(3</d/a>, "x", 1) = 1', SYNC, "fsync(3</d/a>) = 0"]
    lines += ["msync(0x7f0000000000, 4096, MS_SYNC) = 0", CLOSE]
    found = list(trace([f"100 {line}\n" for line in lines]).items())
    assert [item.offset for item in found if isinstance(item, Call)][1] is None


def test_a_sync_that_only_comes_after_one_that_failed_says_so() -> None:
    failed = "fdatasync(3</d/a>) = -1 EIO (Input/output error)"
    written = 'write(3</d/a>, "x", 1) = 1'
    syncs = [c for c in calls(OPEN, written, failed, SYNC, written, SYNC) if c.family == "sync"]
    assert [sync.after_failed for sync in syncs] == [None, 2, None]


def test_a_name_that_is_not_there_is_no_call_on_a_file() -> None:
    """A recording has none either: the kernel asks no filesystem to remove what it didn't find."""
    gone = 'unlink("b") = -1 ENOENT (No such file or directory)'
    full = 'mkdir("b", 0700) = -1 ENOSPC (No space left on device)'
    opened = 'openat(AT_FDCWD</d>, "c", O_RDWR) = -1 ENOENT (No such file or directory)'
    assert [call.call for call in calls(gone, full, opened)] == ["mkdir"]


def test_a_vfork_that_returns_when_its_child_has_ended() -> None:
    lines = text(
        *GOOD,
        "100 vfork( <unfinished ...>",
        "101 exit_group(0) = ?",
        "101 +++ exited with 0 +++",
        "100 <... vfork resumed>) = 101",
    )
    assert judged(lines).verdict is Verdict.KEPT


def test_a_number_of_a_thread_that_is_used_again() -> None:
    child = ["clone(flags=SIGCHLD) = 101", "101 close(3</d/a>) = 0", "101 exit_group(0) = ?"]
    found = calls(OPEN, *child, "101 +++ exited with 0 +++", *child, "101 +++ exited with 0 +++")
    assert [(call.call, call.tid) for call in found] == [
        ("openat", 100), ("close", 101), ("close", 101), ("exit_group", 100)
    ]  # fmt: skip


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("cut", ["<unfinished ...>", "<pid changed to 100 ...>"])
def test_an_exec_by_a_thread_takes_the_number_of_its_process(cut: str, told: bool) -> None:
    found = calls(
        OPEN.replace("O_EXCL", "O_EXCL|O_CLOEXEC"),
        "clone(flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD) = 101",
        "100 futex(0x1, FUTEX_WAIT <unfinished ...>",
        f'101 execve("/bin/true", ["true"], 0x7ffc /* 3 vars */ {cut}',
        "100 <... futex resumed>) = ?",
        *(["100 +++ superseded by execve in pid 101 +++"] if told else []),
        "100 <... execve resumed>) = 0",
        'openat(AT_FDCWD</d>, "b", O_RDWR) = 3</d/b>',
    )
    assert [(call.call, call.path, call.tid) for call in found] == [
        ("openat", "a", 100), ("execve", "a", 100), ("openat", "b", 100), ("exit_group", "b", 100)
    ]  # fmt: skip


def test_a_restarted_call_is_one_call() -> None:
    again = 'write(3</d/a>, "x", 1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)'
    assert [call.call for call in calls(OPEN, again, 'write(3</d/a>, "x", 1) = 1', CLOSE)] == [
        "openat", "write", "close"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("io_uring_setup(8, {flags=0}) = 5<anon_inode:[io_uring]>", "an io_uring was set up"),
        ("io_submit(0x7f, 1, [{aio_fildes=3</d/a>}]) = 1", "io_submit was called"),
        ("syscall_0x1a9(0x8, 0x7f, 0, 0, 0, 0) = 0x5", "this strace can't name"),
        ('chroot("/d") = 0', "chroot was called"),
        ("clone(flags=SIGCHLD) = 101", "process 101 was started and is not in the text"),
        ("strace: Process 100 detached", "strace left process 100 alone"),
        ("pwrite64(3</d/a>, garbage", "a line can't be read, the first is 9"),
        ("half a line fdatasync(3</d/a>) = 0", "a line can't be read"),
        ("<... fdatasync resumed>) = 0", "a line can't be read"),
        ("hello", "a line can't be read"),
        ("splice(8<pipe:[1]>, NULL, 3hello", "a line can't be read"),
        ('pwrite64(3</d/a>, "x", 1, 0) = ?', "killed within pwrite64"),
        ("mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, 3</d/a>, 0) = 0x7f0000000000", "was mapped"),
        ('pwrite64(7</d/b>, "x", 1, 0) = 1', "opened before the text begins: descriptor 7"),
        ("ioctl(3</d/a>, FICLONE, 4</d/b>) = 0", "FICLONE changed a"),
        ('openat(AT_FDCWD</d>, "b", 0x42, 0644) = 4</d/b>', "a line can't be read"),
    ],
)
def test_what_hides_something_leaves_the_verdict_open(line: str, reason: str) -> None:
    assert reason in why(text(OPEN, line, *GOOD[1:]))


def test_nothing_after_a_gap_is_held_against_a_program() -> None:
    """The sync may be the line that can't be read."""
    torn = "fdatasync(3</d/aprinted by the program"
    assert judged(text(OPEN, PAGE, torn, PAGE, CLOSE)).verdict is Verdict.UNKNOWN
    assert judged(text(OPEN, PAGE, PAGE, CLOSE)).verdict is Verdict.BROKEN


def test_what_another_file_is_told_of_in_a_torn_line_hides_nothing_before_it() -> None:
    torn = 'write(2</dev/pts/0<char 136:0>>, "hello\\n", 6hello'
    result = judged(text(OPEN, PAGE, torn, ") = 6", PAGE, CLOSE))
    assert result.verdict is Verdict.BROKEN
    assert why(text(OPEN, PAGE, torn, ") = 6", SYNC, CLOSE)).startswith("2 lines can't be read")


@pytest.mark.parametrize("left_out", ["brk mmap", "set_tid_address", "access exit_group"])
def test_a_text_that_leaves_out_what_every_program_calls_is_filtered(left_out: str) -> None:
    """The last is what strace -z shows: no call that failed, or didn't return."""
    lines = [
        line for line in text(*GOOD) if not any(f" {name}(" in line for name in left_out.split())
    ]
    assert "some system calls only" in why(lines)


def test_a_process_without_an_end() -> None:
    assert "before the end of 100" in why(
        (HEAD + "100 " + "\n100 ".join(GOOD) + "\n").splitlines(keepends=True)
    )


def test_a_thread_killed_within_a_write() -> None:
    lines = text(
        OPEN,
        'pwrite64(3</d/a>, "x", 1, 0 <unfinished ...>',
        tail="100 +++ killed by SIGKILL +++\n",
    )
    assert "killed within pwrite64" in (judged(lines).trace.incomplete_because or "")


def test_standard_output_is_told_but_not_judged() -> None:
    judge = trace(text('write(1</d/out>, "x", 1) = 1', *GOOD))
    result = check(judge, ["page-write"])
    assert result.verdict is Verdict.KEPT
    assert judge.remarks()[-1] == (
        "not judged: standard output, which is out, opened before the text begins"
    )


def test_files_elsewhere_are_counted_and_not_judged() -> None:
    other = 'openat(AT_FDCWD</d>, "/e/b", O_WRONLY|O_CREAT, 0644) = 4</e/b>'
    judge = trace(text(other, 'write(4</e/b>, "x", 1) = 1', "close(4</e/b>) = 0", *GOOD))
    assert check(judge, ["page-write"]).verdict is Verdict.KEPT
    assert judge.remarks()[-1] == (
        "not judged: 1 file written elsewhere, as /e/b (--dir DIR chooses)"
    )


lines_of = st.lists(st.sampled_from((HEAD + BODY + TAIL).splitlines()))


def mangled(line: str, places: list[int], junk: str) -> str:
    for place in places:
        at = place % (len(line) + 1)
        line = line[:at] + junk + line[at + place % 3 :]
    return line


@given(lines_of, st.lists(st.integers(0, 200), max_size=3), st.text(max_size=3))
def test_no_text_is_too_odd(lines: list[str], places: list[int], junk: str) -> None:
    odd = [mangled(line, places, junk) + "\n" for line in lines]
    judged(odd)
    judged(text(*lines))


@given(st.lists(st.text()))
def test_no_text_at_all_is_too_odd(lines: list[str]) -> None:
    judged(lines)


@given(st.sets(st.integers(0, 60), max_size=8))
def test_lines_left_out_are_no_reason_to_fail(gone: set[int]) -> None:
    body = [line for number, line in enumerate(BODY.splitlines()) if number not in gone]
    judged(text(*body))
