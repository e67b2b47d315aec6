"""Each operation on the traced directory, next to what the plain call does."""

import errno
import fcntl
import os
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from capture_support import failure

from tracefs.capture.backing import Backing, Caller, Changes, errno_of
from tracefs.capture.callers import is_member
from tracefs.capture.inodes import Node

Make = Callable[..., Backing]
SELF = Caller(os.geteuid(), os.getegid())
OTHER = Caller(4321, 8765)


@pytest.fixture
def root(backing: Backing) -> Node:
    return backing.inodes.root


@pytest.fixture
def file(backing: Backing, source: Path) -> Node:
    (source / "file").write_bytes(b"0123456789")
    (source / "file").chmod(0o644)
    return backing.lookup(backing.inodes.root, b"file")[0]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_name_is_found_and_no_link_followed(backing: Backing, source: Path, root: Node) -> None:
    (source / "link").symlink_to(b"caf\xe9".decode("utf-8", "surrogateescape"))
    node, info = backing.lookup(root, b"link")
    assert stat.S_ISLNK(info.st_mode)
    assert backing.getattr(node) == info
    assert backing.readlink(node) == b"caf\xe9"


@pytest.mark.parametrize(
    ("name", "number"), [(b"absent", errno.ENOENT), (b"n" * 256, errno.ENAMETOOLONG)]
)
def test_a_name_that_is_not_there_is_the_backing_error(
    backing: Backing, root: Node, name: bytes, number: int
) -> None:
    assert failure(backing.lookup, root, name).errno == number
    assert backing.child(root, name) is None


def test_nothing_is_found_in_a_file(backing: Backing, file: Node) -> None:
    with pytest.raises(NotADirectoryError):
        backing.lookup(file, b"a")


def test_readlink_of_a_file_is_an_error(backing: Backing, file: Node) -> None:
    assert failure(backing.readlink, file).errno == errno.ENOENT  # readlink(2): not a link


def test_a_glance_adds_no_reference(backing: Backing, source: Path, root: Node) -> None:
    (source / "a").symlink_to("absent")
    assert backing.peek(root, b"a") == (source / "a").lstat()
    assert backing.child(root, b"a") is None
    assert len(backing.inodes) == 1


def test_the_filesystem_is_the_one_below(backing: Backing, source: Path) -> None:
    below = os.statvfs(source)
    assert backing.statfs().f_namemax == below.f_namemax
    assert backing.statfs().f_bsize == below.f_bsize
    assert backing.statfs().f_fsid == below.f_fsid


def test_a_listing_can_be_taken_again_and_sees_what_is_new(
    backing: Backing, source: Path, root: Node
) -> None:
    fd = backing.opendir(root)
    assert backing.listdir(fd) == []
    (source / b"\xff".decode("utf-8", "surrogateescape")).touch()
    assert [os.fsencode(entry.name) for entry in backing.listdir(fd)] == [b"\xff"]
    os.fsync(fd)
    os.close(fd)


def test_only_a_directory_is_opened_as_one(backing: Backing, file: Node) -> None:
    with pytest.raises(NotADirectoryError):
        backing.opendir(file)


@pytest.mark.parametrize("by_descriptor", [False, True], ids=["by name", "by descriptor"])
@pytest.mark.parametrize(
    "changes",
    [
        Changes(size=0),
        Changes(size=3),
        Changes(size=1 << 30),
        Changes(mode=0o600),
        Changes(mode=0o7777),
        Changes(atime_ns=1, mtime_ns=1_700_000_000_123_456_789),
        Changes(size=5, mode=0o640, mtime_ns=12345),
        Changes(uid=SELF.uid, gid=SELF.gid),
    ],
    ids=str,
)
def test_what_is_asked_for_changes_and_nothing_else(
    backing: Backing, source: Path, file: Node, changes: Changes, by_descriptor: bool
) -> None:
    os.utime(source / "file", ns=(111, 222))
    before = (source / "file").stat()
    fd = backing.open(file, os.O_RDWR) if by_descriptor else None
    info, _ = backing.setattr(file, changes, fd, None)
    if fd is not None:
        os.close(fd)
    assert info == (source / "file").stat()
    asked = {
        "st_size": changes.size,
        "st_mode": None if changes.mode is None else stat.S_IFREG | changes.mode,
        "st_atime_ns": changes.atime_ns,
        "st_mtime_ns": changes.mtime_ns,
    }
    for field, value in asked.items():
        if field == "st_mtime_ns" and value is None and changes.size is not None:
            continue  # truncating is a change of contents
        assert getattr(info, field) == (getattr(before, field) if value is None else value), field


