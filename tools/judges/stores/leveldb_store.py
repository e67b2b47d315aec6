"""LevelDB, each write with ``sync``. The variant: how often a value has its contents, or empty.

With large values a record of its log crosses the log's blocks of 32 KiB.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import plyvel
from soak.databases.client import Setting

_BUFFER: Final = 1 << 16


class LevelDB:
    """The library; nothing serves it."""

    def __init__(self, setting: Setting) -> None:
        self._times = int(setting.variant or 1)

    @contextmanager
    def serving(self, *, busy: bool) -> Iterator[None]:
        del busy
        Path("db").mkdir(exist_ok=True)
        yield

    def store(self) -> "Database":
        db = plyvel.DB("db", create_if_missing=True, write_buffer_size=_BUFFER)
        return Database(db, self._times)

    def damage_at_rest(self) -> list[str]:
        return []


class Database:
    """An open database."""

    def __init__(self, db: plyvel.DB, times: int) -> None:
        self._db = db
        self._times = times

    def commit(self, number: int, contents: bytes, slot: int) -> None:
        with self._db.write_batch(sync=True) as batch:
            batch.put(b"r%012d" % number, contents * self._times)
            batch.put(b"s%012d" % slot, contents * self._times)

    def rows(self) -> dict[int, bytes]:
        return self._kind(b"r")

    def slots(self) -> dict[int, bytes]:
        return self._kind(b"s")

    def damage(self) -> list[str]:
        # Compaction reads each block of each table, and fails at a wrong checksum.
        try:
            self._db.compact_range()
            for _ in self._db.iterator(verify_checksums=True):
                pass
        except plyvel.Error as error:
            return [f"compaction: {error}"]
        return []

    def close(self) -> None:
        self._db.close()

    def _kind(self, kind: bytes) -> dict[int, bytes]:
        pairs = self._db.iterator(prefix=kind, verify_checksums=True)
        return {int(key[1:]): self._one(value) for key, value in pairs}

    def _one(self, value: bytes) -> bytes:
        """Return what *value* holds several times; as it is, if it doesn't."""
        one = value[: len(value) // self._times]
        return one if one * self._times == value else value
