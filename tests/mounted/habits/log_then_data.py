"""Change a page by way of a log: ``log_then_data.py WAY``; wal-before-data judges it."""

import os
import sys

PAGE = 4096
WAYS = ("right", "data-first", "log-unsynced", "reset-early")


def main() -> None:
    (way,) = sys.argv[1:]
    assert way in WAYS
    data = os.open("t.db", os.O_RDWR | os.O_CREAT, 0o644)
    log = os.open("t.db-wal", os.O_RDWR | os.O_CREAT, 0o644)
    os.pwrite(log, bytes(PAGE), 0)
    if way == "data-first":
        os.pwrite(data, bytes(PAGE), 3 * PAGE)
    if way != "log-unsynced":
        os.fdatasync(log)
    if way != "data-first":
        os.pwrite(data, bytes(PAGE), 3 * PAGE)
    if way != "reset-early":
        os.fdatasync(data)
    os.ftruncate(log, 0)
    os.fdatasync(data)


main()