@pytest.mark.parametrize("field", ["atime_ns", "mtime_ns"])
def test_one_time_alone_leaves_the_other(
    backing: Backing, source: Path, file: Node, field: str
) -> None:
    os.utime(source / "file", ns=(111, 222))
    backing.setattr(file, Changes(**{field: 5}), None, None)
    info = (source / "file").stat()
    assert (info.st_atime_ns, info.st_mtime_ns) == {"atime_ns": (5, 222), "mtime_ns": (111, 5)}[
        field
    ]


def test_a_link_itself_gets_the_times(backing: Backing, source: Path, root: Node) -> None:
    (source / "target").touch()
    (source / "link").symlink_to("target")
    before = (source / "target").stat().st_mtime_ns
    node, _ = backing.lookup(root, b"link")
    backing.setattr(node, Changes(atime_ns=1, mtime_ns=2), None, None)
    assert (source / "link").lstat().st_mtime_ns == 2
    assert (source / "target").stat().st_mtime_ns == before


def test_an_unlinked_file_is_changed_all_the_same(backing: Backing, root: Node, file: Node) -> None:
    fd = backing.open(file, os.O_RDWR)
    backing.unlink(root, b"file")
    assert backing.setattr(file, Changes(size=2, mode=0o600), None, None)[0].st_size == 2
    assert backing.setattr(file, Changes(size=3), fd, None)[0].st_size == 3
    assert os.pread(fd, 9, 0) == b"01\0"
    os.close(fd)


def test_a_change_of_nothing_clears_setuid_as_chown_does(
    backing: Backing, source: Path, file: Node
) -> None:
    (source / "file").chmod(0o4755)
    backing.setattr(file, Changes(), None, None)
    assert mode(source / "file") == 0o755


def test_each_open_has_the_access_mode_it_asked_for(backing: Backing, file: Node) -> None:
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        fd = backing.open(file, flags)
        assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == flags
        assert not os.get_inheritable(fd)
        os.close(fd)


@pytest.mark.parametrize("keep", [False, True])
def test_flags_that_would_change_what_a_descriptor_does_are_left_out(
    back: Make, source: Path, keep: bool
) -> None:
    backing = back(keep_sync_flags=keep)
    (source / "a").write_text("text")
    node, _ = backing.lookup(backing.inodes.root, b"a")
    asked = os.O_RDWR | os.O_APPEND | os.O_DIRECT | os.O_SYNC | os.O_NOFOLLOW | os.O_ASYNC
    fd = backing.open(node, asked | os.O_CREAT | os.O_EXCL | os.O_NOCTTY)
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    assert not flags & (os.O_APPEND | os.O_DIRECT | os.O_ASYNC)
    assert flags & os.O_SYNC == (os.O_SYNC if keep else 0)
    os.pwrite(fd, b"T", 0)
    assert (source / "a").read_text() == "Text", "pwrite(2) on O_APPEND ignores its offset"
    os.close(fd)


def test_o_trunc_truncates(backing: Backing, source: Path, file: Node) -> None:
    os.close(backing.open(file, os.O_WRONLY | os.O_TRUNC))
    assert (source / "file").stat().st_size == 0


def test_a_new_file_is_made_with_its_mode_and_opened(
    backing: Backing, source: Path, root: Node
) -> None:
    fd, node, info = backing.create(root, b"new", 0o604, os.O_RDWR, SELF)
    os.write(fd, b"x")
    os.close(fd)
    assert (node.lookups, info.st_size) == (1, 0)
    assert mode(source / "new") == 0o604
    assert (source / "new").read_text() == "x"


@pytest.mark.parametrize("name", [b"file", b"link", b"directory", b"fifo"])
@pytest.mark.parametrize("flags", [0, os.O_TRUNC, os.O_EXCL], ids=["", "O_TRUNC", "O_EXCL"])
@pytest.mark.parametrize("access", [os.O_RDONLY, os.O_WRONLY, os.O_RDWR])
def test_what_somebody_else_has_just_made_is_left_to_the_kernel(
    backing: Backing, source: Path, root: Node, name: bytes, flags: int, access: int
) -> None:
    """Whether this caller may open it is for the kernel to say, which looks again at ESTALE."""
    (source / "file").write_bytes(b"0123456789")
    (source / "link").symlink_to("target")
    (source / "directory").mkdir()
    os.mkfifo(source / "fifo")
    error = failure(backing.create, root, name, 0o600, access | flags, OTHER)
    assert error.errno == (errno.EEXIST if flags & os.O_EXCL else errno.ESTALE)
    assert not (source / "target").exists()
    assert (source / "file").read_bytes() == b"0123456789"


