"""The command as a process: ``python -m pagealloc``, ``pagealloc`` once installed."""

import signal
import sys

from pagealloc.cli import main


def run() -> int:
    """Run the command; a closed pipe ends it silently, as it ends any other program."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
