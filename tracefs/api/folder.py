"""Where a recording of the Python API goes."""

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TypeAlias

from tracefs.errors import RecordingError
from tracefs.journal.format import SUFFIX
from tracefs.journal.recordings import is_inside, state_dir
from tracefs.pathtext import to_text

AnyPath: TypeAlias = str | os.PathLike[str]


class Folder:
    """The folder of a recording of *directory*, outside of it.

    A temporary one is removed once nobody holds this object any more, at the latest when the
    interpreter ends; a process that was forked off leaves it alone.
    """

    def __init__(self, directory: Path, keep: AnyPath | None) -> None:
        """Use *keep*, which is made later; None: make a temporary one.

        Raises:
            RecordingError: It lies in *directory*, holds something, or can't be made.
        """
        if keep is not None:
            self.path = Path(keep).absolute()
            if is_inside(self.path, directory):
                raise RecordingError(
                    f"the recording ({_text(self.path)}) would lie inside the traced directory",
                    repair="name a folder outside it",
                )
            _require_empty(self.path)
            return
        self.path = Path(tempfile.mkdtemp(SUFFIX, "tracefs-", _place(directory)))
        weakref.finalize(self, _remove, self.path, os.getpid())


def _place(directory: Path) -> str:
    """Return a directory for temporary files that does not lie in *directory*."""
    state = state_dir(os.environ)
    for place in (Path(tempfile.gettempdir()), state):
        if not is_inside(place, directory):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.fspath(place)
    raise RecordingError(
        f"a temporary recording would lie inside {_text(directory)}",
        repair="name a folder outside with keep=PATH, or trace a smaller directory",
    )


def _require_empty(path: Path) -> None:
    try:
        empty = not os.listdir(path)
    except FileNotFoundError:
        return  # it is to be made
    except OSError as error:
        raise RecordingError(f"{_text(path)}: {error.strerror}") from error
    if not empty:
        raise RecordingError(f"{_text(path)}: it exists and is not empty")


def _text(path: Path) -> str:
    return to_text(os.fsencode(path))


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)
