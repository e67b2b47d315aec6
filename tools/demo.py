"""The main job, shown once: record two page writers, print their traces and verdicts.

Run by ``make demo``. Leaves two recordings in the state directory and nothing mounted.
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TRACEFS = [sys.executable, "-m", "tracefs"]
GOOD = [sys.executable, HERE / "pagealloc/python/bin/pagealloc", "write", "pages.db", "2", "a page"]
FAULTY = [sys.executable, HERE / "pagealloc/faulty/no_seek.py", "pages.db", "2"]
FAILURE = 3


def main() -> int:
    for title, command, expected in (
        ("A page writer that keeps the contract", GOOD, 0),
        ("One that seeks where it should not: the same calls, another file position", FAULTY, 1),
    ):
        print(f"\n=== {title}\n")
        if record(command) != 0 or judge() != expected:
            print("tracefs: the demo did not go as it should; see above", file=sys.stderr)
            return FAILURE
    print("\nBoth recordings stay: .venv/bin/tracefs list")
    print("Your turn: docs/tutorial/first-recording.md, or right away")
    print("  .venv/bin/tracefs run --dir DIRECTORY --contract page-write -- COMMAND")
    return 0


def record(command: list[str | Path]) -> int:
    words = [str(word) for word in command]
    with tempfile.TemporaryDirectory(prefix="tracefs-demo-") as directory:
        print(f"$ tracefs run --dir {directory} -- {shlex.join(short(word) for word in words)}")
        return tracefs("run", "--dir", directory, "--", *words, cwd=directory)


def judge() -> int:
    print("\n$ tracefs show --path pages.db")
    tracefs("show", "--path", "pages.db")
    print("\n$ tracefs check --path pages.db")
    return tracefs("check", "--path", "pages.db")


def tracefs(*words: str, cwd: str | None = None) -> int:
    sys.stdout.flush()
    return subprocess.run([*TRACEFS, *words], cwd=cwd, env=environment(), check=False).returncode


def environment() -> dict[str, str]:
    # The traced programs run in a directory of their own: no byte code is to be written there.
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}


def short(word: str) -> str:
    path = Path(word)
    if word == sys.executable:
        return "python"
    return str(path.relative_to(HERE.parent)) if HERE in path.parents else word


if __name__ == "__main__":
    sys.exit(main())
