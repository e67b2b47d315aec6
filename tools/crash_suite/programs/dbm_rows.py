"""``dbm_rows make|work``: rows in a dbm.dumb, which has a ``sync`` that syncs nothing."""

import dbm.dumb
import sys

from crash_suite.programs.acking import ack

BEFORE = 5
AFTER = 3


def main() -> None:
    with dbm.dumb.open("rows", "c") as database:
        first, last = (0, BEFORE) if sys.argv[1] == "make" else (BEFORE, BEFORE + AFTER)
        for number in range(first, last):
            database[f"row{number:04d}"] = f"row{number:04d} " * 90
            database.sync()
            if first:
                ack(f"row{number:04d}")


if __name__ == "__main__":
    main()
