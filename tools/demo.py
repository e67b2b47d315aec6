"""The main job, shown once: record two page writers, print their traces and verdicts.

Run by ``make demo``. Leaves two recordings in the state directory and nothing mounted.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "pagealloc"
GOOD = ["python", f"{PROGRAMS}/python/bin/pagealloc", "write", "pages.db", "2", "a page"]
FAULTY = ["python", f"{PROGRAMS}/faulty/no_seek.py", "pages.db", "2"]
FAILURE = 3


def main() -> int:
    for title, command, expected in (
        ("A page writer that keeps the contract", GOOD, 0),
        ("One that seeks where it should not: the same calls, and one lseek", FAULTY, 1),
    ):
        print(f"\n=== {title}\n")
        if record(command) != 0 or judge() != expected:
            print("tracefs: the demo did not go as it should; see above", file=sys.stderr)
            return FAILURE
    print("\nBoth recordings stay: .venv/bin/tracefs list")
    print("Your turn: docs/tutorial/first-recording.md, or right away")
    print("  .venv/bin/tracefs run --dir DIRECTORY --contract page-write -- COMMAND")
    return 0


def record(words: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="tracefs-demo-") as directory:
        print(f"$ cd {directory}")
        return tracefs("run", "--", *words, cwd=directory)


def judge() -> int:
    print()
    tracefs("show", "--path", "pages.db")
    print()
    return tracefs("check", "--path", "pages.db")


def tracefs(*words: str, cwd: str | None = None) -> int:
    """Show a command and run it; the programs of this interpreter's environment come first."""
    print(f"$ tracefs {shlex.join(words)}", flush=True)
    programs = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        # The traced programs run in a directory of their own: no byte code is to be written there.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = shutil.which("tracefs", path=environment["PATH"])
    if command is None:
        print("tracefs: not installed; run make setup", file=sys.stderr)
        return FAILURE
    return subprocess.run([command, *words], cwd=cwd, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
