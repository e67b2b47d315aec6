"""Calls on descriptors, memory and processes."""

import re
from errno import EBADF
from typing import Final

from tracefs.strace import words
from tracefs.strace.handlers import Handler
from tracefs.strace.heard import Heard
from tracefs.strace.world import World

_COPIES: Final = frozenset({"F_DUPFD", "F_DUPFD_CLOEXEC"})
_PASSED: Final = re.compile(r"SCM_RIGHTS, cmsg_data=\[([^\]]*)\]")


def _close(world: World, heard: Heard) -> None:
    """close(fd): on Linux the descriptor is gone unless it was none (close(2), NOTES)."""
    number, opened = world.opened(heard, heard.words[0])
    told = {"errno": heard.outcome.errno, "result": heard.outcome.value}
    if opened is not None and number in heard.bound:
        opened.descriptors -= 1
        world.closed(heard, number, opened, **told)
    elif heard.outcome.errno != EBADF:
        world.close(heard, number, **told)


def _close_range(world: World, heard: Heard) -> None:
    """close_range(first, last, flags)."""
    first, last = (words.descriptor(word).number for word in heard.words[:2])
    flags = words.flags(heard.words[2])
    if heard.failed:
        return
    if "CLOSE_RANGE_UNSHARE" in flags and heard.thread.files.users > 1:
        heard.thread.files.users -= 1
        heard.thread.files = heard.thread.files.copy()
    for number in heard.thread.files.numbers(first, last):
        entry = heard.thread.files.get(number)
        if entry is not None and "CLOSE_RANGE_CLOEXEC" in flags:
            entry.cloexec = True
        elif entry is not None:
            world.close(heard, number)


def _dup(world: World, heard: Heard) -> None:
    """dup(fd), dup2(fd, new), dup3(fd, new, flags)."""
    number, opened = world.opened(heard, heard.words[0])
    new = heard.result
    entry = heard.thread.files.get(number)
    if opened is not None:
        world.on(heard, opened, "dup", fd=number)
    if new is None or (new == number and len(heard.words) > 1):
        return
    note = None if opened is None else f"closed by call {world.calls - 1}"
    world.close(heard, new, result=new, note=note)
    cloexec = len(heard.words) > 2 and "O_CLOEXEC" in heard.words[2]
    world.duplicate(heard, entry, new, cloexec=cloexec)


def _fcntl(world: World, heard: Heard) -> None:
    """fcntl(fd, command, argument)."""
    command = heard.words[1]
    if command in _COPIES:
        number, opened = world.opened(heard, heard.words[0])
        if opened is not None:
            world.on(heard, opened, "dup", fd=number, flags=(command,))
        new = heard.result
        if new is not None:
            world.close(heard, new)
            entry = heard.thread.files.get(number)
            world.duplicate(heard, entry, new, cloexec=command == "F_DUPFD_CLOEXEC")
    elif command == "F_SETFL":
        number, opened = world.opened(heard, heard.words[0])
        if opened is None:
            return
        flags = words.flags(heard.words[2])
        if not heard.failed:
            opened.append = "O_APPEND" in flags
        world.on(heard, opened, "flags", fd=number, flags=(command, *flags))
    elif command == "F_SETFD" and not heard.failed:
        _set_cloexec(world, heard, on="FD_CLOEXEC" in heard.words[2])


def _ioctl(world: World, heard: Heard) -> None:
    """ioctl(fd, request, ...): what marks for exec, clones, or sets inode flags."""
    request = heard.words[1]
    if request in {"FIOCLEX", "FIONCLEX"}:
        _set_cloexec(world, heard, on=request == "FIOCLEX")
    elif "CLONE" in request and not heard.failed:
        number, opened = world.opened(heard, heard.words[0])
        if opened is not None and opened.file is not None and world.judges(opened.path):
            opened.file.size = None
            world.doubt(f"{request} changed {world.scope.text(opened.path or b'?')}")
    elif request in {"FS_IOC_SETFLAGS", "FS_IOC_FSSETXATTR"}:
        number, opened = world.opened(heard, heard.words[0])
        if opened is not None:
            world.on(heard, opened, "attr", fd=number)


def _set_cloexec(world: World, heard: Heard, *, on: bool) -> None:
    number, _ = world.opened(heard, heard.words[0])
    entry = heard.thread.files.get(number)
    if entry is not None:
        entry.cloexec = on


