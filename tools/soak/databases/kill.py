"""Run a client under strace, pass its acknowledgements on, and kill at a moment.

``python -m soak.databases.kill --after N --victim client|PID|none --log FILE -- CLIENT``
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path


def main() -> int:
    """Return 0 when the client has acknowledged enough, and what was to be killed was."""
    args = _parser().parse_args()
    # Not with --seccomp-bpf: what tracefs is notified of, exec among it, is hidden from that.
    strace = ["strace", "-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,msync"]
    client = subprocess.Popen(
        [*strace, "-e", "signal=none", "-o", args.log, *args.client],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert client.stdin is not None
    assert client.stdout is not None
    acknowledged = 0
    for line in client.stdout:
        os.write(1, line)
        acknowledged += 1
        if acknowledged == args.after and args.victim != "none":
            time.sleep(args.wait_us / 1e6)  # a moment in the midst of the next commit, or not
            _kill(args.victim, client.pid)
            client.stdin.close()  # one that lingers ends
    status = client.wait()
    if acknowledged < args.after:
        print(f"only {acknowledged} acknowledged, exit status {status}", file=sys.stderr)
        return 1
    return status if args.victim == "none" else 0


def _kill(victim: str, tracer: int) -> None:
    if victim != "client":
        os.kill(int(victim), signal.SIGKILL)
        return
    # strace ends with the last of them, and has then written all that it saw.
    while left := _descendants(tracer):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    """Return the processes that *pid* has started, and those that they have."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            found += [child, *_descendants(child)]
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add = parser.add_argument
    add("--after", type=int, required=True, metavar="N", help="acknowledgements to wait for")
    add("--wait-us", type=int, default=0, metavar="U", help="microseconds to wait then")
    add("--victim", required=True, help="what to kill: client, none, or the id of a process")
    add("--log", required=True, metavar="FILE", help="strace's log")
    add("client", nargs="+")
    return parser


if __name__ == "__main__":
    sys.exit(main())
