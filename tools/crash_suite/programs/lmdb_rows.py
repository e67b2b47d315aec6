"""``lmdb_rows make|work [nosync] [writemap]``: rows in an LMDB, each in a transaction."""

import sys

import lmdb

from crash_suite.programs.acking import ack

BEFORE = 20
AFTER = 4
_MAP_SIZE = 1 << 20


def main() -> None:
    do, *flags = sys.argv[1:]
    environment = lmdb.open(
        "db", map_size=_MAP_SIZE, sync="nosync" not in flags, writemap="writemap" in flags
    )
    with environment:
        if do == "make":
            with environment.begin(write=True) as transaction:
                for number in range(BEFORE):
                    transaction.put(_key(number), b"x" * 700)
            environment.sync(True)
            return
        for number in range(BEFORE, BEFORE + AFTER):
            with environment.begin(write=True) as transaction:
                transaction.put(_key(number), b"y" * 700)
                transaction.put(_key(number - BEFORE), b"z" * 700)
            ack(_key(number).decode())


def _key(number: int) -> bytes:
    return b"row%04d" % number


if __name__ == "__main__":
    main()
