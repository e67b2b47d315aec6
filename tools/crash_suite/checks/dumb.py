"""``python dumb.py DIR``: the dbm.dumb DIR/rows opens, its values are right, the keys there."""

import dbm.dumb
import os
import sys
from pathlib import Path


def main() -> None:
    base = Path(sys.argv[1], "rows")
    acks = Path(os.environ["TRACEFS_ACKS"]).read_text("utf-8").splitlines()
    try:
        with dbm.dumb.open(str(base), "r") as database:
            found = {os.fsdecode(key): database[key].decode() for key in database.keys()}  # noqa: SIM118
    except Exception as error:  # noqa: BLE001  # what it reads, it evaluates: anything may come
        sys.exit(f"it can't be read: {type(error).__name__}: {error}")
    wrong = [key for key, value in found.items() if value != f"{key} " * 90]
    if wrong:
        sys.exit(f"a value that was never written: {wrong[0]}")
    lost = [ack for ack in acks if ack not in found]
    if lost:
        sys.exit(f"acknowledged key lost: {lost[0]}")


if __name__ == "__main__":
    main()
