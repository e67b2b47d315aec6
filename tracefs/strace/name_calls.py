"""Calls on names: opens, renames, links, and what changes attributes by name."""

import re
from typing import Final

from tracefs.pathtext import to_text
from tracefs.strace import words
from tracefs.strace.files import File
from tracefs.strace.handlers import Handler
from tracefs.strace.heard import Heard
from tracefs.strace.world import World

_HOW: Final = re.compile(r"\bflags=([A-Z0-9_|x]+)")
_CREATED: Final = "whether the open made the file is not in the text"
_LARGEFILE: Final = "O_LARGEFILE"
"""32-bit programs alone give it; tracefs leaves it out everywhere."""


def _openat(world: World, heard: Heard) -> None:
    """openat(directory, path, flags[, mode])."""
    _open(world, heard, heard.words[1], words.flags(heard.words[2]), heard.words[0])


def _openat2(world: World, heard: Heard) -> None:
    """openat2(directory, path, {flags=..., ...}, size)."""
    how = _HOW.search(heard.words[2])
    if how is None:
        raise words.UnreadableError
    _open(world, heard, heard.words[1], words.flags(how[1]), heard.words[0])


def _plain_open(world: World, heard: Heard) -> None:
    """open(path, flags[, mode])."""
    _open(world, heard, heard.words[0], words.flags(heard.words[1]), None)


def _creat(world: World, heard: Heard) -> None:
    """creat(path, mode)."""
    _open(world, heard, heard.words[0], ("O_WRONLY", "O_CREAT", "O_TRUNC"), None)


def _open(world: World, heard: Heard, name: str, flags: tuple[str, ...], at: str | None) -> None:
    asked = world.path(heard, name, at, follow=True)
    flags = tuple(flag for flag in flags if flag != _LARGEFILE)
    if heard.failed:
        _failed_open(world, heard, asked, flags)
        return
    given = words.descriptor(heard.outcome.text)
    # Whatever had the number before was closed without a line that says so.
    world.close(heard, given.number, note="its descriptor was given out again", result=None)
    path = given.path
    if path is None:
        raise words.UnreadableError
    # O_TMPFILE gives a file that has no name; the directory that was asked for is no link to it.
    if asked is not None and path.startswith(b"/") and not given.deleted:
        world.files.led(asked, path)
    if not world.scope.covers(path):
        if _writes(flags) and world.scope.is_file(path):
            world.elsewhere.add(path)
    elif "O_PATH" not in flags:
        _opened(world, heard, given, path, flags)


def _failed_open(world: World, heard: Heard, asked: bytes | None, flags: tuple[str, ...]) -> None:
    if asked is None or not world.scope.covers(asked) or not _writes(flags):
        return
    file = world.files.find(asked)
    if world.wanted(asked, file):
        ino = None if file is None else file.ino
        world.named(heard, "open", path=world.scope.text(asked), ino=ino, flags=flags)


def _opened(
    world: World, heard: Heard, given: words.Descriptor, path: bytes, flags: tuple[str, ...]
) -> None:
    nameless = given.deleted  # O_TMPFILE
    known = world.files.find(path)
    file = world.files.nameless() if nameless else world.files.at(path)
    created = "O_CREAT" in flags and "O_EXCL" in flags and not nameless
    opened = world.new(path, file, flags)
    opened.append = "O_APPEND" in flags
    opened.move(0)
    heard.thread.files.put(given.number, opened, cloexec="O_CLOEXEC" in flags)
    if not nameless and ("O_DIRECTORY" in flags or world.files.is_directory(path)):
        file.directory = True
    if file.directory:
        return
    file.written = file.written or _writes(flags)
    if created or "O_TRUNC" in flags or nameless:
        file.size = 0 if world.survey.whole else None
    maybe = "O_CREAT" in flags and not created and known is None and not nameless
    world.on(
        heard,
        opened,
        "open",
        fd=given.number,
        flags=flags,
        created=None if maybe else created,
        size=file.size,
        reason=_CREATED if maybe else None,
    )


def _writes(flags: tuple[str, ...]) -> bool:
    return "O_WRONLY" in flags or "O_RDWR" in flags


def _rename(world: World, heard: Heard) -> None:
    """rename(old, new)."""
    _renamed(world, heard, heard.words[0], None, heard.words[1], None)


def _renameat(world: World, heard: Heard) -> None:
    """renameat(directory, old, directory, new), renameat2 with flags behind them."""
    of, old, to, new = heard.words[:4]
    flags = words.flags(heard.words[4]) if len(heard.words) > 4 else ()
    _renamed(world, heard, old, of, new, to, flags)


