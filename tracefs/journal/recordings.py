"""Where recordings live: naming, finding, listing and deleting them."""

import contextlib
import os
import pwd
import re
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from tracefs.errors import RecordingError
from tracefs.events import Header
from tracefs.journal import imported, lock
from tracefs.journal.deletion import delete
from tracefs.journal.format import IMPORT, JOURNAL, KEPT, SUFFIX
from tracefs.journal.reader import JournalReader
from tracefs.pathtext import to_text

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._+-]+")
_LOOK: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_NAME_LENGTH: Final = 64
"""Characters of a command name that a folder's name keeps; well below NAME_MAX (255)."""


class Recording(Struct, frozen=True, kw_only=True):
    """One recording in a list."""

    path: Path
    header: Header | None
    """None: it can't be read, see *problem*."""
    problem: str | None
    size: int
    """Bytes in all its files."""
    started: datetime
    """When recording began; the journal's last change where the header doesn't say."""
    running: bool
    """It is still being written."""


def state_dir(env: Mapping[str, str]) -> Path:
    """Return the directory of recordings for the environment *env*.

    ``$XDG_STATE_HOME/tracefs``, else ``~/.local/state/tracefs``; relative values are ignored
    (XDG Base Directory Specification 0.8).
    """
    state = env.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):
        return Path(state, "tracefs")
    home = env.get("HOME", "")
    if not os.path.isabs(home):
        home = pwd.getpwuid(os.getuid()).pw_dir
    return Path(home, ".local", "state", "tracefs")


def new_folder(command_name: str, when: datetime, base: Path) -> Path:
    """Make an empty folder below *base* for a recording, and return it.

    Args:
        command_name: what is recorded, any text; the part after the last slash names the folder.
        when: start time, in the zone that the name should show.
        base: made with mode 0700 if it is missing.

    Raises:
        RecordingError: it can't be made.
    """
    stem = f"{_safe(command_name)}-{when:%Y%m%d-%H%M%S}"
    try:
        _make_private(base)
        # mkdir(2) decides between two starts in one second.
        number = 1
        while True:
            folder = base / (f"{stem}{SUFFIX}" if number == 1 else f"{stem}-{number}{SUFFIX}")
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                number += 1
            else:
                return folder
    except OSError as error:
        raise RecordingError(
            f"cannot make a recording in {_name(base)}: {error.strerror}",
            repair="Name a folder for the recording with -o.",
        ) from error


