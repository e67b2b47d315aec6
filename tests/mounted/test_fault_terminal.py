"""Signals that come from a terminal, or from its end."""

import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

from fault_support import Puppet, await_end, ending, is_mounted, require_incomplete, tracefs
from mounted_support import PATIENCE_S, TRACEFS, Guard, Mount

# Goes on after Ctrl-C and after its terminal is gone, and says so in a pipe.
STUBBORN = """
import os, signal, sys
said = os.open(sys.argv[1], os.O_WRONLY)
counts = dict.fromkeys((signal.SIGINT, signal.SIGHUP), 0)
def count(number, _):
    counts[number] += 1
    os.write(said, b"%d" % number)
for number in counts:
    signal.signal(number, count)
fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o644)
os.write(said, b"ready")
while counts[int(sys.argv[2])] < int(sys.argv[3]):
    signal.pause()
os.pwrite(fd, b"x" * 4096, 0)
os.fdatasync(fd)
os.close(fd)
os.write(said, b"end")
sys.exit(7)
"""


class OnTerminal:
    """``tracefs run`` of the stubborn program, in the foreground of a terminal of its own."""

    def __init__(self, tmp_path: Path, guard: Guard, number: int, times: int) -> None:
        self.source, self.recording = tmp_path / "src", tmp_path / "rec"
        self.source.mkdir()
        guard.watch(self.source)
        said = tmp_path / "said"
        os.mkfifo(said)
        self._said = os.open(said, os.O_RDONLY | os.O_NONBLOCK)
        words = [sys.executable, "-S", "-c", STUBBORN, str(said), str(number), str(times)]
        command = [*TRACEFS, "run", "-o", str(self.recording), "--", *words]
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(self.source)
            os.execv(command[0], command)
        self.hear(b"ready")

    def hear(self, words: bytes) -> None:
        """Wait until the program has said this."""
        heard = b""
        while len(heard) < len(words):
            ready, _, _ = select.select([self._said], [], [], PATIENCE_S)
            assert ready, f"heard {heard!r} and no more"
            heard += os.read(self._said, len(words) - len(heard))
        assert heard == words

    def end(self) -> int:
        """Wait for the front end; return its exit status."""
        await_end(os.pidfd_open(self.pid))
        os.close(self._said)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_ctrl_c_is_the_commands_own_affair(tmp_path: Path, guard: Guard) -> None:
    run = OnTerminal(tmp_path, guard, signal.SIGINT, 2)
    for _ in range(2):
        os.write(run.terminal, b"\x03")
        run.hear(b"%d" % signal.SIGINT)
    run.hear(b"end")
    assert run.end() == 7
    os.close(run.terminal)
    assert ending(run.recording).complete
    assert tracefs("check", run.recording).returncode == 0


def test_a_terminal_that_goes_away(tmp_path: Path, guard: Guard) -> None:
    run = OnTerminal(tmp_path, guard, signal.SIGHUP, 1)
    os.close(run.terminal)
    run.hear(b"%d" % signal.SIGHUP)
    assert run.end() == 7
    assert ending(run.recording).complete
    assert (run.source / "f").stat().st_size == 4096
    assert not is_mounted(run.source)


def test_nobody_reads_standard_error_any_more(tmp_path: Path, guard: Guard) -> None:
    """What fails then is said to nobody; the program must not hear of it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "rec").mkdir()
    guard.watch(tmp_path / "src")
    reading, writing = os.pipe()
    os.close(reading)
    loop = "i=0; while [ $i -lt 600 ]; do echo $i >> f || exit 9; i=$((i+1)); done"
    script = f"rm -r {tmp_path}/rec; {loop}"
    done = subprocess.run(
        [*TRACEFS, "run", "-o", tmp_path / "rec", "--", "sh", "-c", script],
        cwd=tmp_path / "src", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=writing, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    os.close(writing)

    assert done.returncode == 125
    assert (tmp_path / "src" / "f").read_text() == "".join(f"{n}\n" for n in range(600))


def test_a_mount_that_is_busy_at_the_first_ctrl_c(tmp_path: Path, guard: Guard) -> None:
    for name in ("src", "mnt"):
        (tmp_path / name).mkdir()
    mount = Mount(tmp_path / "src", tmp_path / "mnt", tmp_path / "rec", guard)
    program = Puppet(mount.mountpoint, guard)
    mount.process.send_signal(signal.SIGINT)
    assert mount.process.stderr is not None
    assert mount.process.stderr.readline() == "Ctrl-C ends it.\n"
    assert "Ctrl-C again once it is free" in mount.process.stderr.readline()
    assert program.do("open('f', 'w').close()") == "ok"
    program.end()
    mount.process.send_signal(signal.SIGINT)
    mount.process.communicate(timeout=PATIENCE_S)
    assert mount.process.returncode == 0
    assert not is_mounted(mount.mountpoint)
    assert ending(mount.recording).complete


def test_ctrl_c_ends_a_trace_whose_command_left_something_running(
    tmp_path: Path, guard: Guard
) -> None:
    """What stays has a file open: how it goes on with that is not seen."""
    (tmp_path / "src").mkdir()
    guard.watch(tmp_path / "src")
    left = tmp_path / "left"
    os.mkfifo(left)
    script = f"exec 3> f; echo x >&3; (read line < {left}; exit) >/dev/null 2>&1 &"
    run = subprocess.Popen(
        [*TRACEFS, "run", "-o", tmp_path / "rec", "--", "bash", "-c", script],
        cwd=tmp_path / "src", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert run.stderr is not None
    assert "the command left processes running" in run.stderr.readline()
    run.send_signal(signal.SIGINT)
    assert run.wait(PATIENCE_S) == 125
    left.write_text("go\n")
    said, _ = run.stderr.read(), run.communicate()
    assert "the recording is incomplete: the mount ended while files were open: f" in said
    require_incomplete(tmp_path / "rec")
