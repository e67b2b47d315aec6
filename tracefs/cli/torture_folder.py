"""Where the runs of ``tracefs torture`` have their folders."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracefs.errors import RecordingError, UsageError
from tracefs.journal.recordings import is_inside


@contextmanager
def folder(keep: str | None, directory: Path) -> Iterator[Path]:
    """Have a folder for the runs; it stays if it is to be kept, and anything is in it.

    Raises:
        UsageError: it lies in the directory that is copied.
        RecordingError: it exists, or can't be made.
    """
    chosen = Path(tempfile.mkdtemp(prefix="tracefs-torture-")) if keep is None else Path(keep)
    chosen = chosen.absolute()
    try:
        if is_inside(chosen, directory):
            raise UsageError(
                f"{chosen} lies in the directory that is copied for each run",
                repair="name a folder elsewhere with --keep, or set TMPDIR",
            )
        if keep is not None:
            _make(chosen)
        yield chosen
    finally:
        if keep is None:
            shutil.rmtree(chosen, ignore_errors=True)
        elif chosen.is_dir() and not any(chosen.iterdir()):
            chosen.rmdir()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        if not folder.is_dir() or any(folder.iterdir()):
            raise RecordingError(
                f"{folder} exists", repair="name a new folder with --keep"
            ) from None
    except OSError as error:
        raise RecordingError(f"{folder} can't be made: {error.strerror}") from None
