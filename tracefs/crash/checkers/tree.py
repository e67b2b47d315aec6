"""Files of a state's directory."""

import os
from collections.abc import Iterator
from pathlib import Path


def files(directory: Path) -> Iterator[Path]:
    """Yield the regular files below *directory*, symbolic links not among them, by their names."""
    for folder, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def inside(directory: Path, name: str) -> Path:
    """Return the path of *name*, which an acknowledgement gives relative to *directory*."""
    return directory / name.lstrip("/")


def begin(path: Path, size: int) -> bytes:
    """Return the first *size* bytes of a file, or fewer where it has no more."""
    with path.open("rb") as file:
        return file.read(size)
