"""Calls on what is in a file: writes, reads, seeks, syncs, sizes."""

from typing import Final

from tracefs.strace import words
from tracefs.strace.handlers import Handler
from tracefs.strace.heard import Heard
from tracefs.strace.processes import Opened
from tracefs.strace.world import World

_SYNCING: Final = ("O_SYNC", "RWF_SYNC", "O_DSYNC", "RWF_DSYNC")
"""Flags that make a write synchronous, the strongest first."""
_NO_LENGTH: Final = "the text leaves out the end of the vector (strace -v shows it)"
_NO_POSITION: Final = "where the file position was is not in the text"
_NO_END: Final = "O_APPEND: where the file ends is not in the text"


def _write(world: World, heard: Heard) -> None:
    """write(fd, data, length)."""
    _wrote(world, heard, heard.words[0], words.number(heard.words[2]), None)


def _pwrite(world: World, heard: Heard) -> None:
    """pwrite64(fd, data, length, offset)."""
    fd, _, length, offset = heard.words
    _wrote(world, heard, fd, words.number(length), words.number(offset))


def _writev(world: World, heard: Heard) -> None:
    """writev(fd, vector, count)."""
    fd, vector, count = heard.words
    _wrote(world, heard, fd, words.vector_length(vector, count), None)


def _pwritev(world: World, heard: Heard) -> None:
    """pwritev(fd, vector, count, offset), pwritev2 with flags behind them."""
    fd, vector, count, offset = heard.words[:4]
    at = words.number(offset)
    flags = words.flags(heard.words[4]) if len(heard.words) > 4 else ()
    length = words.vector_length(vector, count)
    _wrote(world, heard, fd, length, None if heard.name == "pwritev2" and at == -1 else at, flags)


def _sendfile(world: World, heard: Heard) -> None:
    """sendfile(out, in, offset, count)."""
    out, source, offset, count = heard.words
    if offset == "NULL":
        _moved(world, heard, source)
    _wrote(world, heard, out, words.number(count), None)


def _splice(world: World, heard: Heard) -> None:
    """Take splice and copy_file_range(in, in_offset, out, out_offset, count, flags)."""
    source, from_, out, to, count = heard.words[:5]
    if from_ == "NULL":
        _moved(world, heard, source)
    _, opened = world.opened(heard, source)
    path = None if opened is None or opened.path is None else world.scope.text(opened.path)
    target = path if heard.name == "copy_file_range" else None
    _wrote(world, heard, out, words.number(count), words.pointed(to), target=target)


def _wrote(
    world: World,
    heard: Heard,
    word: str,
    length: int | None,
    offset: int | None,
    flags: tuple[str, ...] = (),
    *,
    target: str | None = None,
) -> None:
    """Tell of one write; *offset* None: at the file position."""
    number, opened = world.opened(heard, word)
    if opened is None or opened.file is None:
        return
    done = heard.result
    if not opened.seen:
        if done or heard.failed:
            world.unseen(number, opened)
        opened.file.size = None
        return
    by_position = offset is None
    position = opened.position
    appends = (opened.append or "RWF_APPEND" in flags) and "RWF_NOAPPEND" not in flags
    reason = None if length is not None else _NO_LENGTH
    if appends:
        offset = opened.file.size
        reason = reason or (None if offset is not None else _NO_END)
    elif by_position:
        offset = position
        reason = reason or (None if offset is not None else _NO_POSITION)
    if done:
        opened.file.written = True
        _extend(world, opened, offset, done)
        if by_position:
            opened.move(None if offset is None else offset + done)
    given = (*(opened.flags or ()), *flags)
    world.on(
        heard,
        opened,
        "write",
        fd=number,
        offset=offset,
        length=length,
        flags=flags,
        position=position,
        target=target,
        synced_by=next((one for one in _SYNCING if one in given), None) if done else None,
        note=_appends_late(opened),
        fragments=1,
        reason=reason,
    )


def _appends_late(opened: Opened) -> str | None:
    if opened.append and "O_APPEND" not in (opened.flags or ()):
        return "O_APPEND was set after the open; the offset is the end of the file"
    return None


def _extend(world: World, opened: Opened, offset: int | None, done: int) -> None:
    file = opened.file
    if file is None or file.size is None:
        return
    file.size = None if offset is None or not world.survey.whole else max(file.size, offset + done)


def _moved(world: World, heard: Heard, word: str) -> None:
    """What was read moved the file position of *word*."""
    _, opened = world.opened(heard, word)
    if opened is not None and opened.position is not None and heard.result is not None:
        opened.move(opened.position + heard.result)


def _read(world: World, heard: Heard) -> None:
    """read, readv: they move the file position; the pages that they read are no calls here."""
    _moved(world, heard, heard.words[0])


def _preadv2(world: World, heard: Heard) -> None:
    """preadv2: with the offset -1 it moves the file position."""
    if words.number(heard.words[3]) == -1:
        _moved(world, heard, heard.words[0])


def _lseek(world: World, heard: Heard) -> None:
    """lseek(fd, offset, whence)."""
    fd, offset, whence = heard.words
    _sought(world, heard, fd, words.number(offset), whence, heard.result)


