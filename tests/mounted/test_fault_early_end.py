"""The mount ends before those who use it, or they are led past it: the recording says so."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fault_support import (
    Puppet,
    TracedPuppet,
    await_end,
    ending,
    is_mounted,
    require_incomplete,
    require_unknown,
    tracefs,
)
from mounted_support import PATIENCE_S, Guard, Mount, calls

TOOL_FAILED = 125
EARLY = "the mount ended before the command did"
OPEN = "fd = os.open('pages.db', os.O_RDWR | os.O_CREAT, 0o644)"
PAGE = "os.pwrite(fd, b'x' * 4096, 0)"
SYNC = "os.fdatasync(fd)"
CLOSE = "os.close(fd)"
WELL = (OPEN, PAGE, SYNC, CLOSE)
ASTRAY = "with open('pages.db', 'w') as file: file.write('unseen')"


@pytest.mark.usefixtures("as_root")
def test_what_an_unmounted_run_does_next_is_not_passed_over(tmp_path: Path, guard: Guard) -> None:
    run = TracedPuppet(tmp_path / "src", tmp_path / "rec", guard)
    assert run.do(*WELL) == "ok"
    inside = [
        "nsenter",
        "--mount",
        f"--target={run.command}",
        "umount",
        "--lazy",
        str(run.directory),
    ]
    subprocess.run(inside, check=True, timeout=PATIENCE_S)
    assert run.do(f"os.chdir({str(run.directory)!r})", ASTRAY) == "ok"

    code, said = run.end()

    assert (run.directory / "pages.db").read_text() == "unseen"
    assert code == TOOL_FAILED
    assert f"tracefs: the recording is incomplete: {EARLY}" in said
    require_unknown(run.recording)


@pytest.mark.parametrize("words", [("umount", "--force"), ("umount",)])
def test_a_visible_run_whose_mount_is_taken_away(
    tmp_path: Path, guard: Guard, words: tuple[str, ...]
) -> None:
    source = tmp_path / "src"
    run = TracedPuppet(source, tmp_path / "rec", guard, "--visible")
    assert run.do(*WELL, "os.chdir('/')") == "ok"
    assert tracefs(*words, source).returncode == 0
    assert run.do(f"os.chdir({str(source)!r})", ASTRAY) == "ok"

    code, said = run.end()

    assert code == TOOL_FAILED
    assert f"tracefs: the recording is incomplete: {EARLY}" in said
    require_unknown(run.recording)


def test_a_server_that_hears_late_of_its_mounts_end(tmp_path: Path, guard: Guard) -> None:
    source = tmp_path / "src"
    run = TracedPuppet(source, tmp_path / "rec", guard, "--visible", "--witness", "proc")
    assert run.do(*WELL, "os.chdir('/')") == "ok"
    server, command = run.server, os.pidfd_open(run.command)
    os.kill(server, signal.SIGSTOP)  # as if the machine had no time for it
    assert tracefs("umount", source).returncode == 0
    assert run.do(f"os.chdir({str(source)!r})", ASTRAY) == "ok"
    run.tell("os._exit(0)")
    await_end(command)
    os.kill(server, signal.SIGCONT)

    code, said = run.end()

    assert code == TOOL_FAILED
    assert f"tracefs: the recording is incomplete: {EARLY}" in said
    require_unknown(run.recording)


def test_a_visible_run_whose_front_end_is_killed(tmp_path: Path, guard: Guard) -> None:
    source = tmp_path / "src"
    run = TracedPuppet(source, tmp_path / "rec", guard, "--visible")
    assert run.do(*WELL) == "ok"
    run.process.kill()

    assert ending(run.recording, follow=True).reason is not None
    require_unknown(run.recording)
    run.end()
    assert not is_mounted(source)


def _remove(source: Path) -> None:
    shutil.rmtree(source)


def _replace(source: Path) -> None:
    shutil.rmtree(source)
    source.mkdir()


def _exchange(source: Path) -> None:
    source.rename(source.with_name("old"))
    source.mkdir()


# Where all see the mount, rename(2) and rmdir(2) of its directory fail with EBUSY.
@pytest.mark.parametrize("fault", [_remove, _replace, _exchange])
def test_a_directory_that_goes_while_the_command_runs(
    tmp_path: Path, guard: Guard, fault: Callable[[Path], None]
) -> None:
    source = tmp_path / "src"
    run = TracedPuppet(source, tmp_path / "rec", guard)
    assert run.do(*WELL) == "ok"
    fault(source)
    run.do(f"os.chdir({str(source)!r})", ASTRAY)

    code, said = run.end()

    assert code == TOOL_FAILED
    assert any("the recording is incomplete: " in line for line in said)
    require_unknown(run.recording)
    assert not is_mounted(source)


def test_a_terminated_server_is_no_want_of_a_sync(tmp_path: Path, guard: Guard) -> None:
    """The program's sync finds nobody; that it never came is no fault of the program."""
    run = TracedPuppet(tmp_path / "src", tmp_path / "rec", guard)
    assert run.do(OPEN, PAGE) == "ok"
    server = os.pidfd_open(run.server)
    signal.pidfd_send_signal(server, signal.SIGTERM)
    await_end(server)
    assert run.do(SYNC) != "ok"

    code, said = run.end()

    assert code == TOOL_FAILED
    assert any("files were open: pages.db" in line for line in said)
    require_unknown(run.recording)


