"""What a process of its own, which runs one command, says of it."""

import subprocess
import sys

from tracefs.pathtext import to_text


def said(error: Exception, before: str = "") -> str:
    """Return one line for *error*: what a failed command printed last, behind *before*."""
    if isinstance(error, subprocess.CalledProcessError) and error.stderr:
        return before + to_text(error.stderr.strip().splitlines()[-1])
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def note(line: str) -> None:
    """What tracefs says while it runs goes where the process's other words go."""
    print(line, file=sys.stderr, flush=True)
