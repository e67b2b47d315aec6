"""What programs do to files, each as one function that a worker runs.

Paths are bytes, relative to the worker's directory; files are named by their slot. To open into one
that is taken gives a word instead of an error.
"""

import mmap
import os
import stat

from soak.twins import linux
from soak.twins.world import Plain, World

# -- names


def mkdir(_: World, path: bytes, mode: int) -> None:
    os.mkdir(path, mode)


def rmdir(_: World, path: bytes) -> None:
    os.rmdir(path)


def unlink(_: World, path: bytes) -> None:
    os.unlink(path)


def rename(_: World, old: bytes, new: bytes, flags: int) -> None:
    linux.rename(old, new, flags)


def link(_: World, old: bytes, new: bytes) -> None:
    linux.link(old, new)


def symlink(_: World, target: bytes, path: bytes) -> None:
    os.symlink(target, path)


def mknod(_: World, path: bytes, mode: int, device: int) -> None:
    os.mknod(path, mode, device)


# -- attributes


def chmod(_: World, path: bytes, mode: int) -> None:
    os.chmod(path, mode)


def chown(_: World, path: bytes, uid: int, gid: int, follow: bool) -> None:
    os.chown(path, uid, gid, follow_symlinks=follow)


def truncate(_: World, path: bytes, size: int) -> None:
    os.truncate(path, size)


def utimens(world: World, path: bytes, atime: int, mtime: int, follow: bool) -> None:
    linux.utimens(path, atime, mtime, follow=follow)
    if atime != linux.UTIME_OMIT:
        world.read.discard(os.stat(path, follow_symlinks=follow).st_ino)


def setxattr(_: World, path: bytes, name: str, value: bytes, flags: int, follow: bool) -> None:
    os.setxattr(path, name, value, flags, follow_symlinks=follow)


def removexattr(_: World, path: bytes, name: str, follow: bool) -> None:
    os.removexattr(path, name, follow_symlinks=follow)


def getxattr(_: World, path: bytes, name: str) -> bytes:
    return os.getxattr(path, name)


def access(_: World, path: bytes, mode: int) -> bool:
    return os.access(path, mode, effective_ids=True)


def look(_: World, path: bytes, follow: bool) -> Plain:
    info = os.stat(path, follow_symlinks=follow)
    return (
        stat.filemode(info.st_mode),
        info.st_nlink,
        0 if stat.S_ISDIR(info.st_mode) else info.st_size,
    )


def readlink(_: World, path: bytes) -> bytes:
    return os.readlink(path)


def statvfs(_: World, path: bytes) -> Plain:
    info = os.statvfs(path)
    return info.f_namemax, info.f_bsize, info.f_frsize, info.f_blocks


def listdir(_: World, path: bytes) -> Plain:
    with os.scandir(path) as found:
        return tuple(
            sorted((one.name, one.is_dir(follow_symlinks=False), one.is_symlink()) for one in found)
        )


def sync_directory(_: World, path: bytes) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def umask(_: World, mask: int) -> int:
    return os.umask(mask)


# -- open files


def open_file(world: World, slot: int, path: bytes, flags: int, mode: int) -> Plain:
    if slot in world.slots:
        return "taken"
    fd = os.open(path, flags | os.O_NONBLOCK, mode)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        kind = stat.filemode(os.fstat(fd).st_mode)[0]
        os.close(fd)
        return kind
    world.slots[slot] = fd
    return None


def close(world: World, slot: int) -> None:
    os.close(world.file(slot))
    del world.slots[slot]


def duplicate(world: World, slot: int, other: int) -> Plain:
    if other in world.slots:
        return "taken"
    world.slots[other] = os.dup(world.file(slot))
    return None


def pwrite(world: World, slot: int, data: bytes, offset: int) -> int:
    return os.pwrite(world.file(slot), data, offset)


def write(world: World, slot: int, data: bytes) -> int:
    return os.write(world.file(slot), data)


def writev(world: World, slot: int, parts: list[bytes], offset: int, flags: int) -> int:
    return os.pwritev(world.file(slot), parts, offset, flags)


def pread(world: World, slot: int, size: int, offset: int) -> bytes:
    return os.pread(world.reader(slot), size, offset)


def readv(world: World, slot: int, sizes: list[int], offset: int) -> Plain:
    parts = [bytearray(size) for size in sizes]
    return os.preadv(world.reader(slot), parts, offset), b"".join(parts)


def read(world: World, slot: int, size: int) -> bytes:
    return os.read(world.reader(slot), size)


def lseek(world: World, slot: int, offset: int, whence: int) -> int:
    return os.lseek(world.file(slot), offset, whence)


def ftruncate(world: World, slot: int, size: int) -> None:
    os.ftruncate(world.file(slot), size)


def fsync(world: World, slot: int, only_data: bool) -> None:
    (os.fdatasync if only_data else os.fsync)(world.file(slot))


def fchmod(world: World, slot: int, mode: int) -> None:
    os.fchmod(world.file(slot), mode)


def fchown(world: World, slot: int, uid: int, gid: int) -> None:
    os.fchown(world.file(slot), uid, gid)


def futimens(world: World, slot: int, atime: int, mtime: int) -> None:
    fd = world.file(slot)
    linux.futimens(fd, atime, mtime)
    if atime != linux.UTIME_OMIT:
        world.read.discard(os.fstat(fd).st_ino)


def fsetxattr(world: World, slot: int, name: str, value: bytes) -> None:
    os.setxattr(world.file(slot), name, value)


def copy_range(world: World, slot: int, other: int, count: int, at: int, to: int) -> int:
    return os.copy_file_range(world.reader(slot), world.file(other), count, at, to)


def fallocate(world: World, slot: int, mode: int, offset: int, size: int) -> None:
    linux.fallocate(world.file(slot), mode, offset, size)


def store(world: World, slot: int, data: bytes, offset: int) -> Plain:
    """Store through a shared mapping, and msync."""
    with mmap.mmap(world.reader(slot), 0, mmap.MAP_SHARED) as mapped:
        if offset + len(data) > len(mapped):
            return "beyond"
        mapped[offset : offset + len(data)] = data
        mapped.flush()
    return None


def load(world: World, slot: int, private: bool) -> bytes:
    """Read through a mapping."""
    kind = mmap.MAP_PRIVATE if private else mmap.MAP_SHARED
    with mmap.mmap(world.reader(slot), 0, kind, mmap.PROT_READ) as mapped:
        return bytes(mapped[:20_000])