def _renamed(
    world: World,
    heard: Heard,
    old: str,
    of: str | None,
    new: str,
    to: str | None,
    flags: tuple[str, ...] = (),
) -> None:
    before, after = world.path(heard, old, of), world.path(heard, new, to)
    if before is None or after is None:
        _untold(world, heard)
        return
    if not (world.scope.covers(before) or world.scope.covers(after)):
        return
    file = _known(world, before)
    if not heard.failed:
        exchange = "RENAME_EXCHANGE" in flags
        if file is None:
            file = world.files.at(before)
        file.written = file.written or world.scope.covers(after)
        _move(world, before, after, exchange=exchange)
        world.files.renamed(before, after, exchange=exchange)
    ino = None if file is None else file.ino
    if world.wanted(before, file) or world.wanted(after, file):
        world.named(
            heard,
            "rename",
            path=world.scope.text(before),
            target=world.scope.text(after),
            ino=ino,
            flags=flags,
        )


def _move(world: World, before: bytes, after: bytes, *, exchange: bool) -> None:
    """Let open files know their new names."""
    if before == after or world.files.find(before) is world.files.find(after):
        return
    for opened in world.all_open():
        path = opened.path
        if path is None or (path == before and opened.file is not world.files.find(before)):
            continue
        if path == before or path.startswith(before + b"/"):
            opened.path = after + path[len(before) :]
        elif exchange and (path == after or path.startswith(after + b"/")):
            opened.path = before + path[len(after) :]


def _link(world: World, heard: Heard) -> None:
    """link(old, new)."""
    _linked(world, heard, heard.words[0], None, heard.words[1], None)


def _linkat(world: World, heard: Heard) -> None:
    """linkat(directory, old, directory, new, flags)."""
    of, old, to, new = heard.words[:4]
    _linked(world, heard, old, of, new, to)


def _linked(world: World, heard: Heard, old: str, of: str | None, new: str, to: str | None) -> None:
    after = world.path(heard, new, to)
    file, before = _through_proc(heard, old)
    if file is None:
        before = world.path(heard, old, of)
        if before is None or after is None:
            _untold(world, heard)
            return
        if not (world.scope.covers(before) or world.scope.covers(after)):
            return
        file = _known(world, before)
    if after is None or before is None:
        _untold(world, heard)
        return
    if not heard.failed:
        if file is None:
            file = world.files.at(before)
        world.files.put(after, file)
    if world.wanted(after, file):
        world.named(
            heard,
            "link",
            path=world.scope.text(after),
            target=world.scope.text(before),
            ino=None if file is None else file.ino,
        )


def _through_proc(heard: Heard, word: str) -> tuple[File | None, bytes | None]:
    """Return the file behind ``/proc/self/fd/N``, how an O_TMPFILE gets its name (open(2))."""
    name = words.string(word) or b""
    prefix, _, number = name.rpartition(b"/")
    if not (prefix.startswith(b"/proc/") and prefix.endswith(b"/fd") and number.isdigit()):
        return None, None
    entry = heard.thread.files.get(int(number))
    if entry is None:
        return None, None
    return entry.opened.file, entry.opened.path


def _unlink(world: World, heard: Heard) -> None:
    """unlink(path), rmdir(path)."""
    _removed(world, heard, heard.words[0], None, heard.name)


def _unlinkat(world: World, heard: Heard) -> None:
    """unlinkat(directory, path, flags)."""
    at, name, flags = heard.words
    family = "rmdir" if "AT_REMOVEDIR" in flags else "unlink"
    _removed(world, heard, name, at, family)


def _removed(world: World, heard: Heard, name: str, at: str | None, family: str) -> None:
    path = world.path(heard, name, at)
    if path is None:
        _untold(world, heard)
        return
    if not world.scope.covers(path):
        return
    file = world.files.find(path) if heard.failed else world.removed(path)
    if world.wanted(path, file):
        ino = None if file is None else file.ino
        world.named(heard, family, path=world.scope.text(path), ino=ino)


def _made(world: World, heard: Heard) -> None:
    """mkdir, mknod (path, ...)."""
    _new(world, heard, heard.words[0], None)


def _made_at(world: World, heard: Heard) -> None:
    """mkdirat, mknodat (directory, path, ...)."""
    _new(world, heard, heard.words[1], heard.words[0])


