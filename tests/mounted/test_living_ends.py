"""However a living mount's owner or server ends, no program hangs and no file is harmed."""

import contextlib
import mmap
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_support import await_end, ending, is_mounted
from mounted_support import PATIENCE_S, TRACEFS, Guard, act, calls

from tracefs.capture import living
from tracefs.capture.living import LivingMount
from tracefs.errors import MountError
from tracefs.journal.reader import JournalReader


@pytest.fixture
def base(tmp_path: Path, guard: Guard) -> Path:
    """Where recordings go; its directory "src" is to be traced."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "old").write_text("old")
    guard.watch(tmp_path / "src")
    return tmp_path


def begin(base: Path, recording: str = "r0") -> LivingMount:
    return LivingMount.start(base / "src", base / "src", base / recording)


def complaint(call: Callable[[], object]) -> str:
    try:
        call()
    except MountError as error:
        return str(error)
    raise AssertionError("it was done")


def await_unmounted(directory: Path) -> None:
    """Return once no tracefs covers *directory* any more."""
    with open("/proc/self/mountinfo", "rb") as mounts:
        changes = select.poll()
        # The kernel reports a change of the mounts as an error (proc_pid_mounts(5)).
        changes.register(mounts, select.POLLERR | select.POLLPRI)
        while is_mounted(directory):
            assert changes.poll(PATIENCE_S * 1000), "it stays mounted"


class Owner:
    """A program that begins to trace src, does more, and is to be ended by the test."""

    def __init__(self, base: Path, *lines: str) -> None:
        program = "\n".join(
            [
                "import os, sys, signal",
                "from pathlib import Path",
                "from tracefs.capture.living import LivingMount",
                f"base = Path({str(base)!r}); src = base / 'src'",
                "mount = LivingMount.start(src, src, base / 'r0')",
                "(src / 'a').write_text('a')",
                *lines,
                "print('ready', flush=True)",
                "sys.stdin.read()",
            ]
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        said = self.process.stdout.readline() if ready else ""
        assert said == "ready\n", self.kill()

    def kill(self) -> str:
        self.process.kill()
        assert self.process.stdout is not None
        return "" if self.process.stdout.closed else self.process.communicate(timeout=PATIENCE_S)[1]

    def end(self) -> None:
        _, said = self.process.communicate(timeout=PATIENCE_S)
        assert (self.process.returncode, said) == (0, "")


@pytest.fixture
def own(base: Path) -> Iterator[Callable[..., Owner]]:
    """Start an `Owner` that does some lines more."""
    owners: list[Owner] = []

    def start(*lines: str) -> Owner:
        owners.append(Owner(base, *lines))
        return owners[-1]

    yield start
    for owner in owners:
        owner.kill()


def test_with_its_killed_owner_a_mount_ends(base: Path, own: Callable[..., Owner]) -> None:
    owner = own()
    assert is_mounted(base / "src")
    owner.kill()
    await_unmounted(base / "src")
    assert (base / "src" / "a").read_text() == "a"
    assert [call.path for call in calls(base / "r0", "open")] == ["a"]
    with JournalReader(base / "r0", follow=True) as reader:
        list(reader.events())
        assert reader.ending.complete, reader.ending.reason


def test_a_child_that_was_forked_off_does_not_keep_it(
    base: Path, own: Callable[..., Owner]
) -> None:
    owner = own(
        "child = os.fork()",
        "if not child:",
        "    os.closerange(0, 3)",
        "    signal.pause()",
        "(base / 'child').write_text(str(child))",
    )
    child = int((base / "child").read_text())
    try:
        owner.kill()
        await_unmounted(base / "src")
    finally:
        os.kill(child, signal.SIGKILL)


def _end_in_a_child(base: Path) -> tuple[int, bool, str]:
    with begin(base) as mount:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            os.write(writer, complaint(lambda: mount.mark("child")).encode())
            (base / "src" / "child").write_text("child")
            mount.close()
            os._exit(is_mounted(base / "src"))
        os.close(writer)
        _, status = os.waitpid(child, 0)
        with open(reader) as said:
            told = said.read()
        mount.mark("parent")
        return os.waitstatus_to_exitcode(status), is_mounted(base / "src"), told


def test_a_child_can_neither_end_it_nor_ask(base: Path) -> None:
    mounted_in_child, mounted, told = act(base, _end_in_a_child, base)
    assert mounted_in_child
    assert mounted
    assert "which alone may ask" in told
    assert "child" in [call.path for call in calls(base / "r0", "open")]
    assert ending(base / "r0").complete


@pytest.mark.parametrize("how", ["", "raise SystemExit", "1 / 0"])
def test_at_the_interpreter_s_end_it_is_closed(base: Path, how: str) -> None:
    program = (
        "import sys; from pathlib import Path; from tracefs.capture.living import LivingMount\n"
        "src, to = map(Path, sys.argv[1:]); mount = LivingMount.start(src, src, to)\n"
        f"(src / 'a').write_text('a')\n{how}"
    )
    command = [sys.executable, "-X", "dev", "-c", program, str(base / "src"), str(base / "r0")]
    done = subprocess.run(command, timeout=PATIENCE_S, check=False, capture_output=True, text=True)
    assert "Warning" not in done.stderr
    assert not is_mounted(base / "src")
    end = ending(base / "r0")
    assert end.footer is not None
    assert end.footer.reason == "unmounted"


def test_a_forked_child_that_exits_does_not_close_it(base: Path, own: Callable[..., Owner]) -> None:
    owner = own(
        "if not os.fork():",
        "    sys.exit()",  # with what atexit has
        "os.wait()",
        "mount.mark('still there')",
    )
    assert is_mounted(base / "src")
    owner.end()
    assert not is_mounted(base / "src")
    assert ending(base / "r0").complete


def _lose_the_server(base: Path) -> list[str]:
    mount = begin(base)
    os.chdir(base / "src")
    Path("a").write_text("written")
    os.kill(mount.server, signal.SIGKILL)
    asks = mount.settle, lambda: mount.mark("x"), lambda: mount.begin(base / "r1"), mount.close
    said = [complaint(ask) for ask in asks]
    assert os.getcwd() == str(base / "src")
    Path("b").write_text("past")
    assert mount.close() is None
    return said


def test_without_its_server_all_that_is_asked_is_refused(base: Path) -> None:
    said = act(base, _lose_the_server, base)
    why = "is traced no longer: the server ended unexpectedly (signal 9)"
    assert all(one.endswith(why) for one in said), said
    assert not is_mounted(base / "src")
    assert (base / "src" / "a").read_text() == "written"
    assert (base / "src" / "b").read_text() == "past"
    assert not ending(base / "r0").complete
    assert [call.path for call in calls(base / "r0", "write")] == ["a"]


def _lose_server_and_mount(base: Path) -> str:
    (base / "src" / "sub").mkdir()
    mount = begin(base)
    os.chdir(base / "src" / "sub")
    os.kill(mount.server, signal.SIGKILL)
    # As the helper does that mounted without root, sooner or later.
    subprocess.run(["umount", "--lazy", base / "src"], cwd="/", check=False)
    said = complaint(mount.close)
    assert os.getcwd() == str(base / "src" / "sub")
    return said


@pytest.mark.usefixtures("as_root")
def test_who_was_inside_a_mount_that_is_gone_is_inside_the_directory_then(base: Path) -> None:
    assert "is traced no longer" in act(base, _lose_server_and_mount, base)


def test_a_long_recording_is_given_the_time_it_takes(tmp_path: Path) -> None:
    assert living.patience_s(tmp_path) == living._PATIENCE_S
    with open(tmp_path / "payload.bin", "wb") as payload:
        payload.truncate(10 << 30)
    assert living.patience_s(tmp_path) > 500


def _stop_the_server(base: Path) -> tuple[str, str, list[str]]:
    living._PATIENCE_S = 1.0  # type: ignore[misc]
    mount = begin(base)
    (base / "src" / "a").write_text("written")
    os.kill(mount.server, signal.SIGSTOP)
    held = threading.Thread(target=lambda: complaint_of_os(base / "src" / "held"))
    held.start()
    said = complaint(mount.settle), complaint(mount.close)
    held.join()
    return *said, os.listdir(base / "src")


def complaint_of_os(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.write_text("x")


def test_a_server_that_does_not_answer_is_ended(base: Path) -> None:
    asked, closed, names = act(base, _stop_the_server, base)
    assert asked.endswith("its server does not answer")
    assert closed.endswith("it was ended")
    assert not is_mounted(base / "src")
    assert sorted(names) == ["a", "old"]
    assert not ending(base / "r0").complete


def _close_with_files_open(base: Path) -> tuple[bool, str, str]:
    mount = begin(base)
    path = base / "src" / "a"
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, b"before", 0)
    mapped = os.open(base / "src" / "m", os.O_RDWR | os.O_CREAT)
    os.ftruncate(mapped, 4096)
    memory = mmap.mmap(mapped, 4096)
    os.close(mapped)
    server = os.pidfd_open(mount.server)
    done = mount.close()
    assert done is not None
    assert not is_mounted(base / "src")
    os.pwrite(fd, b"after", 6)
    os.fsync(fd)
    memory[:3] = b"map"
    memory.flush()
    again = complaint(lambda: begin(base, "r1"))
    os.close(fd)
    memory.close()
    await_end(server)
    with begin(base, "r2"):
        (base / "src" / "b").write_text("b")
    return done.lingers, again, path.read_text()


def test_what_is_open_at_the_end_goes_on_unrecorded(base: Path) -> None:
    lingers, again, contents = act(base, _close_with_files_open, base)
    assert lingers
    assert again.endswith("is being traced already")
    assert contents == "beforeafter"
    assert (base / "src" / "m").read_bytes()[:3] == b"map"
    assert ending(base / "r0").complete
    assert [call.offset for call in calls(base / "r0", "write")] == [0]
    assert ending(base / "r2").complete


HOLD = "echo ready; read _"
"""A shell that goes on until its standard input ends."""


def _hold(*command: str, cwd: Path) -> "subprocess.Popen[str]":
    holder = subprocess.Popen(
        command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "ready\n"
    return holder


def _close_while_held(base: Path, *command: str) -> list[str]:
    mount = begin(base)
    (base / "src" / "a").write_text("a")
    inside = base / "src" if command[0] == "sh" else base
    with _hold(*command, cwd=inside) as holder:
        done = mount.close()
        assert done is not None
        assert done.lingers
        try:
            begin(base, "r1").close()
        except MountError as error:
            return [str(error)]
        finally:
            holder.communicate("")
    return []


@pytest.mark.usefixtures("as_root")
def test_a_copy_in_another_namespace_does_not_keep_the_directory(base: Path) -> None:
    command = ("unshare", "--mount", "--propagation", "private", "sh", "-c", HOLD)
    assert act(base, _close_while_held, base, *command) == []
    assert ending(base / "r0").complete
    assert ending(base / "r1").complete


def test_who_is_inside_keeps_the_directory(base: Path) -> None:
    """What it does there would else go past the next recording."""
    (said,) = act(base, _close_while_held, base, "sh", "-c", HOLD)
    assert said.endswith("is being traced already")


def _take_away(base: Path) -> list[str]:
    mount = begin(base)
    (base / "src" / "a").write_text("a")
    subprocess.run([*TRACEFS, "umount", str(base / "src")], check=True, timeout=PATIENCE_S)
    (base / "src" / "b").write_text("past")
    return [complaint(mount.settle), complaint(mount.close)]


def test_one_that_was_taken_away_says_so(base: Path) -> None:
    for said in act(base, _take_away, base):
        assert "is traced no longer: the " in said
    assert [call.path for call in calls(base / "r0", "open")] == ["a"]
    assert ending(base / "r0").complete


def _close_twice(base: Path) -> tuple[bool, str]:
    mount = begin(base)
    first = mount.close()
    return mount.close() == first, complaint(mount.settle)


def test_once_closed_it_stays_so(base: Path) -> None:
    same, said = act(base, _close_twice, base)
    assert same
    assert said.endswith("is traced no longer")


def _start_in_vain(base: Path) -> list[str]:
    (base / "full").mkdir()
    (base / "full" / "x").touch()
    nowhere = base / "nowhere"
    with begin(base):
        said = [
            complaint(lambda: begin(base, "r1")),
            complaint(lambda: LivingMount.start(nowhere, nowhere, base / "r1")),
            complaint(lambda: LivingMount.start(Path("/"), Path("/"), base / "r1")),
        ]
    said.append(complaint(lambda: begin(base, "full")))
    with begin(base, "r2"):
        pass
    return said


def test_a_mount_that_cannot_begin_leaves_nothing(base: Path) -> None:
    twice, nowhere, root, full = act(base, _start_in_vain, base)
    assert "a tracefs is mounted there already" in twice
    assert nowhere.endswith("no such directory")
    assert root == "the root directory cannot be traced in place"
    assert full.endswith("it exists and is not empty")
    assert not is_mounted(base / "src")
    assert not (base / "r1").exists()
    assert ending(base / "r2").complete


def _many_threads_ask(base: Path) -> int:
    with begin(base) as mount:

        def ask(name: int) -> None:
            for number in range(20):
                mount.mark(f"{name} {number}")
                mount.settle()

        threads = [threading.Thread(target=ask, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return mount.settle().opens


def test_threads_may_ask_at_once(base: Path) -> None:
    assert act(base, _many_threads_ask, base) == 0
    assert ending(base / "r0").events == 160
