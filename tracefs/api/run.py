"""Run a command with a directory traced, and ask what it did."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tracefs.api.faults import AnyRule, parsed
from tracefs.api.folder import AnyPath, Folder
from tracefs.api.sofar import RecordedTrace
from tracefs.api.trace import Trace
from tracefs.capture.apart import Order, Report, read_report, send_order
from tracefs.capture.runner import Options
from tracefs.capture.session import open_directory
from tracefs.errors import MountError, RecordingError, SetupError
from tracefs.pathtext import to_text
from tracefs.witness.level_names import LEVELS, SECCOMP

_FAULTS: Final = {"mount": MountError, "setup": SetupError, "recording": RecordingError}


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A command that ran traced: see `run`."""

    args: tuple[str, ...]
    returncode: int
    """Exit status; 128 + N if signal N ended it; 127 if it was not found, 126 if it can't be run
    (as ``tracefs run``)."""
    stdout: str | None
    """What it wrote, as UTF-8; None: not captured."""
    stderr: str | None
    notices: tuple[str, ...]
    """What tracefs had to say, as of a witness that could not be had."""
    failed: str | None
    """Why the recording is incomplete; None: it is whole."""
    met: tuple[int, ...]
    """How many calls each rule of *inject* was for."""
    struck: tuple[int, ...]
    """How many calls each of them has struck."""
    _folder: Folder = field(repr=False)

    @property
    def recording(self) -> Path:
        """Folder of the recording, as ``tracefs show`` takes it."""
        return self._folder.path

    @property
    def trace(self) -> Trace:
        """What was recorded; RecordingError: it can't be read."""
        return RecordedTrace(self._folder, _ended)


def run(
    argv: Sequence[AnyPath],
    directory: AnyPath = ".",
    *,
    witness: str = SECCOMP,
    payload: bool = False,
    page_size: int = 4096,
    keep: AnyPath | None = None,
    inject: Sequence[AnyRule] = (),
    capture_output: bool = False,
    cwd: AnyPath | None = None,
    timeout: float | None = None,
) -> Ran:
    """Run a command with *directory* traced, as ``tracefs run`` does; wait for all its processes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     done = run(["sh", "-c", "echo hello > a.txt"], directory)
    >>> done.returncode, done.trace.calls("a.txt", only="write")
    (0, [write("a.txt", 6, at=0)])

    The command alone sees the mount, where the machine allows that. It reads nothing from standard
    input.

    Args:
        argv: The command and its arguments.
        directory: What to trace.
        witness: ``"seccomp"`` sees every lseek and other calls that no filesystem hears of,
            ``"full"`` every call, ``"proc"`` and ``"none"`` as for `record`.
        payload: Also keep the bytes written, and the tree that there was.
        page_size: Bytes in a page, for whoever counts in pages.
        keep: As for `record`.
        inject: Rules of faults that hold from the start, as ``tracefs run --inject`` takes them.
        capture_output: Keep what it writes to standard output and error.
        cwd: Its working directory. None: *directory*.
        timeout: Seconds after which it is killed. None: never.

    Raises:
        UsageError: There is no such rule.
        ValueError: There is no such witness, or no command.
        MountError: The directory can't be traced, or not with this witness; nothing was run.
        RecordingError: As for `record`.
        subprocess.TimeoutExpired: It was killed.
    """
    if not argv:
        raise ValueError("no command to run")
    if witness not in LEVELS:
        raise ValueError(f"there is no witness {witness!r}: {', '.join(map(repr, LEVELS))}")
    os.close(open_directory(os.fspath(directory)))
    place = Path(os.path.realpath(directory))
    folder = Folder(place, keep)
    words = tuple(os.fspath(word) for word in argv)
    order = Order(
        directory=_text(place),
        argv=tuple(map(_text, words)),
        recording=_text(folder.path),
        options=Options(
            witness=witness, payload=payload, page_size=page_size, faults=parsed(inject)
        ),
    )
    cwd = place if cwd is None else Path(cwd)
    report, out, err = _obeyed(order, cwd, timeout, capture_output=capture_output)
    if report.error is not None:
        raise _FAULTS[report.at_fault](report.error, repair=report.repair)
    return Ran(
        args=words,
        returncode=report.status,
        stdout=out,
        stderr=err,
        notices=report.notices,
        failed=report.failed,
        met=report.met,
        struck=report.struck,
        _folder=folder,
    )


def _obeyed(
    order: Order, cwd: Path, timeout: float | None, *, capture_output: bool
) -> tuple[Report, str | None, str | None]:
    """Have a process of its own obey: see `tracefs.capture.apart`."""
    stream = subprocess.PIPE if capture_output else None
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tracefs.capture.apart", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd=cwd,
                # So that all of it can be ended at once.
                start_new_session=True,
                encoding="utf-8",
                errors="backslashreplace",
            )
        try:
            send_order(ours, order)
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        report = read_report(ours)
    if report is None:
        raise SetupError(
            f"what was to run the command ended unexpectedly (exit status {process.returncode})",
            repair="tracefs doctor; where it finds nothing, please report this",
        )
    return report, out, err


def _text(path: AnyPath) -> str:
    return to_text(os.fsencode(path))


def _ended() -> None:
    """Tell that the recording has ended."""
