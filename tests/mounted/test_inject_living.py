"""Rules that are changed on a mount while it is served: a change holds when it is answered."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from errno import EIO, ENOSPC
from pathlib import Path
from time import monotonic_ns

import pytest
from fault_support import Puppet, TracedPuppet, await_end, is_mounted, tracefs
from mounted_support import NOBODY, PATIENCE_S, TRACEFS, Guard, Mount, act, journal

from tracefs.capture.messages import Change
from tracefs.capture.reach import Reached
from tracefs.errors import MountError
from tracefs.events import AnyEvent, Faults, Fsync, Write
from tracefs.faults.spelling import parse
from tracefs.journal.reader import JournalReader

OPEN = "fd = os.open('f', os.O_RDWR | os.O_CREAT, 0o644)"
WRITE = "os.pwrite(fd, b'x' * 100, 0)"
SYNC = "os.fsync(fd)"
FAIL = parse("write=EIO")
CHANGES = 40


@pytest.fixture
def program(mounted: Mount, guard: Guard) -> Iterator[Puppet]:
    """A program in the mount, with a file open."""
    made = Puppet(mounted.mountpoint, guard)
    assert made.do(OPEN) == "ok"
    yield made
    assert made.end() == (0, [])


def events(recording: Path) -> list[AnyEvent]:
    with JournalReader(recording) as reader:
        return list(reader.events())


def complaint(directory: Path) -> str:
    try:
        with Reached(str(directory)) as reached:
            reached.rules()
    except MountError as error:
        return str(error)
    raise AssertionError("it was answered")


def test_each_change_holds_when_it_is_answered(mounted: Mount, program: Puppet) -> None:
    with Reached(str(mounted.mountpoint)) as reached:
        for _ in range(CHANGES):
            assert program.do(WRITE) == "ok"
            reached.inject((FAIL,))
            assert program.do(WRITE) == EIO
            (ended,) = reached.inject(()).ended
            assert (ended.met, ended.struck) == (1, 1)
    program.do("os.close(fd)")
    lines = [event for event in events(mounted.recording) if isinstance(event, Faults | Write)]
    assert [line.rules if isinstance(line, Faults) else line.errno for line in lines] == [
        0,
        (FAIL.text,),
        EIO,
        (),
    ] * CHANGES
    assert [line.injected[0].rule for line in lines if line.injected] == [FAIL.text] * CHANGES


def _write_while_rules_change(mountpoint: str) -> list[list[tuple[int, int, bool]]]:
    """Return of each write, by thread, when it began and ended, and whether it failed."""
    stop = threading.Event()
    found: list[list[tuple[int, int, bool]]] = []

    def work(name: str) -> None:
        mine = []
        fd = os.open(name, os.O_RDWR | os.O_CREAT)
        while not stop.is_set():
            failed = False
            start = monotonic_ns()
            try:
                os.pwrite(fd, b"x" * 16, 0)
            except OSError:
                failed = True
            mine.append((start, monotonic_ns(), failed))
        os.close(fd)
        found.append(mine)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    periods = []
    with Reached(mountpoint) as reached:
        for number in range(CHANGES):
            before = monotonic_ns()
            reached.inject(() if number % 2 else (FAIL,))
            periods.append((before, monotonic_ns()))
    stop.set()
    for thread in threads:
        thread.join()
    return [*found, [(before, after, False) for before, after in periods]]


def test_while_four_threads_write_none_is_struck_too_early_or_spared_too_late(
    mounted: Mount,
) -> None:
    *threads, changes = act(mounted.mountpoint, _write_while_rules_change, str(mounted.mountpoint))
    for number, (_, held, _) in enumerate(changes[:-1]):
        until = changes[number + 1][0]
        within = [
            failed for writes in threads for start, end, failed in writes
            if held < start and end < until
        ]  # fmt: skip
        assert all(within) if number % 2 == 0 else not any(within)
    holds = False
    for event in events(mounted.recording):
        if isinstance(event, Faults):
            holds = bool(event.rules)
        elif isinstance(event, Write):
            assert (event.errno == EIO) is holds is bool(event.injected)


def test_many_may_ask_at_once(mounted: Mount, program: Puppet) -> None:
    rules = [f"fsync:error=EIO:when={number + 1}" for number in range(8)]
    asking = [
        subprocess.Popen(
            [*TRACEFS, "inject", mounted.mountpoint, "--add", rule], stdout=subprocess.PIPE
        )
        for rule in rules
    ]
    for process, rule in zip(asking, rules, strict=True):
        told, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        assert rule in told.decode()
    with Reached(str(mounted.mountpoint)) as reached:
        assert sorted(one.rule for one in reached.rules().rules) == sorted(rules)
    assert [program.do(SYNC) for _ in range(9)] == [EIO] * 8 + ["ok"]


def test_rules_come_from_files_too(mounted: Mount, program: Puppet, tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\ncalls = "fsync"\nerror = "EIO"\n')
    where = mounted.mountpoint
    assert tracefs("inject", where, "write=ENOSPC", "--inject-file", file).returncode == 0
    assert [program.do(WRITE), program.do(SYNC)] == [ENOSPC, EIO]
    told = tracefs("inject", where, "lseek=EIO", "--inject-file", file)
    assert told.returncode == 0
    assert "lseek" in told.stderr, "no filesystem hears of it"
    assert tracefs("inject", where, "fsync=EIO", "--inject-file", file).returncode == 2


def test_the_command_says_what_holds(mounted: Mount, program: Puppet) -> None:
    where = str(mounted.mountpoint)
    told = tracefs("inject", where, "fsync=EIO:when=2", "write(*.db)=ENOSPC")
    assert told.stdout.splitlines() == [
        f"{where}: from now on these rules hold",
        "  fsync:error=EIO:when=2    met no call",
        "  write(*.db):error=ENOSPC  met no call",
    ]
    assert [program.do(WRITE), program.do(SYNC), program.do(SYNC)] == ["ok", "ok", EIO]
    told = tracefs("inject", where, "--list")
    assert told.stdout.splitlines() == [
        f"{where}: these rules hold",
        "  fsync:error=EIO:when=2    struck 1 of 2 calls",
        "  write(*.db):error=ENOSPC  met no call",
    ]
    told = tracefs("inject", where, "write=ENOSPC", "--add")
    assert len(told.stdout.splitlines()) == 4
    assert program.do(WRITE) == ENOSPC
    told = tracefs("inject", where, "--clear", "--release")
    assert told.stdout.splitlines() == [
        f"{where}: from now on no rule holds",
        "  no longer fsync:error=EIO:when=2, which struck 1 of 2 calls",
        "  no longer write(*.db):error=ENOSPC, which met no call",
        "  no longer write:error=ENOSPC, which struck 1 of 1 call",
        f"{where}: 0 calls let go",
    ]
    assert program.do(WRITE, SYNC) == "ok"


@pytest.mark.parametrize(
    "words", [["--release"], ["--clear"], ["fsync:stuck"]], ids=["release", "clear", "again"]
)
def test_what_is_stuck_goes_on(mounted: Mount, guard: Guard, words: list[str]) -> None:
    waiting, other = Puppet(mounted.mountpoint, guard), Puppet(mounted.mountpoint, guard)
    where = str(mounted.mountpoint)
    assert tracefs("inject", where, "fsync:stuck").returncode == 0
    assert waiting.do(OPEN, WRITE) == "ok"
    waiting.tell(SYNC)
    with Reached(where) as reached:
        while not reached.rules().rules[0].struck:
            pass
    # Nobody else is held up, and whoever asks doesn't look at the mount.
    assert other.do(OPEN.replace("'f'", "'g'"), WRITE) == "ok"
    told = tracefs("inject", where, *words)
    assert told.returncode == 0
    if words == ["--release"]:
        assert told.stdout == f"{where}: 1 call let go\n"
        assert "struck 1 of 1 call" in tracefs("inject", where, "--list").stdout
    assert waiting.hear() == "ok"
    assert (waiting.end()[0], other.end()[0]) == (0, 0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "there is no rule"),
        (["--add"], "there is no rule to add"),
        (["--clear", "--add"], "--clear leaves no rule, and so goes with none"),
        (["--list", "--clear"], "--list changes nothing: a change prints the rules that hold then"),
        (["fsnc=EIO"], "did you mean fsync?"),
    ],
)
def test_what_makes_no_sense_is_said_before_anybody_is_asked(
    tmp_path: Path, words: list[str], said: str
) -> None:
    done = tracefs("inject", tmp_path / "absent", *words)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "repair"),
    [
        (["fsync=EIO"], "tracefs inject MNT fsync=EIO"),
        (["fsync=EIO", "mnt"], "tracefs inject mnt fsync=EIO"),
        (["write(*.db)=EIO", "fsync=EIO"], "tracefs inject MNT 'write(*.db)=EIO'"),
    ],
)
def test_a_rule_in_the_place_of_the_mount_is_noticed(words: list[str], repair: str) -> None:
    done = tracefs("inject", *words)
    assert done.returncode == 2
    said, mended = done.stderr.splitlines()
    assert "expected where the mount is before all rules" in said
    assert mended == f"  repair: {repair}"


@pytest.mark.parametrize("options", [(), ("--visible",)], ids=["private", "visible"])
def test_a_run_is_reached_from_outside(
    tmp_path: Path, guard: Guard, options: tuple[str, ...]
) -> None:
    program = TracedPuppet(tmp_path / "src", tmp_path / "rec", guard, *options)
    assert program.do(OPEN, WRITE, SYNC) == "ok"
    with Reached(str(tmp_path / "src")) as reached:
        reached.inject((parse("fsync=EIO"),))
        assert program.do(SYNC) == EIO
        reached.inject((FAIL,), Change.ADD)
        assert program.do(WRITE) == EIO
        reached.inject(())
    assert program.do(SYNC) == "ok"
    assert program.end()[0] == 0
    assert [sync.errno for sync in journal(tmp_path / "rec", Fsync)] == [0, EIO, 0]
    assert complaint(tmp_path / "src").endswith("no tracefs is mounted there, and no run traces it")


def test_a_run_is_reached_from_inside(traced_run: Callable[..., object], tmp_path: Path) -> None:
    inject = " ".join([*TRACEFS, "inject", "."])
    program = (
        f"dd if=/dev/zero of=a count=1 conv=fsync && {inject} fsync=EIO && exec {inject} --list"
    )
    done = traced_run(["sh", "-c", program])
    assert done.returncode == 0  # type: ignore[attr-defined]
    assert done.stdout.splitlines()[-1] == "  fsync:error=EIO  met no call"  # type: ignore[attr-defined]
    assert [line.rules for line in journal(tmp_path / "rec", Faults)] == [("fsync:error=EIO",)]


def test_a_mount_without_a_front_end_is_reached(tmp_path: Path, guard: Guard) -> None:
    source, mountpoint = tmp_path / "src", tmp_path / "mnt"
    source.mkdir()
    mountpoint.mkdir()
    guard.watch(mountpoint)
    made = tracefs("mount", "--background", "-o", tmp_path / "rec", source, mountpoint)
    assert made.returncode == 0
    program = Puppet(mountpoint, guard)
    assert program.do(OPEN) == "ok"
    (tmp_path / "link").symlink_to(tmp_path)
    with Reached(str(tmp_path / "link" / "mnt")) as reached:
        reached.inject((FAIL,))
    assert program.do(WRITE) == EIO
    assert program.end()[0] == 0
    assert tracefs("umount", mountpoint).returncode == 0
    assert complaint(mountpoint).endswith("no tracefs is mounted there, and no run traces it")


def _complaint_there(directory: str) -> str:
    return complaint(Path(directory))


@pytest.mark.usefixtures("as_root")
def test_a_stranger_may_not_ask(mounted: Mount) -> None:
    where = str(mounted.mountpoint)
    assert act(Path("/"), _complaint_there, where, user=NOBODY) == (
        f"{where}: it is user 0's mount, and only they and root may change its faults"
    )


@pytest.mark.parametrize("how", ["kill", "terminate"])
def test_of_a_mount_whose_server_is_gone_one_line_says_so(
    tmp_path: Path, guard: Guard, how: str
) -> None:
    program = TracedPuppet(tmp_path / "src", tmp_path / "rec", guard)
    assert program.do(OPEN) == "ok"
    pidfd = os.pidfd_open(program.server)
    os.kill(program.server, signal.SIGKILL if how == "kill" else signal.SIGTERM)
    await_end(pidfd)
    inject = [*TRACEFS, "inject", str(tmp_path / "src"), "--list"]
    program.tell(
        "import subprocess; "
        f"done = subprocess.run({inject!r}, cwd='/', capture_output=True, text=True); "
        f"open({str(tmp_path / 'said')!r}, 'w').write(done.stderr); os._exit(0)"
    )
    program.process.communicate(timeout=PATIENCE_S)
    first, repair = (tmp_path / "said").read_text().splitlines()
    assert first.startswith(f"tracefs: {tmp_path / 'src'}: its server has ended, ")
    assert repair.startswith("  repair: ")


def test_a_question_as_the_mount_ends_is_answered_or_refused(tmp_path: Path, guard: Guard) -> None:
    """However the end and a question meet, nobody waits, and no server is left."""
    source, mountpoint = tmp_path / "src", tmp_path / "mnt"
    source.mkdir()
    mountpoint.mkdir()
    mount = Mount(source, mountpoint, tmp_path / "rec", guard)
    stop = threading.Event()
    said: list[str] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                with Reached(str(mountpoint)) as reached:
                    reached.rules()
            except MountError as error:
                said.append(str(error).removeprefix(f"{mountpoint}: ").partition(",")[0])

    asking = threading.Thread(target=ask)
    asking.start()
    mount.end()
    stop.set()
    asking.join()
    assert not is_mounted(mountpoint)
    assert set(said) <= {
        "the mount has just ended",
        "its server has ended",
        "no tracefs is mounted there",
    }
