"""Programs that suites need, and where each comes from."""

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BUILT: Final = Path(__file__).resolve().parents[2] / "build" / "programs"
"""Where ``tools/setup --soak`` has Cargo install crates."""


@dataclass(frozen=True)
class Program:
    """One program, found or not."""

    name: str
    debian: str = ""
    """Package of Debian that has it."""
    crate: str = ""
    """Crate and version that it is built from, as Cargo spells them: ``fsx@0.3.2``."""
    module: str = ""
    """The Python module that it is instead; the extra ``soak`` has its package."""
    folders: str = ""
    """Pattern, below the root, of folders off PATH that have it where there are such."""

    @property
    def path(self) -> str | None:
        """Where it is; None: nowhere."""
        if self.crate:
            return shutil.which(self.name, path=str(BUILT / "bin"))
        if self.module:
            spec = importlib.util.find_spec(self.module)
            return None if spec is None else spec.origin
        # The newest version, as their numbers go.
        folders = sorted(Path("/").glob(self.folders), key=_version) if self.folders else []
        beside = os.pathsep.join(os.fspath(folder) for folder in reversed(folders))
        return shutil.which(self.name, path=beside) if beside else shutil.which(self.name)

    @property
    def source(self) -> str:
        """What to install: ``crate:NAME@VERSION``, ``debian:PACKAGE`` or ``extra:soak``."""
        if self.module:
            return "extra:soak"
        return f"crate:{self.crate}" if self.crate else f"debian:{self.debian}"

    def __str__(self) -> str:
        return self.path or self.name


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parts if part.isdigit())


DBENCH = Program("dbench", debian="dbench")
STRACE = Program("strace", debian="strace")
REDIS = Program("redis-server", debian="redis-server")
LMDB = Program("lmdb", module="lmdb")
LEVELDB = Program("plyvel", module="plyvel")
ROCKSDB = Program("rocksdict", module="rocksdict")
PJDFSTEST = Program("pjdfstest", crate="pjdfstest@0.2.2")
FSX = Program("fsx", crate="fsx@0.3.2")
FIO = Program("fio", debian="fio")
STRESS_NG = Program("stress-ng", debian="stress-ng")
GIT = Program("git", debian="git")
VIM = Program("vim", debian="vim")
DPKG = Program("dpkg", debian="dpkg")
RSYNC = Program("rsync", debian="rsync")
SETFACL = Program("setfacl", debian="acl")
TAR = Program("tar", debian="tar")
CARGO = Program("cargo", debian="cargo")
GO = Program("go", debian="golang-go")
# Debian's alternatives put its client programs on PATH, and not what makes and runs a server.
INITDB = Program("initdb", debian="postgresql", folders="usr/lib/postgresql/*/bin")
POSTGRES = Program("postgres", debian="postgresql", folders="usr/lib/postgresql/*/bin")
