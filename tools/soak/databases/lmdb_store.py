"""LMDB. The variant: ``plain``, or ``writemap`` for stores through a shared mapping."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import lmdb

from soak.databases.client import Setting, main

_MAP_SIZE: Final = 1 << 28


class LMDB:
    """The library; nothing serves it."""

    def __init__(self, setting: Setting) -> None:
        self._writemap = setting.variant == "writemap"

    @contextmanager
    def serving(self, *, busy: bool) -> Iterator[None]:
        del busy
        Path("db").mkdir(exist_ok=True)
        yield

    def store(self) -> "Environment":
        env = lmdb.open("db", map_size=_MAP_SIZE, max_dbs=2, writemap=self._writemap)
        return Environment(env)

    def damage_at_rest(self) -> list[str]:
        command = [sys.executable, "-P", "-m", "lmdb", "-e", "db", "verify"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return [] if done.returncode == 0 else [f"verify: {done.stdout}{done.stderr}"]


class Environment:
    """An open database; each use of it is a transaction of its own."""

    def __init__(self, env: lmdb.Environment) -> None:
        self._env = env
        self._rows = env.open_db(b"rows")
        self._slots = env.open_db(b"slots")

    def commit(self, number: int, contents: bytes, slot: int) -> None:
        with self._env.begin(write=True) as transaction:
            transaction.put(b"%012d" % number, contents, db=self._rows)
            transaction.put(b"%012d" % slot, contents, db=self._slots)

    def rows(self) -> dict[int, bytes]:
        with self._env.begin(db=self._rows) as transaction:
            return {int(bytes(key)): bytes(value) for key, value in transaction.cursor()}

    def slots(self) -> dict[int, bytes]:
        with self._env.begin(db=self._slots) as transaction:
            return {int(bytes(key)): bytes(value) for key, value in transaction.cursor()}

    def damage(self) -> list[str]:
        # A compacting copy reads every page, and fails where the free pages don't add up.
        with tempfile.TemporaryDirectory() as directory:
            try:
                self._env.copy(directory, compact=True)
            except lmdb.Error as error:
                return [f"copy: {error}"]
        return []

    def close(self) -> None:
        self._env.close()


if __name__ == "__main__":
    sys.exit(main(LMDB))
