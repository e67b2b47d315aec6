"""A mount over a source that holds requests (``held_source.py``), and programs held by it."""

import os
import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import held_source
import watchdog
from mounted_support import PATIENCE_S, Guard, Mount


class Held:
    """The source that holds, mounted and answering."""

    def __init__(self, base: Path, guard: Guard) -> None:
        self.source = base / "src"
        self.source.mkdir()
        guard.watch(self.source)
        self._process = subprocess.Popen(
            [sys.executable, held_source.__file__, str(self.source)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._said = b""
        self._programs: list[Program] = []
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self._process.stdout is not None
        while b"\n" not in self._said:
            ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
            more = os.read(self._process.stdout.fileno(), 4096) if ready else b""
            assert more, f"the source says no more than {self._said!r}"
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        return line.decode()

    def await_held(self, name: str, count: int = 1) -> None:
        """Return once *count* more requests of *name* are held."""
        while count:
            count -= self._line() == f"held {name}"

    def await_done(self, what: str) -> None:
        """Return once the source says that it has done *what*."""
        while self._line() != what:
            pass

    def await_all(self, *lines: str) -> None:
        """Return once the source has said each of these, in whatever order."""
        missing = set(lines)
        while missing:
            missing.discard(self._line())

    def let_go(self, name: str) -> None:
        """Hold requests of *name* no longer."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{name}\n".encode())
        self._process.stdin.flush()

    def let_all_go(self) -> None:
        """Hold nothing any longer."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def end(self) -> None:
        """Unmount the source, in which nobody may have anything open any longer."""
        unmount = ["fusermount3", "-u", str(self.source)]
        subprocess.run(unmount, check=True, timeout=PATIENCE_S)
        # Another mount namespace, of a run beside this one, may still have a copy of the mount.
        self._process.kill()
        self._process.communicate()

    def program(self, directory: Path, text: str, *arguments: str) -> "Program":
        """Start a program in Python that requests are held of."""
        return self.command([sys.executable, "-S", "-c", text, *arguments], directory)

    def command(self, command: Sequence[str], directory: Path) -> "Program":
        """Start a command that requests are held of."""
        program = Program(command, directory)
        self._programs.append(program)
        return program

    def abandon(self) -> None:
        """Take away what is left."""
        watchdog.abort(str(self.source))
        started: list[subprocess.Popen[Any]] = [one.process for one in self._programs]
        for process in (self._process, *started):
            process.kill()
            if process.stdout is not None and not process.stdout.closed:
                process.communicate()


class Program:
    """A program in a directory and a session of its own."""

    def __init__(self, command: Sequence[str], directory: Path) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=directory,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self) -> tuple[int, str]:
        """Return exit status and what was printed, errors too, once the program has ended."""
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out + err


def mounted_over(base: Path, held: Held, guard: Guard) -> Mount:
    """Mount over the source that holds."""
    (base / "mnt").mkdir()
    return Mount(held.source, base / "mnt", base / "rec", guard)
