"""``leveldb_rows work``: rows in a LevelDB that is made here, each written with ``sync``."""

import plyvel

from crash_suite.programs.acking import ack


def main() -> None:
    database = plyvel.DB("db", create_if_missing=True)
    for number in range(3):
        database.put(b"row%04d" % number, b"x" * 700, sync=True)
        ack(f"row{number:04d}")
    database.close()


if __name__ == "__main__":
    main()
