"""RocksDB. The variant: ``plain``, ``fsync``, ``mmap`` (of its tables), ``direct`` (O_DIRECT)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import rocksdict

from soak.databases.client import Setting, main

_BUFFER: Final = 1 << 16  # so small that tables are written and compacted in every round


class RocksDB:
    """The library; nothing serves it."""

    def __init__(self, setting: Setting) -> None:
        self._variant = setting.variant

    @contextmanager
    def serving(self, *, busy: bool) -> Iterator[None]:
        del busy
        Path("db").mkdir(exist_ok=True)
        yield

    def store(self) -> "Database":
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_paranoid_checks(True)
        options.set_write_buffer_size(_BUFFER)
        options.set_target_file_size_base(_BUFFER)
        options.set_level_zero_file_num_compaction_trigger(2)
        options.set_use_fsync(self._variant == "fsync")
        options.set_allow_mmap_reads(self._variant == "mmap")
        options.set_allow_mmap_writes(self._variant == "mmap")
        options.set_use_direct_reads(self._variant == "direct")
        options.set_use_direct_io_for_flush_and_compaction(self._variant == "direct")
        return Database(rocksdict.Rdict("db", options))

    def damage_at_rest(self) -> list[str]:
        return []


class Database:
    """An open database."""

    def __init__(self, db: rocksdict.Rdict) -> None:
        self._db = db
        self._synced = rocksdict.WriteOptions()
        self._synced.sync = True
        self._checked = rocksdict.ReadOptions()
        self._checked.set_verify_checksums(True)

    def commit(self, number: int, contents: bytes, slot: int) -> None:
        batch = rocksdict.WriteBatch(raw_mode=True)
        batch.put(b"r%012d" % number, contents)
        batch.put(b"s%012d" % slot, contents)
        self._db.write(batch, self._synced)

    def rows(self) -> dict[int, bytes]:
        return self._kind(b"r")

    def slots(self) -> dict[int, bytes]:
        return self._kind(b"s")

    def damage(self) -> list[str]:
        # Compaction reads each block of each table, and fails at a wrong checksum.
        try:
            self._db.flush()
            self._db.compact_range(None, None)
        except Exception as error:  # noqa: BLE001  # rocksdict raises no type of its own
            return [f"compaction: {error}"]
        return []

    def close(self) -> None:
        self._db.close()

    def _kind(self, kind: bytes) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for key, value in self._db.items(read_opt=self._checked):
            assert isinstance(key, bytes)  # raw mode
            if key[:1] == kind:
                found[int(key[1:])] = value
        return found


if __name__ == "__main__":
    sys.exit(main(RocksDB))
