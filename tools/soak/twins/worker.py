"""The process that does things in one directory, and the one that tells it what."""

import os
import subprocess
import sys
import traceback
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from soak.twins.world import Sight, Step, World

_PATIENCE_S: Final = 30
_TOOLS: Final = str(Path(__file__).parents[2])


class Worker:
    """One process in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._channel, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "soak.twins.worker", str(theirs.fileno()), directory],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": _TOOLS},
                stdin=subprocess.DEVNULL,
            )

    def tell(self, what: Step | str) -> None:
        """Say what to do: a step, or in which new directory to begin anew."""
        self._channel.send(what)

    def hear(self) -> Sight:
        """Return what came of it.

        Raises:
            AssertionError: nothing came, or the worker itself failed.
        """
        if not self._channel.poll(_PATIENCE_S):
            self._process.kill()
            raise AssertionError(f"a worker hangs in {self.directory}")
        try:
            sight = self._channel.recv()
        except EOFError:
            raise AssertionError(f"a worker died in {self.directory}") from None
        if isinstance(sight, Sight):
            return sight
        raise AssertionError(f"a worker failed in {self.directory}:\n{sight}")

    def close(self) -> None:
        """Let it end; kill it, if it does not."""
        self._channel.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _serve(channel: Connection, directory: str) -> None:
    os.umask(0o022)
    os.chdir(directory)
    world = World()
    while True:
        try:
            told = channel.recv()
        except EOFError:
            return
        try:
            channel.send(world.enter(told) if isinstance(told, str) else world.perform(told))
        except Exception:  # noqa: BLE001  # whatever it was, the other side must hear of it
            channel.send(traceback.format_exc())


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])), sys.argv[2])