def test_nothing_is_made_in_a_directory_that_is_gone(backing: Backing, root: Node) -> None:
    directory, _ = backing.mkdir(root, b"d", 0o755, SELF)
    backing.rmdir(root, b"d")
    with pytest.raises(FileNotFoundError):
        backing.create(directory, b"a", 0o600, os.O_RDWR, SELF)
    with pytest.raises(FileNotFoundError):
        backing.mkdir(directory, b"a", 0o700, SELF)


@pytest.mark.parametrize("kind", [stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK], ids=hex)
def test_nodes_of_each_kind_are_made(backing: Backing, source: Path, root: Node, kind: int) -> None:
    node, info = backing.mknod(root, b"a", kind | 0o640, 0, SELF)
    assert info.st_mode == kind | 0o640
    assert (node.lookups, (source / "a").lstat()) == (1, info)


def test_a_socket_is_a_place_to_connect_to(backing: Backing, source: Path, root: Node) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(source / "s"))
        assert stat.S_ISSOCK(backing.lookup(root, b"s")[1].st_mode)


def test_a_link_is_one_more_name_and_one_more_reference(
    backing: Backing, root: Node, file: Node
) -> None:
    node, info = backing.link(file, root, b"second")
    assert (node, node.lookups, info.st_nlink) == (file, 2, 2)


def test_a_link_to_a_link_does_not_follow_it(backing: Backing, source: Path, root: Node) -> None:
    node, _ = backing.symlink(root, b"link", b"absent", SELF)
    backing.link(node, root, b"again")
    assert os.readlink(source / "again") == "absent"


def test_a_file_without_a_name_gets_no_new_one(backing: Backing, root: Node, file: Node) -> None:
    backing.unlink(root, b"file")
    with pytest.raises(FileNotFoundError):
        backing.link(file, root, b"again")


def test_extended_attributes_come_and_go(backing: Backing, source: Path, file: Node) -> None:
    backing.setxattr(file, b"user.a\xff", b"\0value", None)
    assert os.getxattr(source / "file", b"user.a\xff") == b"\0value"
    assert backing.getxattr(file, b"user.a\xff") == b"\0value"
    assert b"user.a\xff" in backing.listxattr(file)
    backing.removexattr(file, b"user.a\xff")
    for call in (backing.getxattr, backing.removexattr):
        assert failure(call, file, b"user.a\xff").errno == errno.ENODATA


def test_an_error_without_a_number_is_eio() -> None:
    assert errno_of(OSError()) == errno.EIO
    assert errno_of(OSError(errno.ENOSPC, "")) == errno.ENOSPC