def _make_private(folder: Path) -> None:
    """Make *folder* and those above it with mode 0700, as the specification asks, if missing."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def list_recordings(base: Path) -> list[Recording]:
    """Return the recordings in *base*, newest last; one that is broken is listed with its problem.

    Raises:
        RecordingError: *base* exists and can't be read.
    """
    found = [recording for path in _folders(base) if (recording := _look(path)) is not None]
    return sorted(found, key=_order)


def latest(base: Path) -> Path:
    """Return the newest recording in *base*, which may still be running.

    Raises:
        RecordingError: there is none.
    """
    recordings = list_recordings(base)
    if not recordings:
        raise RecordingError(
            f"there is no recording in {_name(base)} yet",
            repair="Make one with `tracefs run -- COMMAND`, or name a recording.",
        )
    return recordings[-1].path


def resolve(name: str | None, base: Path) -> Path | Literal["-"]:
    """Return the recording that a user means by *name*.

    None is the latest, ``-`` standard input; else a path to a folder or journal, or the name of a
    recording in *base* with or without its ending. Of one that was imported it is the text.

    Raises:
        RecordingError: there is no such recording.
    """
    if name == "-":
        return "-"
    found = _found(name, base)
    return imported.text_of(found) or found


def _found(name: str | None, base: Path) -> Path:
    if name is None:
        return latest(base)
    try:
        os.lstat(name)
        return Path(name)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise RecordingError(f"cannot read {_name(name)}: {error.strerror}") from error
    if name and "/" not in name:
        for candidate in (base / name, base / f"{name}{SUFFIX}"):
            if candidate.exists():
                return candidate
    raise RecordingError(
        f"there is no recording {_name(name)}", repair="`tracefs list` shows what there is."
    )


def prune(keep: int, base: Path) -> list[Path]:
    """Delete all but the newest *keep* recordings in *base*; return the deleted, oldest first.

    One that is still being written stays. Only real folders that hold a journal and have the right
    ending are deleted, symbolic links are never followed.

    Raises:
        RecordingError: one could not be deleted; the others were.
    """
    recordings = list_recordings(base)
    deleted = []
    failed = []
    for recording in recordings[: max(len(recordings) - keep, 0)]:
        try:
            if delete(recording.path):
                deleted.append(recording.path)
        except OSError as error:
            failed.append(f"{_name(recording.path)}: {error.strerror}")
        except RecursionError:
            failed.append(f"{_name(recording.path)}: its folders lie too deep")
    if failed:
        raise RecordingError(f"cannot delete {'; '.join(failed)}")
    return deleted


def is_inside(path: Path, directory: Path) -> bool:
    """Return whether *path*, which need not exist, lies in *directory* or is it.

    Compares real paths, and device and inode of each ancestor, so that neither a symbolic link nor
    a bind mount hides it.
    """
    real = Path(os.path.realpath(path))
    inside = Path(os.path.realpath(directory))
    if real.is_relative_to(inside):
        return True
    identity = _identity(inside)
    return identity is not None and any(
        _identity(ancestor) == identity for ancestor in (real, *real.parents)
    )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _safe(command_name: str) -> str:
    last = command_name.rstrip("/").rpartition("/")[2]
    # A leading dot hides a folder, a leading dash looks like an option.
    return _UNSAFE.sub("_", last)[:_NAME_LENGTH].strip("._-") or "recording"


def _folders(base: Path) -> list[Path]:
    try:
        with os.scandir(base) as entries:
            return [
                base / entry.name
                for entry in entries
                if entry.name.endswith(SUFFIX) and entry.is_dir(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RecordingError(f"cannot read {_name(base)}: {error.strerror}") from error


def _look(path: Path) -> Recording | None:
    """Return what *path* holds; None when it is no recording, or gone by now."""
    for file in (JOURNAL, IMPORT):
        try:
            status = os.lstat(path / file)
        except PermissionError:
            status = os.lstat(path)
        except OSError:
            continue
        else:
            if not stat.S_ISREG(status.st_mode):
                continue
        return _recording(path, status, is_imported=file == IMPORT)
    return None


def _recording(path: Path, status: os.stat_result, *, is_imported: bool) -> Recording:
    header: Header | None = None
    problem = None
    try:
        header = imported.read(path).header if is_imported else _header(path)
    except RecordingError as error:
        problem = str(error)
    started = datetime.fromtimestamp(status.st_mtime, UTC)
    return Recording(
        path=path,
        header=header,
        problem=problem,
        size=_size(path),
        started=_start(header) or started,
        running=_is_running(path),
    )


def _header(path: Path) -> Header:
    with JournalReader(path) as reader:
        return reader.header


def _start(header: Header | None) -> datetime | None:
    try:
        start = datetime.fromisoformat(header.started) if header is not None else None
    except ValueError:
        return None
    return start if start is None or start.tzinfo is not None else start.replace(tzinfo=UTC)


def _order(recording: Recording) -> tuple[datetime, int, str]:
    start_ns = recording.header.start_ns if recording.header is not None else 0
    return recording.started, start_ns, recording.path.name


def _size(path: Path) -> int:
    """Return how many bytes the files have, those of the starting tree among them."""
    size = 0
    for folder in (path, path / KEPT):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            size += sum(
                entry.stat(follow_symlinks=False).st_size
                for entry in entries
                if not entry.is_dir(follow_symlinks=False)
            )
    return size


def _is_running(path: Path) -> bool:
    try:
        descriptor = os.open(path / JOURNAL, _LOOK)
    except OSError:
        return False
    try:
        return lock.is_held(descriptor)
    finally:
        os.close(descriptor)


def _name(path: Path | str) -> str:
    return to_text(os.fsencode(path))
