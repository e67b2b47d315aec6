"""Calls that a rule holds: others go on, a killed program dies, and the mount can end."""

import errno
import os
import platform
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from fault_support import Puppet, TracedPuppet
from injecting import Injected
from mounted_support import PATIENCE_S, Guard, HungError, Mount, calls, journal

from tracefs import events
from tracefs.syscalls import numbers

OPEN = "fd = os.open({!r}, os.O_RDWR | os.O_CREAT, 0o644)"
PAGE = "os.pwrite(fd, b'x' * 4096, 0)"
SYNC = "os.fsync(fd)"


def stuck(mount: Mount, guard: Guard) -> Puppet:
    """A program that waits in a sync."""
    puppet = Puppet(mount.mountpoint, guard)
    assert puppet.do(OPEN.format("f"), PAGE) == "ok"
    puppet.tell(SYNC)
    await_sync(puppet.process.pid)
    # Once another's sync is answered, this one has been read: the server takes them in order.
    other = Puppet(mount.mountpoint, guard)
    assert other.do(OPEN.format("other"), PAGE, SYNC) == "ok"
    assert other.end() == (0, [])
    return puppet


def await_sync(pid: int) -> None:
    """Return once a thread of the process waits in fsync."""
    wanted = f"{numbers(platform.machine())['fsync']} "
    until = monotonic() + PATIENCE_S
    while monotonic() < until:
        for task in Path(f"/proc/{pid}/task").iterdir():
            if (task / "syscall").read_text().startswith(wanted):
                return
        os.sched_yield()
    raise HungError("no thread waits in fsync")


def gone(puppet: Puppet) -> int:
    """Return how it ended."""
    return puppet.process.wait(PATIENCE_S)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_that_is_killed_dies(
    injected: Injected, guard: Guard, number: signal.Signals
) -> None:
    mount = injected("fsync(f):stuck:error=EIO")
    puppet = stuck(mount, guard)
    puppet.process.send_signal(number)
    assert gone(puppet) == -number
    puppet.process.communicate()
    mount.end()
    held, other = sorted(journal(mount.recording, events.Fsync), key=lambda event: event.start_ns)
    assert (held.errno, [one.kind for one in held.injected]) == (errno.EINTR, ["error", "stuck"])
    assert held.injected[-1].delay_ns > 0
    assert (other.errno, other.injected) == (0, ())


def test_whoever_waits_for_the_file_goes_on_once_the_first_is_dead(
    injected: Injected, guard: Guard
) -> None:
    mount = injected("fsync(f):stuck:when=1")
    puppet = stuck(mount, guard)
    second = Puppet(mount.mountpoint, guard)
    assert second.do(OPEN.format("f")) == "ok"
    second.tell(PAGE)  # a sync holds the inode's lock (fuse_fsync)
    puppet.process.kill()
    assert gone(puppet) == -signal.SIGKILL
    puppet.process.communicate()
    assert second.hear() == "ok"
    assert second.do(SYNC) == "ok"
    assert second.end() == (0, [])


def test_the_end_of_the_server_gives_it_up(injected: Injected, guard: Guard) -> None:
    mount = injected("fsync(f):stuck")
    puppet = stuck(mount, guard)
    os.kill(mount.server, signal.SIGTERM)
    assert puppet.hear() == str(errno.EIO)
    assert puppet.end()[0] == 0
    mount.process.communicate(timeout=PATIENCE_S)
    mount.abandon()
    held = [event for event in journal(mount.recording, events.Fsync) if event.injected]
    assert [(event.errno, event.injected[0].kind) for event in held] == [(errno.EIO, "stuck")]


def test_an_aborted_mount_gives_it_up(injected: Injected, guard: Guard) -> None:
    mount = injected("fsync(f):stuck")
    puppet = stuck(mount, guard)
    mount.abandon()
    assert puppet.hear() == str(errno.ECONNABORTED)
    puppet.end()
    held = [event for event in journal(mount.recording, events.Fsync) if event.injected]
    assert [event.errno for event in held] in ([errno.ECONNABORTED], [])


def test_a_program_that_is_killed_waits_for_no_delay(injected: Injected, guard: Guard) -> None:
    mount = injected("fsync,close(f):delay_enter=3600000")
    puppet = stuck(mount, guard)
    puppet.process.kill()
    assert gone(puppet) == -signal.SIGKILL
    puppet.process.communicate()


def test_a_program_that_ends_waits_for_no_release(injected: Injected, guard: Guard) -> None:
    mount = injected("close(f):stuck")
    puppet = Puppet(mount.mountpoint, guard)
    assert puppet.do(OPEN.format("f"), PAGE) == "ok"
    assert puppet.end() == (0, [])
    mount.end()
    (held,) = [event for event in journal(mount.recording, events.Flush) if event.injected]
    assert (held.errno, held.injected[0].kind) == (errno.EINTR, "stuck")


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[TracedPuppet]:
    base = tmp_path_factory.mktemp("r")
    (base / "src").mkdir()
    puppet = TracedPuppet(base / "src", base / "rec", guard, "--inject", "fsync:stuck")
    yield puppet
    puppet.process.kill()


def test_a_traced_run_whose_command_is_killed_ends(run: TracedPuppet) -> None:
    assert run.do(OPEN.format("f"), PAGE) == "ok"
    assert (
        run.do("import threading", "threading.Thread(target=os.fsync, args=(fd,)).start()") == "ok"
    )
    await_sync(run.command)
    assert run.do("os.mkdir('d')") == "ok"
    os.kill(run.command, signal.SIGKILL)
    try:
        run.process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        pytest.fail("it does not end")
    (call,) = calls(run.recording, "sync")
    assert call.errno == errno.EINTR
