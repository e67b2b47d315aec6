"""The programs that are put under faults, each in a way to use it that promises durability."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from soak.programs import GIT, LEVELDB, LMDB, POSTGRES, REDIS, ROCKSDB, Program

Version = Callable[[Path], str]
"""Says a version; it is given a directory with a store in ``db``."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """One program, used in one way."""

    name: str
    title: str
    """Name of the program, as people know it."""
    use: str
    """How it is used, for the table."""
    engine: str
    """Its name in `judges.client.ENGINES`."""
    variant: str = ""
    needs: tuple[Program, ...] = ()
    limit_s: int = 40
    """A run that takes longer hangs."""
    version: Version

    @property
    def missing(self) -> tuple[Program, ...]:
        """Programs that are not installed."""
        return tuple(program for program in self.needs if program.path is None)


def _module(name: str, say: str) -> Version:
    """Return what asks the module *name* for its attribute *say*, or for what that returns."""

    def version(_: Path) -> str:
        said = getattr(import_module(name), say)
        said = said() if callable(said) else said
        return ".".join(map(str, said)) if isinstance(said, tuple) else str(said)

    return version


def _command(program: Program) -> Version:
    def version(_: Path) -> str:
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, check=True
        )
        found = re.search(r"\d+(\.\d+)+", done.stdout)
        return found[0] if found else done.stdout.strip()

    return version


def _rocksdb(directory: Path) -> str:
    # The binding tells only its own version; the library writes its own into each store.
    options = max((directory / "db").glob("OPTIONS-*"))
    found = re.search(r"rocksdb_version=(\S+)", options.read_text())
    return found[1] if found else "unknown"


_SQLITE: Final = _module("sqlite3", "sqlite_version")

JUDGES: Final = (
    Judge(
        name="sqlite-delete",
        title="SQLite",
        use="rollback journal, `synchronous=FULL`",
        engine="sqlite",
        variant="delete,full,4096,0",
        version=_SQLITE,
    ),
    Judge(
        name="sqlite-wal",
        title="SQLite",
        use="WAL, `synchronous=FULL`",
        engine="sqlite",
        variant="wal,full,4096,0",
        version=_SQLITE,
    ),
    Judge(
        name="git",
        title="git",
        use="`core.fsync` as it is",
        engine="git",
        needs=(GIT,),
        version=_command(GIT),
    ),
    Judge(
        name="git-all",
        title="git",
        use="`core.fsync=all`",
        engine="git",
        variant="all",
        needs=(GIT,),
        version=_command(GIT),
    ),
    Judge(
        name="lmdb",
        title="LMDB",
        use="as it is: `pwrite` and `fdatasync`",
        engine="lmdb",
        variant="plain",
        needs=(LMDB,),
        version=_module("lmdb", "version"),
    ),
    Judge(
        name="leveldb",
        title="LevelDB",
        use="`sync` in each write",
        engine="leveldb",
        needs=(LEVELDB,),
        version=_module("plyvel", "__leveldb_version__"),
    ),
    Judge(
        name="leveldb-large",
        title="LevelDB",
        use="the same, values up to 36 KB",
        engine="leveldb",
        variant="4",
        needs=(LEVELDB,),
        version=_module("plyvel", "__leveldb_version__"),
    ),
    Judge(
        name="rocksdb",
        title="RocksDB",
        use="`sync` in each write",
        engine="rocksdb",
        variant="plain",
        needs=(ROCKSDB,),
        version=_rocksdb,
    ),
    Judge(
        name="redis",
        title="Redis",
        use="`appendfsync always`",
        engine="redis",
        variant="log",
        needs=(REDIS,),
        version=_command(REDIS),
    ),
    Judge(
        name="postgres",
        title="PostgreSQL",
        use="`wal_sync_method=fdatasync`",
        engine="postgres",
        variant="fdatasync,small",
        needs=(POSTGRES,),
        # After a crash it syncs each of its thousand files.
        limit_s=180,
        version=_command(POSTGRES),
    ),
)
