"""A hypothesis state machine: any operations, in any order, in both directories at once."""

import os
import stat
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from soak.twins import linux
from soak.twins import operations as do
from soak.twins.tree import differences, unlike
from soak.twins.worker import Worker
from soak.twins.world import Operation, Sight, Step

NOBODY: Final = 65534
SIDES: Final = ("traced", "bare")
_PAGE: Final = 4096
_FAR: Final = 5 << 30
_LOOK: Final = 3


class Twins:
    """A worker in each of two directories."""

    def __init__(self, traced: Worker, bare: Worker) -> None:
        self._workers = (traced, bare)
        self.operations = 0
        self._examples = 0
        self._done: list[str] = []
        self.paths: list[bytes] = []
        """What is there now."""
        self.directories: list[bytes] = []
        self.slots: list[int] = []

    def begin(self) -> None:
        """Begin anew in both, each in a new directory."""
        self._examples += 1
        self._done.clear()
        self._both(str(self._examples))

    def do(self, step: Step) -> None:
        """Do the same in both; what comes of it, and what is to be seen then, must be equal."""
        self.operations += 1
        # To look takes longer than all else.
        self._both(replace(step, look=step.contents or self.operations % _LOOK == 0))

    def _both(self, what: Step | str) -> None:
        for worker in self._workers:
            worker.tell(what)
        traced, bare = [worker.hear() for worker in self._workers]
        self._done.append(f"{what} = {bare.value!r:.80}")
        if traced != bare:
            raise AssertionError("\n".join([*self._done, *_unlike(traced, bare)]))
        if not bare.entries:
            return
        self.paths = [one.path for one in bare.entries[1:]] or [b"."]
        self.directories = [one.path for one in bare.entries if one.kind == "d"]
        self.slots = [one.slot for one in bare.held]


def _unlike(traced: Sight, bare: Sight) -> list[str]:
    lines = differences(traced.entries, bare.entries, SIDES)
    if traced.value != bare.value:
        lines.insert(0, f"result: traced {traced.value!r:.300}, bare {bare.value!r:.300}")
    for a, b in zip(traced.times, bare.times, strict=False):
        lines += unlike(a, b, SIDES, f"times of {a.path!r}")
    for c, d in zip(traced.held, bare.held, strict=False):
        lines += unlike(c, d, SIDES, f"slot {c.slot}")
    return lines


@dataclass(frozen=True)
class Known:
    """A path that is there; which one, by its place in the listing."""

    place: int


@dataclass(frozen=True)
class Inside:
    """A name in a directory that is there."""

    place: int
    name: bytes


@dataclass(frozen=True)
class Slot:
    """A file that is open."""

    place: int


Where: TypeAlias = bytes | Known | Inside

_words = st.sampled_from([b"a", b"b", b"d", b"e", b"\xff\n", b"n" * 255])
_odd = st.sampled_from([b".", b"a/", b"d/.", b"", b"n" * 256, b"d/../a", b"a/b", b"./d//e"])
_places = st.sampled_from(range(12))


def _there(chance: int, place: int, name: bytes, odd: bytes) -> Where:
    """Return a path that mostly is there."""
    return odd if chance == 9 else Inside(place, name) if chance == 8 else Known(place)


def _new(chance: int, place: int, name: bytes, odd: bytes) -> Where:
    """Return a path that mostly is not there."""
    return odd if chance == 9 else Known(place) if chance == 8 else Inside(place, name)