def _llseek(world: World, heard: Heard) -> None:
    """Take the lseek of 32-bit programs: (fd, offset, [result], whence)."""
    fd, offset, result, whence = heard.words
    to = None if heard.failed else words.pointed(result)
    _sought(world, heard._replace(name="lseek"), fd, words.number(offset), whence, to)


def _sought(
    world: World, heard: Heard, fd: str, offset: int, whence: str, result: int | None
) -> None:
    number, opened = world.opened(heard, fd)
    if opened is None or opened.file is None or opened.file.directory:
        return
    if offset == 0 and whence == "SEEK_CUR":
        return  # it only asks: recordings of tracefs have no such call either
    before = opened.position
    if result is not None:
        opened.move(result)
        if whence == "SEEK_END" and world.survey.whole:
            opened.file.size = result - offset
    world.on(
        heard,
        opened,
        "seek",
        fd=number,
        offset=offset,
        result=result,
        flags=(whence if whence.startswith("SEEK_") else str(words.number(whence)),),
        position=before,
        writable=opened.writable,
        note="writes go to the end of the file all the same: O_APPEND" if opened.append else None,
    )


def _sync(world: World, heard: Heard) -> None:
    """fsync, fdatasync."""
    number, opened = world.opened(heard, heard.words[0])
    if opened is None or opened.file is None:
        return
    datasync = heard.name == "fdatasync"
    family = "syncdir" if opened.file.directory else "sync"
    if family == "syncdir" and opened.path is not None:
        # Names below it may be of interest, so the directory is.
        path = world.scope.text(opened.path)
        world.emit(heard, family, path=path, ino=opened.file.ino, fd=number, datasync=datasync)
        return
    world.on(heard, opened, family, fd=number, datasync=datasync, position=opened.position)


def _sync_all(world: World, heard: Heard) -> None:
    """sync, syncfs."""
    if not heard.words:
        world.emit(heard, "syncfs", path=None)
        return
    number, opened = world.opened(heard, heard.words[0])
    if opened is not None and opened.path is not None:
        world.emit(heard, "syncfs", path=world.scope.text(opened.path), fd=number)


def _sync_range(world: World, heard: Heard) -> None:
    """sync_file_range(fd, offset, length, flags)."""
    fd, offset, length, flags = heard.words
    number, opened = world.opened(heard, fd)
    if opened is not None:
        world.on(
            heard,
            opened,
            "range",
            fd=number,
            offset=words.number(offset),
            length=words.number(length),
            flags=words.flags(flags),
        )


def _fallocate(world: World, heard: Heard) -> None:
    """fallocate(fd, mode, offset, length)."""
    fd, mode, offset, length = heard.words
    number, opened = world.opened(heard, fd)
    if opened is None or opened.file is None:
        return
    flags, start, size = words.flags(mode), words.number(offset), words.number(length)
    if not heard.failed:
        opened.file.written = True
        if opened.file.size is not None:
            shifts = {"FALLOC_FL_COLLAPSE_RANGE", "FALLOC_FL_INSERT_RANGE"} & set(flags)
            if shifts:
                opened.file.size = None
            elif "FALLOC_FL_KEEP_SIZE" not in flags:
                opened.file.size = max(opened.file.size, start + size)
    world.on(heard, opened, "allocate", fd=number, offset=start, length=size, flags=flags)


def _ftruncate(world: World, heard: Heard) -> None:
    """ftruncate(fd, length)."""
    number, opened = world.opened(heard, heard.words[0])
    if opened is None or opened.file is None:
        return
    length = words.number(heard.words[1])
    if not heard.failed:
        opened.file.written, opened.file.size = True, length
    world.on(heard, opened, "truncate", fd=number, length=length)


def _truncate(world: World, heard: Heard) -> None:
    """truncate(path, length)."""
    path = world.path(heard, heard.words[0], follow=True)
    length = words.number(heard.words[1])
    if path is None:
        if not heard.failed:
            world.doubt("a truncate of a path that can't be told")
        return
    if not world.scope.covers(path):
        return
    file = world.files.at(path)
    if not heard.failed:
        file.written, file.size = True, length
    if world.wanted(path, file):
        world.named(heard, "truncate", path=world.scope.text(path), ino=file.ino, length=length)


HANDLERS: Final[dict[str, Handler]] = {
    "write": _write,
    "pwrite64": _pwrite,
    "writev": _writev,
    "pwritev": _pwritev,
    "pwritev2": _pwritev,
    "sendfile": _sendfile,
    "sendfile64": _sendfile,
    "splice": _splice,
    "copy_file_range": _splice,
    "read": _read,
    "readv": _read,
    "preadv2": _preadv2,
    "lseek": _lseek,
    "_llseek": _llseek,
    "fsync": _sync,
    "fdatasync": _sync,
    "sync": _sync_all,
    "syncfs": _sync_all,
    "sync_file_range": _sync_range,
    "fallocate": _fallocate,
    "ftruncate": _ftruncate,
    "ftruncate64": _ftruncate,
    "truncate": _truncate,
    "truncate64": _truncate,
}
