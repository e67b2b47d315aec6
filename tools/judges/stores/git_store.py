"""git: each commit adds one file and replaces another. The variant: its ``core.fsync``, or empty.

Authors and dates are given, so a commit's id tells its history.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from soak.databases.client import Setting

_PACK_EACH: Final = 3
"""One commit of so many has all objects packed before it."""
_ENVIRONMENT: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "a"), ("EMAIL", "a@example.org"), ("DATE", "@1 +0000"))
    },
}


class Git:
    """A repository in ``db``."""

    def __init__(self, setting: Setting) -> None:
        self._fsync = setting.variant

    @contextmanager
    def serving(self, *, busy: bool) -> Iterator[None]:
        del busy
        yield

    def store(self) -> "Repository":
        if not Path("db").exists():
            Path("db").mkdir()
            _git("init", "-q", "-b", "main")
            _git("config", "gc.auto", "0")
            if self._fsync:
                _git("config", "core.fsync", self._fsync)
        return Repository()

    def damage_at_rest(self) -> list[str]:
        return []


class Repository:
    """A working tree and its history."""

    def __init__(self) -> None:
        self._commits = 0

    def commit(self, number: int, contents: bytes, slot: int) -> None:
        self._commits += 1
        if self._commits % _PACK_EACH == 0:
            _git("gc", "-q", "--prune=now")
        try:
            for name in (f"row{number}", f"slot{slot}"):
                Path("db", name).write_bytes(contents)
                _git("add", name)
            _git("commit", "-q", "-m", f"{number}")
        except (GitError, OSError):
            # What is staged by then would be part of the next commit.
            with suppress(GitError):
                _git("reset", "-q", "--hard")
            raise

    def rows(self) -> dict[int, bytes]:
        return self._files("row")

    def slots(self) -> dict[int, bytes]:
        return self._files("slot")

    def damage(self) -> list[str]:
        try:
            _git("fsck", "--strict", "--full")
        except GitError as error:
            return [f"fsck: {error}"]
        return []

    def close(self) -> None:
        pass

    def _files(self, prefix: str) -> dict[int, bytes]:
        """Return what the last commit has; what the working tree has doesn't count."""
        names = _git("ls-tree", "--name-only", "HEAD").decode().split()
        return {
            int(name.removeprefix(prefix)): _git("cat-file", "blob", f"HEAD:{name}")
            for name in names
            if name.startswith(prefix)
        }


class GitError(Exception):
    """A command of git's failed."""


def _git(*words: str) -> bytes:
    done = subprocess.run(
        ["git", *words],
        cwd="db",
        env={**os.environ, **_ENVIRONMENT},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise GitError(f"git {words[0]} ended with {done.returncode}: {said}")
    return done.stdout
