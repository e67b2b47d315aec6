"""Which tracefs mounts there are, as ``/proc/self/mountinfo`` says (proc(5))."""

import os
import re
from typing import Final

from msgspec import Struct

from tracefs.errors import MountError

FILESYSTEM: Final = b"fuse.tracefs"
_OCTAL: Final = re.compile(rb"\\([0-7]{3})")
_OWNER: Final = re.compile(rb"(?:^|,)user_id=(\d+)(?:,|$)")


class Mount(Struct, frozen=True):
    """One mount of this namespace."""

    mountpoint: bytes
    kind: bytes
    """Filesystem type."""
    id: int
    device: tuple[int, int]
    """Major and minor device number; the minor one names the FUSE connection."""
    owner: int | None = None
    """User who has mounted it, in the ids of the user namespace that it was mounted in; None: that
    is not said, which of a FUSE filesystem it always is (fuse_show_options in fs/fuse/inode.c)."""


def mounts() -> list[Mount]:
    """Return every mount, in the order in which they were made."""
    with open("/proc/self/mountinfo", "rb") as file:
        return [_parse(line) for line in file]


def find(mountpoint: bytes) -> Mount | None:
    """Return the tracefs that covers *mountpoint* (absolute); None: none does."""
    found = [mount for mount in mounts() if mount.mountpoint == mountpoint]
    return found[-1] if found and found[-1].kind == FILESYSTEM else None


def is_within(directory: bytes, path: bytes) -> bool:
    """Return whether *path* names *directory* or something in it, both being real paths."""
    return path == directory or path.startswith(directory.rstrip(b"/") + b"/")


def abort(mount: Mount) -> None:
    """End the FUSE connection: every request fails with ENOTCONN from now on (fuse.rst)."""
    try:
        with open(
            f"/sys/fs/fuse/connections/{mount.device[1]}/abort", "w", encoding="ascii"
        ) as file:
            file.write("1")
    except FileNotFoundError:
        return  # fusectl is not mounted; unmounting lazily still works
    except OSError as error:
        raise MountError(f"cannot end the connection: {error.strerror}") from None


def require_free(source: str, mountpoint: str) -> None:
    """Raise MountError unless *mountpoint* can be mounted on: empty, or *source* itself."""
    if find(os.path.abspath(os.fsencode(mountpoint))) is not None:
        raise MountError(
            f"{mountpoint}: a tracefs is mounted there already",
            repair=f"tracefs umount {mountpoint}",
        )
    try:
        where = os.stat(mountpoint)
        names = os.listdir(mountpoint)
    except FileNotFoundError:
        raise MountError(f"{mountpoint}: no such directory", repair=f"mkdir {mountpoint}") from None
    except NotADirectoryError:
        raise MountError(f"{mountpoint}: not a directory") from None
    except OSError as error:
        raise MountError(f"{mountpoint}: {error.strerror}") from None
    if names and not os.path.samestat(where, os.stat(source)):
        raise MountError(
            f"{mountpoint}: not empty; what is there would be hidden",
            repair="mount on an empty directory, or on the source itself",
        )


def _parse(line: bytes) -> Mount:
    # Only space, tab, newline and backslash are escaped (show_mountinfo in fs/proc_namespace.c).
    words = line.rstrip(b"\n").split(b" ")
    major, minor = words[2].split(b":")
    kind, _, *options = words[words.index(b"-", 6) + 1 :]
    owner = _OWNER.search(b" ".join(options))
    return Mount(
        mountpoint=_OCTAL.sub(lambda m: bytes([int(m[1], 8)]), words[4]),
        kind=kind,
        id=int(words[0]),
        device=(int(major), int(minor)),
        owner=None if owner is None else int(owner[1]),
    )
