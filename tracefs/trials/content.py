"""A hash of all that decides what runs do: results of other programs are no results of these."""

import hashlib
import os
import shlex
import shutil
import stat
from collections.abc import Iterable, Iterator

_BLOCK = 1 << 20


def content_hash(directory: str | None, command: Iterable[str], check: str | None) -> str:
    """Return a hash of *directory*, if any, and of each file that *command* or *check* names.

    Of what is no file the name and kind count; of a directory that can't be read, that it can't.
    """
    digest = hashlib.sha256()
    below = () if directory is None else _below(os.fsencode(directory))
    for path in (*below, *_named([*command, *_words(check)])):
        _add(digest, path)
    return digest.hexdigest()


def _words(check: str | None) -> list[str]:
    try:
        return shlex.split(check or "")
    except ValueError:
        return (check or "").split()


def _named(words: Iterable[str]) -> Iterator[bytes]:
    for word in words:
        found = word if os.path.isfile(word) else shutil.which(word)
        if found is not None:
            yield os.fsencode(found)


def _below(directory: bytes) -> Iterator[bytes]:
    yield directory
    for path, directories, files in os.walk(directory):
        directories.sort()
        for name in sorted((*directories, *files)):
            yield os.path.join(path, name)


def _add(digest: "hashlib._Hash", path: bytes) -> None:
    try:
        info = os.lstat(path)
        digest.update(b"%d %s %o\0" % (len(path), path, info.st_mode))
        if stat.S_ISLNK(info.st_mode):
            digest.update(os.readlink(path) + b"\0")
        if os.path.isfile(path):
            with open(path, "rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
    except OSError as error:
        digest.update(b"error %d\0" % (error.errno or 0))
