"""``pages work COMMAND...``: three pages, each written by ``COMMAND... pages.db NUMBER [TEXT]``.

TEXT is given to commands that end with ``write`` or ``--sync-dir``, those of pagealloc.
"""

import subprocess
import sys

from crash_suite.programs.acking import ack


def main() -> None:
    _, *command = sys.argv[1:]
    is_pagealloc = command[-1] in ("write", "--sync-dir")
    for number in range(3):
        text = [f"text {number}"] if is_pagealloc else []
        subprocess.run([*command, "pages.db", str(number), *text], check=True)
        ack(" ".join(("pages.db", str(number), *text)))


if __name__ == "__main__":
    main()
