"""PostgreSQL with pgbench beside. The variant: its wal_sync_method (``fdatasync``).

``fdatasync,small`` is the same with few and small files, and nothing of pgbench's.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from soak.databases.client import Setting, main
from soak.databases.served import served
from soak.programs import POSTGRES

USER: Final = "postgres" if os.geteuid() == 0 else None
"""PostgreSQL refuses to be run by root; Debian's package makes this user."""
_SETTINGS: Final = (
    "listen_addresses=",
    "fsync=on",
    "synchronous_commit=on",
    "checkpoint_timeout=30s",
    "max_wal_size=32MB",  # so that there are checkpoints in most rounds
    "min_wal_size=32MB",
    "checkpoint_completion_target=0.1",
    "dynamic_shared_memory_type=mmap",  # files of its own directory, mapped
    "shared_buffers=4MB",  # so that pages are written by others than the checkpointer, too
)
_TABLES: Final = """
CREATE EXTENSION IF NOT EXISTS amcheck;
CREATE TABLE IF NOT EXISTS rows (number int PRIMARY KEY, contents bytea NOT NULL);
CREATE TABLE IF NOT EXISTS slots (number int PRIMARY KEY, contents bytea NOT NULL);
"""
_COMMIT: Final = """
BEGIN;
INSERT INTO rows VALUES ({number}, {value});
INSERT INTO slots VALUES ({slot}, {value}) ON CONFLICT (number) DO UPDATE SET contents = {value};
COMMIT;
"""
_ALL: Final = "SELECT number, encode(contents, 'hex') FROM {};"
# What each transaction of pgbench keeps equal (its documentation, "TPC-B (sort of)").
_BALANCES: Final = """
SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers),
       (SELECT sum(bbalance) FROM pgbench_branches),
       (SELECT coalesce(sum(delta), 0) FROM pgbench_history)
"""
_DONE: Final = "done"


class PostgreSQL:
    """``postgres`` on a socket that is not in the traced directory."""

    def __init__(self, setting: Setting) -> None:
        self._sockets = setting.sockets
        self._sync_method, _, size = setting.variant.partition(",")
        self._small = size == "small"

    @contextmanager
    def serving(self, *, busy: bool) -> Iterator[None]:
        new = not Path("db").exists()
        if new:
            initdb = ["initdb", "-D", "db", "-U", "postgres", "-A", "trust", "--data-checksums"]
            _run([*initdb, "--wal-segsize", "1"] if self._small else initdb)
        _remove_segment()
        command = [_program("postgres"), "-D", "db", "-k", str(self._sockets)]
        for setting in (*_SETTINGS, f"wal_sync_method={self._sync_method}"):
            command += ["-c", setting]
        log = self._sockets / "log"
        with served(command, self._answers, log, stop=signal.SIGINT, user=USER):
            if new:
                if not self._small:
                    _run(["pgbench", *self._server, "-i", "-s", "1", "-q", "postgres"])
                _run([*_psql(self._server), "-c", _TABLES])
            with self._pgbench(busy=busy):
                yield

    def store(self) -> "Session":
        return Session(self._server, balanced=not self._small)

    def damage_at_rest(self) -> list[str]:
        return _complaints(["pg_checksums", "--check", "-D", "db"])

    @property
    def _server(self) -> list[str]:
        return ["-h", str(self._sockets), "-U", "postgres"]

    def _answers(self) -> bool:
        done = subprocess.run([_program("pg_isready"), *self._server, "-q"], check=False)
        return done.returncode == 0

    @contextmanager
    def _pgbench(self, *, busy: bool) -> Iterator[None]:
        if not busy:
            yield
            return
        command = ["pgbench", *self._server, "-n", "-c", "2", "-T", "100000", "postgres"]
        bench = subprocess.Popen(
            _command(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield
        finally:
            bench.kill()
            bench.wait()


class Session:
    """A session, spoken to through psql."""

    def __init__(self, server: Sequence[str], *, balanced: bool) -> None:
        self._server = server
        self._balanced = balanced
        self._process = subprocess.Popen(
            _command(_psql(server)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def commit(self, number: int, contents: bytes, slot: int) -> None:
        value = f"'\\x{contents.hex()}'"
        self._ask(_COMMIT.format(number=number, slot=slot, value=value))

    def rows(self) -> dict[int, bytes]:
        return self._table("rows")

    def slots(self) -> dict[int, bytes]:
        return self._table("slots")

    def damage(self) -> list[str]:
        found = []
        if self._balanced:
            balances = self._ask(f"{_BALANCES};")
            found = [] if len(set(balances[0].split("|"))) == 1 else [f"pgbench: {balances}"]
        return found + _complaints(["pg_amcheck", *self._server, "--heapallindexed", "postgres"])

    def close(self) -> None:
        self._process.communicate()

    def _table(self, name: str) -> dict[int, bytes]:
        lines = self._ask(_ALL.format(name))
        pairs = [line.split("|") for line in lines]
        return {int(number): bytes.fromhex(text) for number, text in pairs}

    def _ask(self, statements: str) -> list[str]:
        """Execute statements; return the lines that they answered, once all are committed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{statements}\n\\echo {_DONE}\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line == f"{_DONE}\n":
                return lines
            lines.append(line.rstrip("\n"))
        raise RuntimeError("psql ended")


def _psql(server: Sequence[str]) -> list[str]:
    return ["psql", *server, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "postgres"]


def _program(name: str) -> str:
    assert POSTGRES.path is not None
    return str(Path(POSTGRES.path).resolve().parent / name)


def _command(words: Sequence[str]) -> list[str]:
    return [_program(words[0]), *words[1:]]


def _remove_segment() -> None:
    """Remove the shared memory of a server that was killed; a copy of its directory never would."""
    with suppress(FileNotFoundError, IndexError):
        line = Path("db/postmaster.pid").read_text().splitlines()[6]
        subprocess.run(["ipcrm", "-m", line.split()[1]], stderr=subprocess.DEVNULL, check=False)


def _run(words: Sequence[str]) -> None:
    if complaints := _complaints(words):
        raise RuntimeError(complaints[0])


def _complaints(words: Sequence[str]) -> list[str]:
    """Run a program of PostgreSQL's as its user; return what it said if it failed."""
    done = subprocess.run(
        _command(words), check=False, capture_output=True, text=True, user=USER, group=USER
    )
    return [] if done.returncode == 0 else [f"{words[0]}: {done.stdout}{done.stderr}"]


if __name__ == "__main__":
    sys.exit(main(PostgreSQL))