def _mmap(world: World, heard: Heard) -> None:
    """mmap(address, length, protection, flags, fd, offset)."""
    if heard.failed or heard.result is None:
        return
    _, length, protection, flags, fd, offset = heard.words
    size = words.number(length)
    world.unmapped(heard.thread, heard.result, size, heard.end_ns)
    if "MAP_ANONYMOUS" in flags or "MAP_SHARED" not in flags:
        return
    number, opened = world.opened(heard, fd)
    if opened is None or opened.file is None:
        return
    heard.thread.memory.add(heard.result, size, opened)
    if "PROT_WRITE" in protection:
        opened.file.written = True
        world.on(
            heard,
            opened,
            "map",
            fd=number,
            result=None,
            length=size,
            offset=words.number(offset) * (4096 if heard.name == "mmap2" else 1),
            reason="stores through the mapping are not in the text",
        )
        _stores(world, opened.path)


def _mprotect(world: World, heard: Heard) -> None:
    """mprotect(address, length, protection)."""
    if heard.failed or "PROT_WRITE" not in heard.words[2]:
        return
    start, length = words.number(heard.words[0]), words.number(heard.words[1])
    for opened in heard.thread.memory.at(start, length):
        if opened.file is not None:
            opened.file.written = True
        _stores(world, opened.path)


def _stores(world: World, path: bytes | None) -> None:
    if path is not None and world.judges(path):
        world.doubt(
            f"{world.scope.text(path)} was mapped writable and shared, and the text shows no stores"
        )


def _munmap(world: World, heard: Heard) -> None:
    """munmap(address, length)."""
    if not heard.failed:
        start, length = map(words.number, heard.words)
        world.unmapped(heard.thread, start, length, heard.end_ns)


def _mremap(_world: World, heard: Heard) -> None:
    """mremap(old, old_size, new_size, flags[, new])."""
    if heard.failed or heard.result is None:
        return
    old, size, new_size = map(words.number, heard.words[:3])
    memory = heard.thread.memory
    moved = memory.at(old, size)
    memory.remove(old, size)
    for opened in moved:
        memory.add(heard.result, new_size, opened)


def _msync(world: World, heard: Heard) -> None:
    """msync(address, length, flags)."""
    start, length = words.number(heard.words[0]), words.number(heard.words[1])
    flags = words.flags(heard.words[2])
    family = "sync" if "MS_SYNC" in flags else "none"
    seen: set[int] = set()
    for opened in heard.thread.memory.at(start, length):
        if opened.handle not in seen:
            seen.add(opened.handle)
            world.on(heard, opened, family, length=length, flags=flags, datasync=family == "sync")


def _send(world: World, heard: Heard) -> None:
    """sendmsg: whoever gets a descriptor (SCM_RIGHTS, unix(7)) shares its file position."""
    for passed in _PASSED.findall(heard.words[1]):
        for word in passed.split(", "):
            _, opened = world.opened(heard, word)
            if opened is not None:
                world.shared(opened)


def _clone(world: World, heard: Heard) -> None:
    """clone, clone3, fork, vfork."""
    if heard.result:
        world.forked(heard.result)


def _exec(world: World, heard: Heard) -> None:
    """execve, execveat."""
    if heard.result == 0:
        world.executed(heard)


def _unshare(_world: World, heard: Heard) -> None:
    """unshare(flags)."""
    if not heard.failed and "CLONE_FILES" in heard.words[0] and heard.thread.files.users > 1:
        heard.thread.files.users -= 1
        heard.thread.files = heard.thread.files.copy()


def _ring(world: World, heard: Heard) -> None:
    """io_uring_setup: what a ring is asked to do passes through memory."""
    if not heard.failed:
        world.stop("an io_uring was set up, and what it does is not in the text")


def _submit(world: World, heard: Heard) -> None:
    """io_submit(context, count, [{...aio_fildes=3</tmp/a>...}])."""
    if not heard.failed:
        world.stop("io_submit was called, and what comes of it is not in the text")


HANDLERS: Final[dict[str, Handler]] = {
    "close": _close,
    "close_range": _close_range,
    "dup": _dup,
    "dup2": _dup,
    "dup3": _dup,
    "fcntl": _fcntl,
    "fcntl64": _fcntl,
    "ioctl": _ioctl,
    "mmap": _mmap,
    "mmap2": _mmap,
    "mprotect": _mprotect,
    "munmap": _munmap,
    "mremap": _mremap,
    "msync": _msync,
    "sendmsg": _send,
    "clone": _clone,
    "clone3": _clone,
    "fork": _clone,
    "vfork": _clone,
    "execve": _exec,
    "execveat": _exec,
    "unshare": _unshare,
    "io_uring_setup": _ring,
    "io_submit": _submit,
}
