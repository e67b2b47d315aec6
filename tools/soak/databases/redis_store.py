"""Redis with appendfsync always. The variant: ``log``, or ``both`` with snapshots beside it."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from soak.databases.client import Setting, main
from soak.databases.served import served

_REWRITE_AFTER: Final = 60
"""After so many commits of a connection the log is written anew."""


class Redis:
    """``redis-server`` on a socket that is not in the traced directory."""

    def __init__(self, setting: Setting) -> None:
        self._sockets = setting.sockets
        self._snapshots = setting.variant == "both"

    @contextmanager
    def serving(self, *, busy: bool) -> Iterator[None]:
        del busy
        Path("db").mkdir(exist_ok=True)
        options = {
            "dir": "db",
            "port": "0",
            "unixsocket": str(self._socket),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "1 20" if self._snapshots else "",
        }
        command = ["redis-server"]
        for name, value in options.items():
            command += [f"--{name}", value]
        log = self._sockets / "log"
        with served(command, self._answers, log, stop=signal.SIGTERM):
            yield

    def store(self) -> "Connection":
        return Connection(self._socket)

    def damage_at_rest(self) -> list[str]:
        checks = [["redis-check-aof", "db/appendonlydir/appendonly.aof.manifest"]]
        if self._snapshots:
            checks.append(["redis-check-rdb", "db/dump.rdb"])
        found = []
        for check in checks:
            done = subprocess.run(check, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                found.append(f"{check[0]}: {done.stdout}{done.stderr}")
        return found

    @property
    def _socket(self) -> Path:
        return self._sockets / "redis"

    def _answers(self) -> bool:
        # While it loads its data, it answers with an error.
        with suppress(OSError, RedisError):
            connection = self.store()
            try:
                return connection.ask(b"PING") == b"PONG"
            finally:
                connection.close()
        return False


class RedisError(Exception):
    """Redis answered with an error, or not at all."""


class Connection:
    """A connection that speaks Redis' protocol (redis.io, RESP)."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._answers = self._socket.makefile("rb")
        self._commits = 0

    def commit(self, number: int, contents: bytes, slot: int) -> None:
        # Not MULTI: of one that was cut off, Redis 7.0 keeps what is whole when it loads the log,
        # and the MULTI swallows what is appended afterwards (loadSingleAppendOnlyFile in aof.c).
        self.ask(b"MSET", b"row:%d" % number, contents, b"slot:%d" % slot, contents)
        self._commits += 1
        if self._commits % _REWRITE_AFTER == 0:
            with suppress(RedisError):  # one is going on
                self.ask(b"BGREWRITEAOF")

    def rows(self) -> dict[int, bytes]:
        return self._kind(b"row:")

    def slots(self) -> dict[int, bytes]:
        return self._kind(b"slot:")

    def damage(self) -> list[str]:
        return []  # it checks its files, when it is at rest

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def ask(self, *words: bytes) -> object:
        """Send one command; return its answer."""
        sent = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
        self._socket.sendall(b"*%d\r\n" % len(words) + sent)
        return self._answer()

    def _kind(self, prefix: bytes) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        keys = self.ask(b"KEYS", prefix + b"*")
        assert isinstance(keys, list)
        for key in keys:
            value = self.ask(b"GET", key)
            assert isinstance(value, bytes)
            found[int(key[len(prefix) :])] = value
        return found

    def _answer(self) -> object:
        kind, rest = (line := self._answers.readline())[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._answers.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self._answer() for _ in range(int(rest))]
        raise RedisError(line.decode(errors="replace"))


if __name__ == "__main__":
    sys.exit(main(Redis))
