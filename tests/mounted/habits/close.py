"""Write two pages and close: ``close.py WAY``; no-unsynced-close judges it."""

import os
import sys

WAYS = ("synced", "unsynced", "synced-between", "synced-after", "duplicate")


def main() -> None:
    (way,) = sys.argv[1:]
    assert way in WAYS
    fd = os.open("a.db", os.O_RDWR | os.O_CREAT, 0o644)
    os.pwrite(fd, bytes(4096), 0)
    if way == "synced-between":
        os.fsync(fd)
    os.pwrite(fd, bytes(4096), 5 * 4096)
    if way == "duplicate":
        os.close(os.dup(fd))
    if way in {"synced", "duplicate"}:
        os.fsync(fd)
    os.close(fd)
    if way == "synced-after":
        fd = os.open("a.db", os.O_RDWR)
        os.fsync(fd)
        os.close(fd)


main()