@pytest.mark.parametrize("how", ["force", "terminate"])
def test_a_mount_that_ends_under_an_open_file(tmp_path: Path, guard: Guard, how: str) -> None:
    for name in ("src", "mnt"):
        (tmp_path / name).mkdir()
    mount = Mount(tmp_path / "src", tmp_path / "mnt", tmp_path / "rec", guard)
    program = Puppet(mount.mountpoint, guard)
    assert program.do(OPEN, PAGE) == "ok"
    if how == "force":
        assert tracefs("umount", "--force", mount.mountpoint).returncode == 0
    else:
        os.kill(mount.server, signal.SIGTERM)
    _, said = mount.process.communicate(timeout=PATIENCE_S)
    assert program.do(SYNC) != "ok"
    program.end()

    assert mount.process.returncode == 3
    assert "the recording is incomplete: the mount ended while files were open: pages.db" in said
    require_unknown(mount.recording)
    (written,) = calls(mount.recording, "write")
    assert written.result == 4096
    assert not is_mounted(mount.mountpoint)


def test_a_forced_end_that_nobody_is_hurt_by_leaves_a_whole_recording(
    tmp_path: Path, guard: Guard
) -> None:
    for name in ("src", "mnt"):
        (tmp_path / name).mkdir()
    mount = Mount(tmp_path / "src", tmp_path / "mnt", tmp_path / "rec", guard)
    program = Puppet(mount.mountpoint, guard)
    assert program.do(*WELL) == "ok"  # and stays there
    assert tracefs("umount", "--force", mount.mountpoint).returncode == 0
    mount.process.communicate(timeout=PATIENCE_S)
    program.end()

    assert mount.process.returncode == 0
    assert ending(mount.recording).complete


@pytest.mark.parametrize(
    "use",
    [
        "os.fsync(fd)",
        "os.ftruncate(fd, 100)",
        "os.posix_fallocate(fd, 0, 8192)",
        "os.copy_file_range(fd, fd, 100, 0, 200)",
    ],
)
def test_an_open_that_is_used_after_the_close_of_a_duplicate_was_not_given_up(
    tmp_path: Path, guard: Guard, use: str
) -> None:
    for name in ("src", "mnt"):
        (tmp_path / name).mkdir()
    mount = Mount(tmp_path / "src", tmp_path / "mnt", tmp_path / "rec", guard)
    program = Puppet(mount.mountpoint, guard)
    assert program.do(OPEN, PAGE, SYNC, "os.close(os.dup(fd))", use) == "ok"
    os.kill(mount.server, signal.SIGTERM)
    _, said = mount.process.communicate(timeout=PATIENCE_S)
    program.end()

    assert mount.process.returncode == 3
    assert "files were open: pages.db" in said
    require_incomplete(mount.recording)
