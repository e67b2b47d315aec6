"""``python leveldb.py DIR``: the LevelDB in DIR/db opens, can be read whole, and has the keys."""

import os
import sys
from pathlib import Path

import plyvel


def main() -> None:
    directory = Path(sys.argv[1], "db")
    acks = Path(os.environ["TRACEFS_ACKS"]).read_text("utf-8").splitlines()
    if not directory.exists() and not acks:
        return
    try:
        # As a program does that makes it where there is none: what is lost shows in the keys.
        database = plyvel.DB(str(directory), create_if_missing=True, paranoid_checks=True)
        keys = {key.decode() for key, _ in database.iterator(verify_checksums=True)}
    except plyvel.Error as error:
        sys.exit(f"it can't be opened: {error}")
    lost = [ack for ack in acks if ack not in keys]
    database.close()
    if lost:
        sys.exit(f"acknowledged key lost: {lost[0]}")


if __name__ == "__main__":
    main()
