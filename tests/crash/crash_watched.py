"""A process that watches one command, as `tracefs.crash.watching` wants it: it has no other child.

``python crash_watched.py SECONDS COMMAND`` prints what it saw as JSON: see `Seen`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Final

import msgspec

from tracefs.capture.syscalls import become_subreaper
from tracefs.crash.watching import DEFAULT, run_shell
from tracefs.trials.limit import children

_PATIENCE_S: Final = 40.0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the command, and of the process that watched it."""

    status: int | None
    output: bytes
    seconds: float
    cpu_s: float
    """Processor time that watching took."""
    left: list[int]
    """Children that are left."""
    leaked: int
    """Descriptors that are open more than before."""


def watch(text: str, limit_s: float = 30.0, environment: Mapping[str, str] | None = None) -> Seen:
    """Have a fresh process watch a command, which gets *environment* alone."""
    given = {"PATH": os.environ["PATH"]} if environment is None else environment
    done = subprocess.run(
        [sys.executable, __file__, str(limit_s), text, *(f"{k}={v}" for k, v in given.items())],
        stdout=subprocess.PIPE, input=b"not for the command\n",
        timeout=_PATIENCE_S, check=True,
    )  # fmt: skip
    return msgspec.json.decode(done.stdout, type=Seen)


def main(limit_s: str, text: str, *environment: str) -> None:
    """Watch, and print."""
    become_subreaper()
    for number in DEFAULT:
        signal.signal(number, signal.SIG_IGN)
    before, began = len(os.listdir("/proc/self/fd")), time.process_time()
    watched = run_shell(text, dict(one.split("=", 1) for one in environment), float(limit_s))
    seen = Seen(
        status=watched.status,
        output=watched.output,
        seconds=watched.seconds,
        cpu_s=time.process_time() - began,
        left=children(),
        leaked=len(os.listdir("/proc/self/fd")) - before,
    )
    sys.stdout.buffer.write(msgspec.json.encode(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
