"""The mount's end gives up a request that waits for the disk: the recording may lack it."""

import os
import signal
from pathlib import Path

import pytest
from fault_support import require_unknown, tracefs
from held_support import Held, mounted_over
from mounted_support import PATIENCE_S, Guard

MAKE = "import os; os.close(os.open('truncate-a', os.O_CREAT | os.O_WRONLY)); "


@pytest.mark.parametrize("how", ["force", "terminate"])
def test_a_truncation_without_an_open_is_missed(tmp_path: Path, guard: Guard, how: str) -> None:
    held = Held(tmp_path, guard)
    try:
        mount = mounted_over(tmp_path, held, guard)
        held.program(mount.mountpoint, MAKE + "os.truncate('truncate-a', 0)")
        held.await_held("truncate-a")

        if how == "force":
            assert tracefs("umount", "--force", mount.mountpoint).returncode == 0
        else:
            os.kill(mount.server, signal.SIGTERM)
        _, said = mount.process.communicate(timeout=PATIENCE_S)

        assert mount.process.returncode == 3
        assert "the mount ended during a request: setattr" in said
        require_unknown(mount.recording)
    finally:
        held.abandon()
