"""The command as a process: ``python -m pagealloc``, ``pagealloc`` once installed."""

import signal
import sys

from pagealloc.cli import main


def run() -> int:
    """Run the command; a closed pipe or Ctrl-C ends it silently, as it ends any other program."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # Python's own handler would wait for all threads; one that is ignored (nohup) stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
