"""A database server for as long as a client needs it."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_S = 60


@contextmanager
def served(
    command: Sequence[str],
    answers: Callable[[], bool],
    log: Path,
    *,
    stop: signal.Signals,
    user: str | None = None,
) -> Iterator[None]:
    """Run a server from the moment when it answers; end it by the signal *stop*.

    Raises:
        RuntimeError: It ended by itself, or did not end at the signal as it should.
    """
    with log.open("w") as said:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    try:
        _await_answer(server, answers)
        yield
        _settle(server, answers)
        _end(server, stop)
    except BaseException:
        print(log.read_text(errors="replace")[-2000:], file=sys.stderr)
        raise
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGQUIT)  # PostgreSQL takes its children along
            try:
                server.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _await_answer(server: subprocess.Popen[bytes], answers: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not answers():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{server.args!r} does not answer")
        time.sleep(0.01)  # it tells nobody when it is ready


def _settle(server: subprocess.Popen[bytes], answers: Callable[[], bool]) -> None:
    """Wait for one that restarts itself after a crash, as PostgreSQL does, or ends."""
    deadline = time.monotonic() + _PATIENCE_S
    while server.poll() is None and not answers() and time.monotonic() < deadline:
        time.sleep(0.01)


def _end(server: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    server.send_signal(stop)
    if server.wait(_PATIENCE_S) != 0:
        raise RuntimeError(f"{server.args!r} ended with {server.returncode}")
