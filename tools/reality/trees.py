"""A directory read as `Seen`."""

import os
import stat
from pathlib import Path

from tracefs.pathtext import to_text
from tracefs.persistence.seen import Seen


def read(directory: Path) -> tuple[Seen, ...]:
    """Return everything in *directory*, itself first, in order of the paths."""
    root = os.fsencode(directory)
    found = [b"."]
    for folder, folders, names in os.walk(root):
        below = os.path.relpath(folder, root)
        found += [os.path.normpath(os.path.join(below, name)) for name in folders + names]
    return tuple(_seen(root, path) for path in sorted(found))


def _seen(root: bytes, path: bytes) -> Seen:
    full = os.path.join(root, path)
    info = os.lstat(full)
    content = target = None
    if stat.S_ISREG(info.st_mode):
        with open(full, "rb") as file:
            content = file.read()
    elif stat.S_ISLNK(info.st_mode):
        target = to_text(os.readlink(full))
    names = sorted(os.listxattr(full, follow_symlinks=False))
    return Seen(
        path=to_text(path),
        mode=info.st_mode,
        ino=info.st_ino,
        uid=info.st_uid,
        gid=info.st_gid,
        content=content,
        target=target,
        rdev=info.st_rdev,
        xattrs=tuple((name, os.getxattr(full, name, follow_symlinks=False)) for name in names),
    )
