"""Mounts of tracefs for tests and soaks, each surely gone afterwards."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import watchdog

from tracefs.capture import mounts

TRACEFS = [sys.executable, "-m", "tracefs"]
PATIENCE_S = 30


class HungError(AssertionError):
    """What was done in a directory did not come to an end."""


class Guard:
    """The process of ``watchdog.py``, which knows every directory that may be mounted over."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, watchdog.__file__], stdin=subprocess.PIPE, text=True
        )

    def watch(self, directory: Path) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{directory}\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.communicate()


class Mount:
    """``tracefs mount`` in a process of its own, from ready to unmounted."""

    def __init__(
        self, source: Path, mountpoint: Path, recording: Path, guard: Guard, *options: str
    ) -> None:
        self.source, self.mountpoint, self.recording = source, mountpoint, recording
        guard.watch(mountpoint)
        others = ["--allow-other"] if os.geteuid() == 0 else []
        command = [*TRACEFS, "mount", *others, *options, "-o", str(recording)]
        self.process = subprocess.Popen(
            [*command, str(source), str(mountpoint)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        if not ready or not self.process.stdout.readline():
            self.process.kill()
            raise AssertionError(f"no mount: {self.process.communicate()[1]}")

    @property
    def server(self) -> int:
        """Process id of what serves the mount."""
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        (pid,) = map(int, pids.split())
        return pid

    def end(self) -> None:
        """Unmount, and expect that to be all there was to do."""
        self.process.send_signal(signal.SIGTERM)
        try:
            _, said = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.abandon()
            raise HungError("the mount does not end") from None
        # In this namespace: others may hold copies of the mount, as long as what runs there does.
        left = mounts.find(os.fsencode(self.mountpoint)) is not None
        self.abandon()
        assert not left, f"left mounted: {said}"
        assert self.process.returncode == 0, said

    def abandon(self) -> None:
        """Take away what is left of the mount."""
        watchdog.abort(str(self.mountpoint))
        self.process.kill()
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.process.communicate(timeout=PATIENCE_S)


@dataclass(frozen=True)
class Run:
    """How ``tracefs run`` ended."""

    returncode: int
    stdout: str
    stderr: str
    recording: Path


def run_traced(
    directory: Path,
    recording: Path,
    guard: Guard,
    command: Sequence[str],
    *options: str,
    most_files: int | None = None,
    env: Mapping[str, str] | None = None,
    patience_s: float = PATIENCE_S,
) -> Run:
    """Run *command* with *directory* traced in place, by processes of *most_files* descriptors."""
    guard.watch(directory)
    limit = ["sh", "-c", f'ulimit -n {most_files}; exec "$@"', "sh"] if most_files else []
    process = subprocess.Popen(
        [*limit, *TRACEFS, "run", "-q", "-o", str(recording), *options, "--", *command],
        cwd=directory,
        env=None if env is None else {**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        watchdog.abort(str(directory))
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise HungError(f"{command} hangs; it said {out!r} and {err!r}") from None
    return Run(process.returncode, out, err, recording)
