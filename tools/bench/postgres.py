"""A PostgreSQL cluster for pgbench, and its programs, run by a user that isn't root."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from soak.programs import INITDB

from bench.mount import BenchError

USER: Final = "postgres" if os.geteuid() == 0 else None
"""PostgreSQL refuses to be run by root; Debian's package makes this user."""
CLUSTER: Final = "cluster"
DATABASE: Final = "postgres"
_PATIENCE_S: Final = 60
_SETTINGS: Final = (
    "listen_addresses=",
    "fsync=on",
    "synchronous_commit=on",
    "wal_sync_method=fdatasync",
    # Nothing of its own accord while transactions are timed.
    "autovacuum=off",
    "checkpoint_timeout=1h",
    "max_wal_size=1GB",
)


def missing() -> str | None:
    """Say why there can be no pgbench; None: there can."""
    return None if INITDB.path else "PostgreSQL is not installed (Debian: postgresql)"


def program(name: str) -> str:
    """Return the path of one of its programs, of the version that is used."""
    assert INITDB.path is not None
    return str(Path(INITDB.path).resolve().parent / name)


def as_user(words: Sequence[str]) -> list[str]:
    """Return the command that runs *words* as the user who may."""
    change = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"] if USER else []
    return [*change, *words]


def new_folder(folder: Path) -> Path:
    """Make *folder*, of the user who runs PostgreSQL."""
    folder.mkdir(mode=0o700)
    if USER:
        shutil.chown(folder, USER, USER)
    return folder


def make_cluster(parent: Path, sockets: Path) -> None:
    """Make a cluster in *parent*, with the tables of pgbench.

    Raises:
        BenchError: It can't be made.
    """
    cluster = new_folder(parent / CLUSTER)
    options = ["-U", DATABASE, "-A", "trust", "--no-locale", "-E", "UTF8", "--no-sync"]
    run("initdb", "-D", str(cluster), *options)
    with serving(cluster, sockets, ()):
        run("pgbench", *address(sockets), "-i", "-s", "1", "-q", DATABASE)


def address(sockets: Path) -> list[str]:
    """Return the options that lead a client to the server."""
    return ["-h", str(sockets), "-U", DATABASE]


def run(name: str, *words: str) -> None:
    """Run one of its programs to its end.

    Raises:
        BenchError: It fails.
    """
    command = as_user([program(name), *words])
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise BenchError(f"{name}: {(last or [f'exit code {done.returncode}'])[0]}")


@contextmanager
def serving(cluster: Path, sockets: Path, wrap: Sequence[str]) -> Iterator[None]:
    """Run a server of *cluster* under *wrap*, words before its command.

    Raises:
        BenchError: It doesn't answer, or doesn't end as it should.
    """
    command = [*wrap, *as_user([program("postgres"), "-D", str(cluster), "-k", str(sockets)])]
    for setting in _SETTINGS:
        command += ["-c", setting]
    log = sockets / "log"
    with log.open("wb") as said:
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        if not _answers(server, sockets):
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise BenchError(f"PostgreSQL does not answer: {''.join(last)}")
        yield
        # To the server itself: strace passes no signal on.
        _signal(cluster, signal.SIGINT)
        if server.wait(_PATIENCE_S):
            raise BenchError(f"PostgreSQL ended with {server.returncode}")
    finally:
        if server.poll() is None:
            _signal(cluster, signal.SIGQUIT)
            with suppress(subprocess.TimeoutExpired):
                server.wait(_PATIENCE_S)
            server.kill()
            server.wait()


def _answers(server: subprocess.Popen[bytes], sockets: Path) -> bool:
    """Wait for the first answer; it tells nobody when it is ready."""
    ask = [program("pg_isready"), *address(sockets), "-q"]
    deadline = time.monotonic() + _PATIENCE_S
    while subprocess.run(ask, check=False).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _signal(cluster: Path, number: signal.Signals) -> None:
    """Send a signal to the server that the cluster names in its first line."""
    with suppress(FileNotFoundError, ProcessLookupError, ValueError):
        first = (cluster / "postmaster.pid").read_text().splitlines()[:1]
        os.kill(int("".join(first)), number)