# One number for the kind: one_of would take as many alike for one, and each as often.
paths = st.builds(_there, st.integers(0, 9), _places, _words, _odd)
new_paths = st.builds(_new, st.integers(0, 9), _places, _words, _odd)
targets = st.one_of(_words, st.lists(_words, min_size=1, max_size=2).map(b"/".join), st.just(b"x"))
slots = st.builds(Slot, st.integers(0, 3))
new_slots = st.integers(0, 3)
offsets = st.one_of(
    st.integers(0, 3 * _PAGE),
    st.sampled_from([0, _PAGE - 1, _PAGE, 2 * _PAGE, _FAR, -1]),
)
sizes = st.one_of(st.integers(0, 3 * _PAGE), st.sampled_from([0, 1, _PAGE, _FAR + 5, -1]))
counts = st.sampled_from([0, 1, 100, _PAGE, 2 * _PAGE + 7, 150_000])
data = st.builds(
    lambda text, count: (text * (count // len(text) + 1))[:count],
    st.binary(min_size=1, max_size=4),
    counts,
)
modes = st.sampled_from([0o644, 0o600, 0o755, 0o777, 0o700, 0o000, 0o4755, 0o2755, 0o6711, 0o2644])
directory_modes = st.sampled_from([0o755, 0o777, 0o700, 0o1777, 0o2777, 0o3775, 0o555, 0o711])
_access = st.sampled_from([os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR])
_flags = st.sets(
    st.sampled_from(
        [
            os.O_CREAT,
            os.O_CREAT,
            os.O_EXCL,
            os.O_TRUNC,
            os.O_APPEND,
            os.O_NOFOLLOW,
            os.O_SYNC,
            os.O_DSYNC,
            os.O_DIRECTORY,
        ]
    ),
    max_size=3,
)
flags = st.builds(lambda how, more: how | sum(more), _access, _flags).filter(
    # O_CREAT with O_DIRECTORY: EINVAL, or a file, as the kernel's version has it (open(2)).
    lambda value: not (value & os.O_CREAT and value & os.O_DIRECTORY)
)
times = st.sampled_from(
    [linux.UTIME_NOW, linux.UTIME_OMIT, 0, 1, 1_000_000_000_999_999_999, 2_000_000_000_000_000_001]
)
xattr_names = st.sampled_from(
    ["user.a", "user.a", "user.a", "user.b", "trusted.t", "other.x", "user." + "n" * 251]
)
values = st.sampled_from([b"", b"value", b"\0\xff", b"v" * 1000])
allocations = st.sampled_from(
    [0, linux.KEEP_SIZE, linux.KEEP_SIZE | linux.PUNCH_HOLE, linux.ZERO_RANGE, linux.PUNCH_HOLE]
)
ids = st.sampled_from([-1, 0, NOBODY, 12345])


class Machine(RuleBasedStateMachine):
    """Each rule is one step."""

    users = st.sampled_from([None, None, NOBODY])

    def __init__(self, twins: Twins) -> None:
        super().__init__()
        self._twins = twins
        twins.begin()

    def _do(self, operation: Operation, *arguments: object, user: int | None = None) -> None:
        found = tuple(map(self._resolved, arguments))
        self._twins.do(Step(operation, found, user))

    def _resolved(self, argument: object) -> object:
        match argument:
            case Known(place):
                return self._twins.paths[place % len(self._twins.paths)]
            case Inside(place, name):
                directories = self._twins.directories
                return directories[place % len(directories)] + b"/" + name
            case Slot(place):
                slots = self._twins.slots
                return slots[place % len(slots)] if slots else 0
        return argument

    def teardown(self) -> None:
        self._twins.do(Step(do.umask, (0o022,), contents=True))

    @initialize()
    def begin_with_some_files(self) -> None:
        for path in (b"d", b"d/e", b"b"):
            self._do(do.mkdir, path, 0o755)
        self._do(do.chmod, b"b", 0o1777)
        self._do(do.mkdir, b"e", 0o755)
        self._do(do.chown, b"e", 0, 12345, False)
        self._do(do.chmod, b"e", 0o2777)
        for slot, path in enumerate((b"a", b"d/a", b"e/a")):
            self._do(do.open_file, slot, path, os.O_CREAT | os.O_RDWR, 0o666)
            self._do(do.write, slot, b"some words" * 1000)
            self._do(do.setxattr, path, "user.a", b"1", 0, False)
        self._do(do.chmod, b"e/a", 0o6777)

    # -- names

    @rule(path=new_paths, mode=directory_modes, user=users)
    def mkdir(self, path: Where, mode: int, user: int | None) -> None:
        self._do(do.mkdir, path, mode, user=user)

    @rule(path=paths, user=users)
    def rmdir(self, path: Where, user: int | None) -> None:
        self._do(do.rmdir, path, user=user)

    @rule(path=paths, user=users)
    def unlink(self, path: Where, user: int | None) -> None:
        self._do(do.unlink, path, user=user)

    @rule(old=paths, new=new_paths, how=st.sampled_from([0, 0, 1, 2, 3, 8]), user=users)
    def rename(self, old: Where, new: Where, how: int, user: int | None) -> None:
        self._do(do.rename, old, new, how, user=user)

    @rule(old=paths, new=new_paths, user=users)
    def link(self, old: Where, new: Where, user: int | None) -> None:
        self._do(do.link, old, new, user=user)

    @rule(to=targets, path=new_paths, user=users)
    def symlink(self, to: bytes, path: Where, user: int | None) -> None:
        self._do(do.symlink, to, path, user=user)

    @rule(
        path=new_paths,
        kind=st.sampled_from([stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR]),
        mode=modes,
        user=users,
    )
    def mknod(self, path: Where, kind: int, mode: int, user: int | None) -> None:
        device = os.makedev(1, 3) if kind == stat.S_IFCHR else 0
        self._do(do.mknod, path, kind | mode, device, user=user)

    # -- attributes

    @rule(path=paths, mode=st.one_of(modes, directory_modes), user=users)
    def chmod(self, path: Where, mode: int, user: int | None) -> None:
        self._do(do.chmod, path, mode, user=user)

    @rule(path=paths, uid=ids, gid=ids, follow=st.booleans(), user=users)
    def chown(self, path: Where, uid: int, gid: int, follow: bool, user: int | None) -> None:
        self._do(do.chown, path, uid, gid, follow, user=user)

    @rule(path=paths, size=sizes, user=users)
    def truncate(self, path: Where, size: int, user: int | None) -> None:
        self._do(do.truncate, path, size, user=user)

    @rule(path=paths, atime=times, mtime=times, follow=st.booleans(), user=users)
    def utimens(self, path: Where, atime: int, mtime: int, follow: bool, user: int | None) -> None:
        self._do(do.utimens, path, atime, mtime, follow, user=user)

    @rule(
        path=paths,
        name=xattr_names,
        value=values,
        how=st.sampled_from([0, 0, os.XATTR_CREATE, os.XATTR_REPLACE]),
        follow=st.booleans(),
        user=users,
    )
    def setxattr(
        self, path: Where, name: str, value: bytes, how: int, follow: bool, user: int | None
    ) -> None:
        self._do(do.setxattr, path, name, value, how, follow, user=user)

    @rule(path=paths, name=xattr_names, follow=st.booleans(), user=users)
    def removexattr(self, path: Where, name: str, follow: bool, user: int | None) -> None:
        self._do(do.removexattr, path, name, follow, user=user)

    @rule(path=paths, name=xattr_names, user=users)
    def getxattr(self, path: Where, name: str, user: int | None) -> None:
        self._do(do.getxattr, path, name, user=user)

    @rule(path=paths, mode=st.integers(0, 7), user=users)
    def access(self, path: Where, mode: int, user: int | None) -> None:
        self._do(do.access, path, mode, user=user)

    @rule(path=paths, follow=st.booleans(), user=users)
    def stat(self, path: Where, follow: bool, user: int | None) -> None:
        self._do(do.look, path, follow, user=user)

    @rule(path=paths, which=st.sampled_from([do.readlink, do.listdir, do.statvfs]), user=users)
    def ask(self, path: Where, which: Operation, user: int | None) -> None:
        self._do(which, path, user=user)

    @rule(path=paths, user=users)
    def sync_directory(self, path: Where, user: int | None) -> None:
        self._do(do.sync_directory, path, user=user)

    @rule(mask=st.sampled_from([0, 0o022, 0o077, 0o027]))
    def umask(self, mask: int) -> None:
        self._do(do.umask, mask)

    # -- open files

    @rule(slot=new_slots, path=st.one_of(paths, new_paths), how=flags, mode=modes, user=users)
    def open_file(self, slot: int, path: Where, how: int, mode: int, user: int | None) -> None:
        self._do(do.open_file, slot, path, how, mode, user=user)

    @rule(slot=slots)
    def close(self, slot: Slot) -> None:
        self._do(do.close, slot)

    @rule(slot=slots, other=new_slots)
    def duplicate(self, slot: Slot, other: int) -> None:
        self._do(do.duplicate, slot, other)

    @rule(slot=slots, data=data, offset=offsets, user=users)
    def pwrite(self, slot: Slot, data: bytes, offset: int, user: int | None) -> None:
        self._do(do.pwrite, slot, data, offset, user=user)

    @rule(slot=slots, data=data, user=users)
    def write(self, slot: Slot, data: bytes, user: int | None) -> None:
        self._do(do.write, slot, data, user=user)

    @rule(
        slot=slots,
        parts=st.lists(data, min_size=1, max_size=3),
        offset=offsets,
        how=st.sampled_from([0, os.RWF_DSYNC, os.RWF_SYNC, os.RWF_APPEND]),
        user=users,
    )
    def writev(
        self, slot: Slot, parts: list[bytes], offset: int, how: int, user: int | None
    ) -> None:
        self._do(do.writev, slot, parts, offset, how, user=user)

    @rule(slot=slots, count=counts, offset=offsets)
    def pread(self, slot: Slot, count: int, offset: int) -> None:
        self._do(do.pread, slot, count, offset)

    @rule(slot=slots, parts=st.lists(counts, min_size=1, max_size=3), offset=offsets)
    def readv(self, slot: Slot, parts: list[int], offset: int) -> None:
        self._do(do.readv, slot, parts, offset)

    @rule(slot=slots, count=counts)
    def read(self, slot: Slot, count: int) -> None:
        self._do(do.read, slot, count)

    @rule(slot=slots, offset=offsets, whence=st.sampled_from([0, 1, 2]))
    def lseek(self, slot: Slot, offset: int, whence: int) -> None:
        self._do(do.lseek, slot, offset, whence)

    @rule(slot=slots, size=sizes, user=users)
    def ftruncate(self, slot: Slot, size: int, user: int | None) -> None:
        self._do(do.ftruncate, slot, size, user=user)

    @rule(slot=slots, only_data=st.booleans())
    def fsync(self, slot: Slot, only_data: bool) -> None:
        self._do(do.fsync, slot, only_data)

    @rule(slot=slots, mode=modes, user=users)
    def fchmod(self, slot: Slot, mode: int, user: int | None) -> None:
        self._do(do.fchmod, slot, mode, user=user)

    @rule(slot=slots, uid=ids, gid=ids, user=users)
    def fchown(self, slot: Slot, uid: int, gid: int, user: int | None) -> None:
        self._do(do.fchown, slot, uid, gid, user=user)

    @rule(slot=slots, atime=times, mtime=times, user=users)
    def futimens(self, slot: Slot, atime: int, mtime: int, user: int | None) -> None:
        self._do(do.futimens, slot, atime, mtime, user=user)

    @rule(slot=slots, name=xattr_names, value=values)
    def fsetxattr(self, slot: Slot, name: str, value: bytes) -> None:
        self._do(do.fsetxattr, slot, name, value)

    @rule(slot=slots, other=slots, count=counts, at=offsets, to=offsets)
    def copy_range(self, slot: Slot, other: Slot, count: int, at: int, to: int) -> None:
        self._do(do.copy_range, slot, other, count, at, to)

    @rule(slot=slots, mode=allocations, offset=offsets, count=counts, user=users)
    def fallocate(self, slot: Slot, mode: int, offset: int, count: int, user: int | None) -> None:
        self._do(do.fallocate, slot, mode, offset, count, user=user)

    @rule(slot=slots, data=data, offset=st.integers(0, 3 * _PAGE))
    def store(self, slot: Slot, data: bytes, offset: int) -> None:
        self._do(do.store, slot, data, offset)

    @rule(slot=slots, private=st.booleans())
    def load(self, slot: Slot, private: bool) -> None:
        self._do(do.load, slot, private)

    @rule()
    def look_into_the_files(self) -> None:
        self._twins.do(Step(do.umask, (0o022,), contents=True))
