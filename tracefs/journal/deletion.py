"""Deleting one recording, and nothing else."""

import errno
import os
import shutil
import stat
from pathlib import Path
from typing import Final

from tracefs.journal import lock
from tracefs.journal.format import IMPORT, JOURNAL

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_RECORDING: Final = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR}


def delete(path: Path) -> bool:
    """Delete the recording *path*, a real folder that holds a journal nobody writes, or an import.

    Returns:
        False when it stays because it is no such folder.

    Raises:
        OSError: it should have gone, but could not be read or deleted in full.
    """
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        journal = _open_journal(path.name, parent)
        if journal is None:
            return False
        try:
            if not stat.S_ISREG(os.fstat(journal).st_mode) or not lock.take(journal):
                return False
            # Works through descriptors: a folder that was swapped for a link is refused.
            shutil.rmtree(path.name, dir_fd=parent)
        finally:
            os.close(journal)
    finally:
        os.close(parent)
    return True


def _open_journal(name: str, parent: int) -> int | None:
    try:
        folder = os.open(name, _DIRECTORY, dir_fd=parent)
        try:
            try:
                return os.open(JOURNAL, _FILE, dir_fd=folder)
            except FileNotFoundError:
                return os.open(IMPORT, _FILE, dir_fd=folder)
        finally:
            os.close(folder)
    except OSError as error:
        if error.errno in _NO_RECORDING:
            return None
        raise
