"""What a directory holds, as hashes, so that two can be compared."""

import hashlib
import os
import stat
from collections.abc import Iterator

from tracefs.pathtext import to_text


def tree(directory: bytes) -> dict[str, str]:
    """Return of each name below *directory*, path text, what it is.

    A file's bytes as ``file MODE SIZE SHA-256``, else the type with mode or target. Owners, times
    and extended attributes are left out.

    Raises:
        OSError: something can't be read.
    """
    return {to_text(path): _told(os.path.join(directory, path)) for path in _below(directory)}


def digest(found: dict[str, str]) -> str:
    """Return one hash of all of it, the same for the same content."""
    lines = sorted(f"{path}\0{what}\0" for path, what in found.items())
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _below(directory: bytes, prefix: bytes = b"") -> Iterator[bytes]:
    with os.scandir(os.path.join(directory, prefix) if prefix else directory) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = os.path.join(prefix, entry.name)
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _below(directory, path)


def _told(path: bytes) -> str:
    status = os.lstat(path)
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return f"file {mode} {status.st_size} {content}"
    if stat.S_ISLNK(status.st_mode):
        return f"link to {to_text(os.readlink(path))}"
    return f"{'directory' if stat.S_ISDIR(status.st_mode) else 'special file'} {mode}"
