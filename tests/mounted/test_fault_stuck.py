"""The disk below never answers a sync: the mount can be ended all the same, and nobody waits on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import faulty_source
import pytest
import watchdog
from fault_support import Puppet, is_mounted, require_unknown, tracefs
from mounted_support import PATIENCE_S, Guard, Mount

STUCK = "fd = os.open('stuck-1', os.O_RDWR | os.O_CREAT, 0o644)"
OTHER = "fd = os.open('f', os.O_RDWR | os.O_CREAT, 0o644)"
PAGE = "os.pwrite(fd, b'x' * 4096, 0)"
SYNC = "os.fsync(fd)"


@pytest.fixture
def source(tmp_path: Path, guard: Guard) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "src").mkdir()
    (tmp_path / "mnt").mkdir()
    guard.watch(tmp_path / "src")
    source = subprocess.Popen(
        [sys.executable, faulty_source.__file__, str(tmp_path / "src")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert source.stdout is not None
    assert source.stdout.readline() == "ready\n"
    yield source
    watchdog.abort(str(tmp_path / "src"))
    source.kill()
    source.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize("how", ["force", "terminate"])
def test_a_mount_over_a_stuck_disk_can_be_ended(
    tmp_path: Path, guard: Guard, source: subprocess.Popen[str], how: str
) -> None:
    mount = Mount(tmp_path / "src", tmp_path / "mnt", tmp_path / "rec", guard)
    waiting = Puppet(mount.mountpoint, guard)
    assert waiting.do(STUCK, PAGE) == "ok"
    waiting.tell(SYNC)
    assert source.stdout is not None
    assert source.stdout.readline() == "stuck\n"
    other = Puppet(mount.mountpoint, guard)
    assert other.do(OTHER, PAGE, SYNC, "os.close(fd)") == "ok"

    if how == "force":
        assert tracefs("umount", "--force", mount.mountpoint).returncode == 0
    else:
        os.kill(mount.server, signal.SIGTERM)
    _, said = mount.process.communicate(timeout=PATIENCE_S)

    assert waiting.hear() != "ok"
    assert mount.process.returncode == 3
    assert "while files were open: stuck-1" in said
    assert not is_mounted(mount.mountpoint)
    require_unknown(mount.recording)
    for puppet in (waiting, other):
        puppet.end()
