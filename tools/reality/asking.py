"""Requests to a worker, which has a mount namespace of its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from reality.requests import Observation, Request

LIMIT_S = 300
"""How long one request may take, in seconds."""


class CannotTryError(Exception):
    """No filesystem could be made, mounted or changed as asked; says why."""


def observe(request: Request) -> list[Observation]:
    """Return what each cut of *request* shows.

    Raises:
        CannotTryError: nothing can be tried here.
    """
    with tempfile.TemporaryDirectory(prefix="reality-") as folder:
        done = subprocess.run(
            [
                "unshare",
                "--mount",
                "--propagation",
                "private",
                sys.executable,
                "-m",
                "reality.work",
                folder,
            ],
            input=msgspec.json.encode(request),
            capture_output=True,
            env={**os.environ, "PYTHONPATH": _python_path()},
            timeout=LIMIT_S,
            check=False,
        )
    if done.returncode:
        raise CannotTryError(done.stderr.decode(errors="replace").strip())
    return [msgspec.json.decode(line, type=Observation) for line in done.stdout.splitlines()]


def _python_path() -> str:
    tools = Path(__file__).resolve().parent.parent
    return os.pathsep.join(os.fspath(folder) for folder in (tools, tools.parent))
