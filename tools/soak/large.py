"""Large things, done in the working directory; what came of each is printed, one a line.

``python large.py ENTRIES DEPTH``. Standard library alone. To be run in a traced and in a bare
directory of one filesystem, and the two outputs to be compared.
"""

import errno
import hashlib
import os
import sys
from collections.abc import Callable

GIB = 1 << 30
TIB = 1 << 40
NAME_MAX = 255


def say(*words: object) -> None:
    """Print a line."""
    print(*words, flush=True)


def outcome(call: Callable[..., object], *args: object) -> object:
    """Return what *call* returns, or the name of its error."""
    try:
        return call(*args)
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def sizes(name: str) -> tuple[int, int]:
    """Return size and blocks of a file."""
    info = os.stat(name)
    return info.st_size, info.st_blocks


def offsets(name: str, *places: int) -> None:
    """Write and read a page at each place of a sparse file."""
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    for place in places:
        page = hashlib.sha256(f"{place}".encode()).digest() * 128
        say(name, place, "written", outcome(os.pwrite, fd, page, place))
        os.fdatasync(fd)
        say(name, place, "read", outcome(lambda at=place: os.pread(fd, 4096, at)) == page)
        say(name, place, "before", outcome(lambda at=place: os.pread(fd, 16, max(0, at - 16))))
    os.fsync(fd)
    say(name, sizes(name), "end", os.lseek(fd, 0, os.SEEK_END))
    os.close(fd)


def grown(name: str, *lengths: int) -> None:
    """Give a file each of these sizes."""
    with open(name, "wb") as file:
        for length in lengths:
            say(name, "truncated to", length, outcome(os.ftruncate, file.fileno(), length))
            say(name, sizes(name), "tail", outcome(os.pread, file.fileno(), 1, length - 1))
    os.unlink(name)


def entries(count: int) -> None:
    """Fill a directory, list it, empty it."""
    os.mkdir("many")
    for number in range(count):
        os.close(os.open(f"many/{number:06d}", os.O_WRONLY | os.O_CREAT, 0o644))
    with os.scandir("many") as found:
        say("listed", len({entry.name for entry in found}))
    say("sizes", sum(os.stat(f"many/{number:06d}").st_size for number in range(0, count, 7)))
    with os.scandir("many") as found:
        # Entries go away while they are listed: each is still told once.
        gone = []
        for entry in found:
            os.unlink(entry)
            gone.append(entry.name)
    say("removed", len(gone), len(set(gone)), os.listdir("many"))
    os.rmdir("many")


def names() -> None:
    """Names of the greatest length, and of one byte more."""
    for name in (b"n" * NAME_MAX, b"n" * (NAME_MAX + 1), "ä".encode() * 127 + b"x", b"\xff" * 255):
        for call in (os.mkdir, os.rmdir):
            say(name[:2], len(name), call.__name__, outcome(call, name))
        say(len(name), outcome(os.symlink, name, b"link"), outcome(os.readlink, b"link") == name)
        outcome(os.unlink, b"link")


def deep(depth: int) -> None:
    """Go down beyond PATH_MAX, work there, and come back removing."""
    name = "d" * 200
    top = os.open(".", os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name)
        os.chdir(name)
    fd = os.open("bottom", os.O_RDWR | os.O_CREAT, 0o644)
    say("deep", os.pwrite(fd, b"b" * 4096, 0), outcome(os.fsync, fd))
    os.rename("bottom", "renamed")
    os.link("renamed", "linked")
    os.truncate("linked", 100)
    os.setxattr("linked", b"user.deep", b"1")
    say("deep", os.listdir() == os.listdir("."), os.pread(fd, 4, 0), os.fstat(fd).st_nlink)
    os.close(fd)
    here = os.open(".", os.O_RDONLY)
    say("deep", outcome(os.fsync, here), outcome(os.stat, "/".join([name] * 30)))
    os.close(here)
    os.unlink("renamed")
    os.unlink("linked")
    for _ in range(depth):
        os.chdir("..")
        os.rmdir(name)
    say("deep", os.path.sameopenfile(top, os.open(".", os.O_RDONLY)), os.listdir(top) == [])


def main(count: int, depth: int) -> None:
    """Do it all."""
    deep(depth)
    offsets("over4g", 4 * GIB - 4096, 4 * GIB - 2048, 4 * GIB, 5 * GIB)
    os.unlink("over4g")
    offsets("sparse", 8 * TIB - 4096, 8 * TIB)
    os.unlink("sparse")
    # ext4 with blocks of 4 KiB ends here.
    offsets("limit", 16 * TIB - 8192, 16 * TIB - 4096, 16 * TIB)
    os.unlink("limit")
    grown("grown", 4 * GIB + 1, 8 * TIB, 16 * TIB - 4096, 16 * TIB, (1 << 63) - 1, 1)
    names()
    entries(count)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