@pytest.mark.usefixtures("as_root")
class TestForOthers:
    """A server that is root makes files for its callers."""

    @pytest.fixture
    def shared(self, backing: Backing, source: Path) -> Node:
        """A directory that passes its group on."""
        (source / "shared").mkdir()
        os.chown(source / "shared", 0, 777)
        (source / "shared").chmod(0o2777)
        return backing.lookup(backing.inodes.root, b"shared")[0]

    def make(self, backing: Backing, parent: Node) -> dict[str, os.stat_result]:
        fd, _, created = backing.create(parent, b"c", 0o4755, os.O_RDWR, OTHER)
        os.close(fd)
        return {
            "create": created,
            "mkdir": backing.mkdir(parent, b"d", 0o1755, OTHER)[1],
            "mknod": backing.mknod(parent, b"n", stat.S_IFIFO | 0o6711, 0, OTHER)[1],
            "symlink": backing.symlink(parent, b"s", b"c", OTHER)[1],
        }

    def test_what_is_made_belongs_to_the_caller(
        self, backing: Backing, source: Path, root: Node
    ) -> None:
        made = self.make(backing, root)
        owners = {(info.st_uid, info.st_gid) for info in made.values()}
        assert owners == {(OTHER.uid, OTHER.gid)}
        # create's attributes are those after the change of owner, set-id bits included
        modes = {kind: stat.S_IMODE(info.st_mode) for kind, info in made.items()}
        del modes["symlink"]
        assert modes == {"create": 0o4755, "mkdir": 0o1755, "mknod": 0o6711}
        assert mode(source / "c") == 0o4755

    def test_a_setgid_directory_passes_its_group_on(self, backing: Backing, shared: Node) -> None:
        made = self.make(backing, shared)
        owners = {(info.st_uid, info.st_gid) for info in made.values()}
        assert owners == {(OTHER.uid, 777)}
        assert made["mkdir"].st_mode & stat.S_ISGID, "and itself, to directories"
        assert not made["create"].st_mode & stat.S_ISGID

    def test_devices_are_made(self, backing: Backing, root: Node) -> None:
        _, info = backing.mknod(root, b"null", stat.S_IFCHR | 0o666, os.makedev(1, 3), SELF)
        assert (stat.S_ISCHR(info.st_mode), info.st_rdev) == (True, os.makedev(1, 3))

    def test_owner_and_group_change_apart(self, backing: Backing, source: Path, file: Node) -> None:
        backing.setattr(file, Changes(uid=5), None, None)
        backing.setattr(file, Changes(gid=6), None, None)
        info = (source / "file").stat()
        assert (info.st_uid, info.st_gid) == (5, 6)

    def test_mode_and_owner_at_once_keep_set_id_bits(
        self, backing: Backing, source: Path, file: Node
    ) -> None:
        backing.setattr(file, Changes(uid=5, mode=0o4755), None, None)
        assert mode(source / "file") == 0o4755

    @pytest.mark.parametrize(
        ("before", "after"),
        [(0o6755, 0o755), (0o4644, 0o644), (0o2755, 0o755), (0o2644, 0o644), (0o1755, 0o1755)],
        ids=oct,
    )
    def test_set_id_bits_go_with_a_change_by_a_stranger(
        self, backing: Backing, source: Path, file: Node, before: int, after: int
    ) -> None:
        os.chown(source / "file", 1, 987654)  # no group of this process
        (source / "file").chmod(before)
        backing.setattr(file, Changes(atime_ns=1), None, os.getpid())
        assert mode(source / "file") == after

    def test_a_member_keeps_the_mark_of_mandatory_locking(
        self, backing: Backing, source: Path, file: Node
    ) -> None:
        (source / "file").chmod(0o6644)
        backing.setattr(file, Changes(size=1), None, os.getpid())
        assert mode(source / "file") == 0o2644

    def test_directories_keep_theirs(self, backing: Backing, source: Path, shared: Node) -> None:
        fd = backing.opendir(shared)
        backing.drop_setid(fd, os.getpid())
        os.close(fd)
        assert mode(source / "shared") == 0o2777

    def test_without_a_killer_nothing_goes(
        self, backing: Backing, source: Path, file: Node
    ) -> None:
        (source / "file").chmod(0o4755)
        backing.setattr(file, Changes(atime_ns=1), None, None)
        assert mode(source / "file") == 0o4755

    @pytest.mark.parametrize(
        ("setter", "member", "after"),
        [(True, False, 0o750), (True, True, 0o2750), (False, False, 0o2750)],
        ids=["a stranger", "a member", "with CAP_FSETID"],
    )
    def test_an_access_list_set_by_a_stranger_clears_setgid(
        self, backing: Backing, source: Path, file: Node, setter: bool, member: bool, after: int
    ) -> None:
        if not member:
            os.chown(source / "file", 1, 987654)
        (source / "file").chmod(0o2640)
        # Version 2; owner rwx, group r-x, others ---, none of them named (posix_acl_xattr.h).
        entries = ((1, 7), (4, 5), (32, 0))
        value = struct.pack("<I", 2) + b"".join(
            struct.pack("<HHI", tag, permissions, 0xFFFFFFFF) for tag, permissions in entries
        )
        tid = os.getpid() if setter else None
        backing.setxattr(file, b"system.posix_acl_access", value, tid)
        assert mode(source / "file") == after

    def test_groups_are_those_of_the_thread(self) -> None:
        with subprocess.Popen(
            ["cat"], stdin=subprocess.PIPE, group=111, extra_groups=[222, 333]
        ) as process:
            found = [gid for gid in (0, 111, 222, 333, 33, 2) if is_member(process.pid, gid)]
            process.kill()
        assert found == [111, 222, 333]

    def test_the_group_of_a_thread_is_its_fsgid(self) -> None:
        line = (
            "import os; os.setgroups([]); os.setresgid(111, 222, 333); print(flush=True); input()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            found = [gid for gid in (0, 111, 222, 333) if is_member(process.pid, gid)]
            process.kill()
        assert found == [222]


def test_everybody_is_in_the_groups_that_the_kernel_lists() -> None:
    for gid in {os.getegid(), *os.getgroups()}:
        assert is_member(os.getpid(), gid)
    assert not is_member(os.getpid(), 987654)


def test_nobody_is_in_no_group() -> None:
    assert not is_member(1 << 31, 0)


def test_a_file_that_cannot_be_looked_at_costs_no_descriptor(
    backing: Backing, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fixture counts descriptors; to be found and not looked at takes a broken disk."""
    (source / "f").touch()

    def broken(_: object) -> os.stat_result:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", broken)
        with pytest.raises(OSError, match="Input/output error"):
            backing.lookup(backing.inodes.root, b"f")
