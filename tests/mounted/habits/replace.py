"""Save a file in one of several ways: ``replace.py WAY FILE``; atomic-replace judges them."""

import os
import sys

WAYS = ("whole", "no-fsync", "rename-first", "no-directory", "in-place", "moved-away")


def main() -> None:
    way, name = sys.argv[1:]
    assert way in WAYS
    new = name if way in {"in-place", "moved-away"} else f"{name}.tmp"
    if way == "moved-away":
        os.rename(name, f"{name}~")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(fd, b"new contents\n")
    if way == "rename-first":
        os.rename(new, name)
    if way != "no-fsync":
        os.fsync(fd)
    os.close(fd)
    if new != name and way != "rename-first":
        os.rename(new, name)
    if way != "no-directory":
        directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(directory)
        os.close(directory)


main()
