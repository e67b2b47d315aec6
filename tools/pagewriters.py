"""The page writers in their languages, as tests/pagealloc/writers.toml lists them."""

import argparse
import shutil
import sys
import tomllib
from collections.abc import Iterable
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


def chosen(description: str, *flags: str) -> argparse.Namespace:
    """Return a tool's command line: as `writers` those that are named, or all; and *flags*.

    Ends the process with exit code 2 where the arguments are wrong.
    """
    parser = argparse.ArgumentParser(description=description)
    for flag in flags:
        parser.add_argument(flag, action="store_true", help="go on without a language's compiler")
    parser.add_argument("--manifest", type=Path, default=MANIFEST, help="another list of writers")
    parser.add_argument("names", nargs="*", metavar="NAME", help="these and no others")
    given = parser.parse_args()
    writers = listed(given.manifest)
    unknown = set(given.names) - {writer.name for writer in writers}
    if unknown:
        parser.error(f"no writer is called {', '.join(sorted(unknown))}")
    given.writers = [w for w in writers if not given.names or w.name in given.names]
    return given


def complain_of_missing(writers: Iterable[Writer], participle: str) -> None:
    """Name the programs that *writers* lack, each with the line that installs it."""
    for writer in writers:
        lacking = " and no ".join(writer.lacking())
        complain(f"{writer.language} is not {participle}: no {lacking}; install: {writer.install}")


def complain(message: str) -> None:
    print(f"pagealloc: {message}", file=sys.stderr, flush=True)
