"""Mounts over a source that counts syncs (``sync_source.py``)."""

import subprocess
import sys
from pathlib import Path

import watchdog
from mounted_support import PATIENCE_S, Guard, Mount

_SOURCE = Path(__file__).with_name("sync_source.py")


class Counted:
    """A mount over the source that counts."""

    def __init__(self, base: Path, guard: Guard, *options: str) -> None:
        for name in ("src", "mnt"):
            (base / name).mkdir()
        guard.watch(base / "src")
        self._source = subprocess.Popen(
            [sys.executable, str(_SOURCE), str(base / "src")],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._source.stdout is not None
        assert self._source.stdout.readline() == "ready\n"
        self._base = base
        self.mount = Mount(base / "src", base / "mnt", base / "rec", guard, *options)

    def end(self) -> list[str]:
        """Unmount both; return what the source was told."""
        self.mount.end()
        unmount = ["fusermount3", "-u", str(self._base / "src")]
        subprocess.run(unmount, check=True, timeout=PATIENCE_S)
        said, _ = self._source.communicate(timeout=PATIENCE_S)
        return said.splitlines()

    def abandon(self) -> None:
        self.mount.abandon()
        watchdog.abort(str(self._base / "src"))
        self._source.kill()
        self._source.communicate()
