"""Traced runs that a test talks with, and what is said of their recordings afterwards."""

import os
import select
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import watchdog
from mounted_support import PATIENCE_S, TRACEFS, Guard, HungError
from soak.processes import children

from tracefs.capture.mounts import find
from tracefs.journal.reader import Ending, JournalReader

# Does one line of Python after the other that it is told, and answers each with "ok" or an error.
_INTERPRETER = os.fsencode(sys.executable) + b"\0-S\0-c\0"
_PUPPET = """
import os, sys
known = {"os": os}
print("ready", flush=True)
for line in sys.stdin:
    try:
        exec(line, known)
        print("ok", flush=True)
    except OSError as error:
        print(error.errno, flush=True)
"""


class Puppet:
    """A program in *directory* that does what the test tells it, a line of Python at a time.

    *words* stand before it: a command that runs it.
    """

    def __init__(self, directory: Path, guard: Guard, *words: str | Path) -> None:
        guard.watch(directory)
        self.directory = directory
        self.process = subprocess.Popen(
            [*words, sys.executable, "-S", "-c", _PUPPET],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.hear() == "ready"

    def do(self, *lines: str) -> str | int:
        """Let it do these; return "ok", or the error number of the first that failed."""
        for line in lines:
            self.tell(line)
            said = self.hear()
            if said != "ok":
                return int(said)
        return "ok"

    def tell(self, line: str) -> None:
        """Let it do this; its answer is to be heard."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def end(self) -> tuple[int, list[str]]:
        """Let it end; return the exit status, and what was said on standard error."""
        try:
            _, said = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._kill()
            raise HungError("it does not end") from None
        return self.process.returncode, said.splitlines()

    def hear(self) -> str:
        """Return its next answer."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        if not ready:
            self._kill()
            raise HungError("the program does not answer")
        return self.process.stdout.readline().rstrip("\n")

    def _kill(self) -> None:
        watchdog.abort(str(self.directory))
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


class TracedPuppet(Puppet):
    """Such a program under ``tracefs run``."""

    def __init__(self, source: Path, recording: Path, guard: Guard, *options: str) -> None:
        source.mkdir(exist_ok=True)
        self.recording = recording
        super().__init__(source, guard, *TRACEFS, "run", *options, "-o", recording, "--")

    @property
    def server(self) -> int:
        """Process id of the server."""
        (found,) = [
            pid for pid in children(self.process.pid) if b"tracefs.capture.server" in cmdline(pid)
        ]
        return found

    @property
    def command(self) -> int:
        """Process id of the program."""
        (found,) = [
            pid for pid in children(self.process.pid) if cmdline(pid).startswith(_INTERPRETER)
        ]
        return found


def await_end(pidfd: int) -> None:
    """Return once the process of this descriptor has ended, and close it."""
    ready, _, _ = select.select([pidfd], [], [], PATIENCE_S)
    os.close(pidfd)
    assert ready, "it does not end"


def is_mounted(directory: Path) -> bool:
    """Return whether a tracefs covers *directory* here; other namespaces may have copies of it."""
    return find(os.fsencode(directory)) is not None


def cmdline(pid: int) -> bytes:
    """Return the words of a process, each with a zero byte behind it."""
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@dataclass(frozen=True)
class Told:
    """How one of tracefs's commands ended."""

    returncode: int
    stdout: str
    stderr: str


def tracefs(*words: str | Path) -> Told:
    """Run one of tracefs's commands."""
    done = subprocess.run(
        [*TRACEFS, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return Told(done.returncode, done.stdout, done.stderr)


def ending(recording: Path, *, follow: bool = False) -> Ending:
    """Return how a journal ends; wait for its writer's end to *follow*."""
    with JournalReader(recording, follow=follow) as reader:
        for _ in reader.events():
            pass
        return reader.ending


def require_unknown(recording: Path) -> None:
    """Expect that the recording says of itself that it is incomplete, and is judged unknown."""
    judged = require_incomplete(recording)
    assert judged.returncode == 4, judged.stdout
    assert "page-write: unknown" in judged.stdout


def require_incomplete(recording: Path) -> Told:
    """Expect that the recording says of itself that it is incomplete, and isn't judged kept."""
    assert not ending(recording).complete
    assert "incomplete" in tracefs("show", recording).stdout
    judged = tracefs("check", recording)
    assert judged.returncode in (1, 4), judged.stdout
    return judged
