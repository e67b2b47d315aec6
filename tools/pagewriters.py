"""The page writers in their languages, as tests/pagealloc/writers.toml lists them."""

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
MANIFEST: Final = ROOT / "tests" / "pagealloc" / "writers.toml"


@dataclass(frozen=True)
class Writer:
    """A row of the manifest, which explains the columns; paths are relative to the checkout."""

    name: str
    language: str
    folder: str
    binary: str
    needs: list[str]
    install: str
    build: str
    loop: str
    loop_build: str

    @property
    def command(self) -> str:
        """The path of the command, built or not."""
        return str(ROOT / self.binary)

    def lacking(self) -> list[str]:
        """Return the programs that the build needs and PATH doesn't have."""
        return [program for program in self.needs if shutil.which(program) is None]


def listed(manifest: Path = MANIFEST) -> list[Writer]:
    """Return the rows of *manifest*.

    Raises:
        OSError, tomllib.TOMLDecodeError: The file can't be read.
        TypeError: A row has a column too many or too few.
    """
    return [Writer(**row) for row in tomllib.loads(manifest.read_text())["writer"]]
