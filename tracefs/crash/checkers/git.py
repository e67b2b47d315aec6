"""Git repositories: ``git fsck`` finds nothing, and acknowledged commits are in some ref's history.

Looked at: every folder with ``objects`` and ``refs`` in it, or that is called ``.git``. What fsck
says of objects that nothing refers to counts as well, since Git doesn't write such an object anew
when it is added again, and so would lose it; but not files under a temporary name (``tmp_obj_*``),
nor locks that are left: both are what a ``kill -9`` leaves, and Git passes over them.

An acknowledgement is a commit's name, in full or shortened.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tracefs.crash.checkers.facts import not_understood
from tracefs.crash.checkers.ready import CheckerError, Ready

_FORM: Final = "COMMIT"
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
_SURE: Final = ("-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "gc.auto=0")


def ask(directory: Path, acks: Sequence[str]) -> str | None:
    """Return what is wrong with the repositories below *directory*, None: nothing.

    Raises:
        CheckerError: Git isn't installed, or an acknowledgement isn't understood.
    """
    if (needed := lacks()) is not None:
        raise CheckerError(needed)
    for ack in acks:
        if not _COMMIT.fullmatch(ack):
            raise not_understood(ack, _FORM)
    repositories = sorted(_repositories(directory))
    if not repositories:
        return f"no repository; acknowledged: commit {acks[0]}" if acks else None
    for repository in repositories:
        if (wrong := _fsck(repository)) is not None:
            return f"{repository.relative_to(directory)}: {wrong}"
    for ack in dict.fromkeys(acks):
        if not any(_has(repository, ack) for repository in repositories):
            return f"acknowledged commit lost: {ack}"
    return None


def lacks() -> str | None:
    """Return what has to be installed, None where nothing has."""
    return None if shutil.which("git") else "git is not installed: apt-get install git"


def _repositories(directory: Path) -> Iterator[Path]:
    for path in (directory, *directory.rglob("*")):
        if not path.is_dir() or path.is_symlink() or not any(path.iterdir()):
            continue
        if path.name == ".git" or ((path / "objects").is_dir() and (path / "refs").is_dir()):
            yield path


def _fsck(repository: Path) -> str | None:
    done = _git(repository, "fsck", "--full", "--strict", "--no-dangling", "--no-progress")
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() + done.stdout.splitlines() if line]
    telling = [line for line in lines if line.startswith(("error", "fatal"))] or lines
    return f"git fsck: {telling[0] if telling else f'status {done.returncode}'}"


def _has(repository: Path, commit: str) -> bool:
    done = _git(repository, "for-each-ref", "--count=1", "--contains", commit)
    if done.returncode == 0 and done.stdout:
        return True
    # A HEAD that leads to no ref, as in the middle of a rebase.
    return _git(repository, "merge-base", "--is-ancestor", commit, "HEAD").returncode == 0


def _git(repository: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *_SURE, f"--git-dir={repository}", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


READY: Final = Ready(
    name="git",
    help="Git repositories: git fsck is content, and acknowledged commits are in a ref's history",
    acks=_FORM,
    ask=ask,
    lacks=lacks,
)
