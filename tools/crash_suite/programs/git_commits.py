"""``git_commits make|work [CORE.FSYNC]``: commits in a repository, as its user makes them."""

import os
import subprocess
import sys
from pathlib import Path

from crash_suite.programs.acking import ack

_WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "a"), ("EMAIL", "a@example.org"), ("DATE", "@1 +0000"))
}
_ENVIRONMENT = {
    **os.environ, **_WHO, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
}  # fmt: skip


def main() -> None:
    do, *fsync = sys.argv[1:]
    if do == "make":
        git("init", "-q", "-b", "main", "--template=", "work")
        git("config", "gc.auto", "0")
        if fsync:
            git("config", "core.fsync", *fsync)
        _commit(0)
        return
    for number in range(1, 3):
        ack(_commit(number))


def _commit(number: int) -> str:
    Path("work", "file").write_text(f"{number}\n" * 100)
    git("add", "file")
    git("commit", "-q", "-m", f"{number}")
    return git("rev-parse", "HEAD").strip()


def git(*words: str) -> str:
    folder = [] if words[0] == "init" else ["-C", "work"]
    done = subprocess.run(
        ["git", *folder, *words], env=_ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    main()
