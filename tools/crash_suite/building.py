"""Programs that the suite builds from sources of this project, below ``build/crash_suite``."""

import subprocess
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pagewriters

ROOT: Final = pagewriters.ROOT
FOLDER: Final = ROOT / "build" / "crash_suite"
_FAULTY: Final = ROOT / "tools" / "pagealloc" / "faulty"
_SUITE: Final = ROOT / "tools" / "crash_suite"


@dataclass(frozen=True)
class Built:
    """A program that is built when it is first needed."""

    name: str
    folder: Path
    needs: str
    """The compiler."""
    build: str
    """Command for sh, run in *folder*; leaves the program as ``$BINARY``."""

    @property
    def binary(self) -> Path:
        return FOLDER / self.name

    def make(self) -> None:
        """Build it unless it is newer than its sources.

        Raises:
            subprocess.CalledProcessError: the build failed.
        """
        newest = max(path.stat().st_mtime for path in self._sources())
        if self.binary.exists() and self.binary.stat().st_mtime >= newest:
            return
        FOLDER.mkdir(parents=True, exist_ok=True)
        environment = ["env", f"BINARY={self.binary}", f"CARGO_TARGET_DIR={FOLDER / 'target'}"]
        subprocess.run([*environment, "sh", "-c", self.build], cwd=self.folder, check=True)

    def _sources(self) -> Iterable[Path]:
        return (path for path in self.folder.rglob("*") if path.is_file())


BOLT: Final = Built("bolt", _SUITE / "bolt", "go", 'go build -buildvcs=false -o "$BINARY" .')
REDB: Final = Built(
    "redb",
    _SUITE / "redb",
    "cargo",
    'cargo build --release --quiet --locked && cp "$CARGO_TARGET_DIR/release/redb" "$BINARY"',
)


def faulty(file: str) -> Built:
    """Return the faulty page writer *file*, a row of ``tools/pagealloc/faulty/expected.toml``."""
    rows = tomllib.loads((_FAULTY / "expected.toml").read_text())["program"]
    (build,) = [row["build"] for row in rows if row["file"] == file]
    path = _FAULTY / file
    return Built(file.replace("/", "-").replace(".", "-"), path.parent, build.split()[0], build)
