"""A directory as it was seen, with what an `Image` can say of one, bytes included."""

from msgspec import Struct


class Seen(Struct, frozen=True):
    """One file of any type, by one of its names."""

    path: str
    """Path text, ``.`` for the directory itself."""
    mode: int
    """Type and permission bits (inode(7))."""
    ino: int
    """Its inode number there: two names with the same are of one file, and that is all it says."""
    uid: int = 0
    gid: int = 0
    content: bytes | None = None
    """Of a regular file."""
    target: str | None = None
    """Of a symbolic link, path text."""
    rdev: int = 0
    xattrs: tuple[tuple[str, bytes], ...] = ()
    """Names, path text, in order, and values."""