def _symlink(world: World, heard: Heard) -> None:
    """symlink(contents, path)."""
    _new(world, heard, heard.words[1], None, target=heard.words[0])


def _symlinkat(world: World, heard: Heard) -> None:
    """symlinkat(contents, directory, path)."""
    _new(world, heard, heard.words[2], heard.words[1], target=heard.words[0])


def _new(world: World, heard: Heard, name: str, at: str | None, target: str | None = None) -> None:
    path = world.path(heard, name, at)
    if path is None or not world.scope.covers(path):
        return
    file = None
    if not heard.failed:
        world.files.removed(path)
        file = world.files.at(path)
        file.directory = heard.name.startswith("mkdir")
    contents = None if target is None else words.string(target)
    if contents is not None and not heard.failed:
        world.files.linked_to(path, contents)
    if world.scope.inside(path):
        world.named(
            heard,
            heard.name.removesuffix("at"),
            path=world.scope.text(path),
            target=None if contents is None else to_text(contents),
            ino=None if file is None else file.ino,
        )


def _by_name(world: World, heard: Heard) -> None:
    """chmod(path, ...) and such."""
    follow = not heard.name.startswith("l")
    _changed(world, heard, world.path(heard, heard.words[0], follow=follow))


def _by_name_at(world: World, heard: Heard) -> None:
    """fchmodat(directory, path, ...) and such; with no path, of the descriptor."""
    at, name = heard.words[:2]
    if name in {"NULL", '""'}:
        _by_descriptor(world, heard)
    else:
        follow = "AT_SYMLINK_NOFOLLOW" not in heard.words[-1]
        _changed(world, heard, world.path(heard, name, at, follow=follow))


def _changed(world: World, heard: Heard, path: bytes | None) -> None:
    file = None if path is None else _known(world, path)
    if path is not None and world.scope.covers(path) and world.wanted(path, file):
        ino = None if file is None else file.ino
        world.named(heard, _family(heard), path=world.scope.text(path), ino=ino)


def _by_descriptor(world: World, heard: Heard) -> None:
    """fchmod(fd, ...) and such."""
    number, opened = world.opened(heard, heard.words[0])
    if opened is not None:
        world.on(heard, opened, _family(heard), fd=number)


def _family(heard: Heard) -> str:
    return "xattr" if "xattr" in heard.name else "attr"


def _known(world: World, path: bytes) -> File | None:
    """Return the file that *path* names; below the base it is a file from now on."""
    return world.files.at(path) if world.scope.inside(path) else world.files.find(path)


def _untold(world: World, heard: Heard) -> None:
    if not heard.failed:
        world.doubt(f"a path of {heard.name} can't be told: where it starts is not in the text")


def _chdir(world: World, heard: Heard) -> None:
    """chdir(path)."""
    if not heard.failed:
        heard.thread.directory.path = world.path(heard, heard.words[0], follow=True)


def _fchdir(_world: World, heard: Heard) -> None:
    """fchdir(fd)."""
    if not heard.failed:
        heard.thread.directory.path = words.descriptor(heard.words[0]).path


def _other_root(world: World, heard: Heard) -> None:
    """chroot, pivot_root: strace goes on to tell paths as it sees them itself."""
    if not heard.failed:
        world.stop(f"{heard.name} was called: paths then mean something else")


HANDLERS: Final[dict[str, Handler]] = {
    "open": _plain_open,
    "openat": _openat,
    "openat2": _openat2,
    "creat": _creat,
    "rename": _rename,
    "renameat": _renameat,
    "renameat2": _renameat,
    "link": _link,
    "linkat": _linkat,
    "unlink": _unlink,
    "rmdir": _unlink,
    "unlinkat": _unlinkat,
    "mkdir": _made,
    "mknod": _made,
    "mkdirat": _made_at,
    "mknodat": _made_at,
    "symlink": _symlink,
    "symlinkat": _symlinkat,
    **dict.fromkeys(
        ("chmod", "chown", "lchown", "utime", "utimes", "setxattr", "lsetxattr", "removexattr",
         "lremovexattr"),
        _by_name,
    ),
    **dict.fromkeys(("fchmodat", "fchmodat2", "fchownat", "futimesat", "utimensat"), _by_name_at),
    **dict.fromkeys(("fchmod", "fchown", "fsetxattr", "fremovexattr"), _by_descriptor),
    "chdir": _chdir,
    "fchdir": _fchdir,
    "chroot": _other_root,
    "pivot_root": _other_root,
}  # fmt: skip
