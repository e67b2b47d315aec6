"""Programs that suites need, and where each comes from."""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """One program, found on PATH or not."""

    name: str
    debian: str = ""
    """Package of Debian that has it."""
    folders: str = ""
    """Pattern below the root of folders off PATH that may have it."""
    module: str = ""
    """The Python module that it is instead; the extra ``soak`` has its package."""

    @property
    def path(self) -> str | None:
        """Where it is; None: nowhere."""
        if self.module:
            spec = importlib.util.find_spec(self.module)
            return None if spec is None else spec.origin
        found = shutil.which(self.name)
        if found is None and self.folders:
            # The newest version, as their numbers go.
            for folder in sorted(Path("/").glob(self.folders), key=_version, reverse=True):
                found = found or shutil.which(self.name, path=str(folder))
        return found


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parts if part.isdigit())


DBENCH = Program("dbench", debian="dbench")
STRACE = Program("strace", debian="strace")
REDIS = Program("redis-server", debian="redis-server")
# Debian puts its clients on PATH, and not what makes and runs a server.
POSTGRES = Program("postgres", debian="postgresql", folders="usr/lib/postgresql/*/bin")
LMDB = Program("lmdb", module="lmdb")
ROCKSDB = Program("rocksdict", module="rocksdict")
