"""What somebody changes in the source, past the mount, between two steps of a request."""

import errno
import fcntl
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from capture_support import failure

from tracefs.capture.backing import Backing, Caller, Changes
from tracefs.capture.inodes import Node, key_of

SELF = Caller(os.geteuid(), os.getegid())
OTHER = Caller(4321, 8765)


@pytest.fixture
def root(backing: Backing) -> Node:
    return backing.inodes.root


def fifo(path: Path) -> None:
    os.mkfifo(path)


def socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [fifo, socket, link, folder])
def test_what_got_the_number_of_a_listed_file_is_not_opened_for_it(
    make: Callable[[Path], None], backing: Backing, source: Path, root: Node
) -> None:
    """A listing pins nothing, so the file may be gone and its number be that of a FIFO."""
    make(source / "a")
    info = (source / "a").lstat()
    listed = (info.st_dev, info.st_ino, stat.S_IFREG)
    node = backing.inodes.adopt(listed, -1, root, b"a")
    assert failure(backing.open, node, os.O_RDWR).errno == errno.ESTALE
    assert failure(backing.getattr, node).errno == errno.ESTALE
    assert failure(backing.setattr, node, Changes(size=0), None, None).errno == errno.ESTALE
    assert backing.lookup(root, b"a")[0] is not node


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [fifo, link, folder])
def test_what_took_the_name_of_a_listed_file_is_not_taken_for_it(
    make: Callable[[Path], None], backing: Backing, source: Path, root: Node
) -> None:
    (source / "a").touch()
    node = backing.inodes.adopt(key_of((source / "a").stat()), -1, root, b"a")
    (source / "a").rename(source / "b")
    make(source / "a")
    assert failure(backing.open, node, os.O_RDONLY).errno == errno.ESTALE


class Swapping(Backing):
    """Lets something happen after each look at a name."""

    def __init__(self, root_fd: int, then: Callable[[], None]) -> None:
        super().__init__(root_fd, max_open=100, keep_sync_flags=False)
        self._then = then

    def peek(self, parent: Node, name: bytes) -> os.stat_result:
        info = super().peek(parent, name)
        self._then()
        return info


def test_a_file_that_is_swapped_while_its_node_is_sought_is_not_the_node(source: Path) -> None:
    (source / "a").write_text("mine")
    (source / "b").write_text("another's")

    def swap() -> None:
        (source / "b").replace(source / "a")

    backing = Swapping(os.open(source, os.O_PATH | os.O_DIRECTORY), swap)
    root = backing.inodes.root
    node = backing.inodes.adopt(key_of((source / "a").stat()), -1, root, b"a")
    assert backing.child(root, b"a") is None
    assert node.fd < 0
    backing.inodes.close()


@pytest.fixture
def leased(source: Path) -> Iterator[Path]:
    """A file that another process holds a lease on, and that doesn't give it up when asked."""
    path = source / "a"
    path.write_text("text")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    yield path
    holder.kill()
    holder.communicate()


HOLDER = f"""
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, {fcntl.F_SETLEASE}, {fcntl.F_WRLCK})
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.timeout(20)
def test_a_lease_keeps_no_request_waiting(backing: Backing, leased: Path, root: Node) -> None:
    node, _ = backing.lookup(root, b"a")
    assert failure(backing.open, node, os.O_RDONLY).errno == errno.EAGAIN


def test_who_waits_for_the_lease_gets_the_file(backing: Backing, source: Path, root: Node) -> None:
    (source / "a").write_text("text")
    node, _ = backing.lookup(root, b"a")
    wait = backing.patient_open(node, os.O_RDONLY)
    (source / "a").rename(source / "b")
    (source / "a").write_text("another")
    fd = wait()
    assert os.read(fd, 9) == b"text"
    os.close(fd)


MAKERS: dict[str, Callable[[Backing, Node], object]] = {
    "mkdir": lambda backing, root: backing.mkdir(root, b"a", 0o700, OTHER),
    "mknod": lambda backing, root: backing.mknod(root, b"a", stat.S_IFREG | 0o600, 0, OTHER),
    "symlink": lambda backing, root: backing.symlink(root, b"a", b"x", OTHER),
    "create": lambda backing, root: os.close(backing.create(root, b"a", 0o600, 2, OTHER)[0]),
}


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("make", MAKERS)
def test_nothing_is_given_to_the_caller_but_what_it_made(
    make: str, source: Path, tmp_path: Path
) -> None:
    """Root's own file is put in the place of what was just made: it stays root's."""
    victim = tmp_path / "roots"
    victim.mkdir() if make == "mkdir" else victim.write_text("secret")
    taken = False

    class Stolen(Backing):
        def lookup(self, parent: Node, name: bytes) -> tuple[Node, os.stat_result]:
            nonlocal taken
            if not taken:
                taken = True
                (source / "a").rename(source / "made")
                victim.rename(source / "a")
            return super().lookup(parent, name)

    # The server also keeps its capabilities; that would stay with the process of the tests.
    source.chmod(0o777)
    backing = Stolen(
        os.open(source, os.O_PATH | os.O_DIRECTORY),
        max_open=100,
        keep_sync_flags=False,
        makes_for_others=True,
    )
    MAKERS[make](backing, backing.inodes.root)
    backing.inodes.close()
    if taken:
        assert (source / "a").lstat().st_uid == 0
    made = (source / ("made" if taken else "a")).lstat()
    assert (made.st_uid, made.st_gid) == (OTHER.uid, OTHER.gid)


@pytest.mark.usefixtures("as_root")
def test_ids_are_the_servers_own_again_after_a_failure(
    back: Callable[..., Backing], source: Path
) -> None:
    source.chmod(0o777)
    backing = back(makes_for_others=True)
    root = backing.inodes.root
    assert failure(backing.mkdir, root, b"a" * 300, 0o700, OTHER).errno == errno.ENAMETOOLONG
    _, info = backing.mkdir(root, b"a", 0o700, SELF)
    assert (info.st_uid, info.st_gid) == (SELF.uid, SELF.gid)


@pytest.mark.usefixtures("as_root")
def test_a_directory_that_is_open_to_the_caller_by_a_group(
    backing: Backing, source: Path, root: Node
) -> None:
    """The kernel knows all groups of the caller, the request but one of them."""
    (source / "d").mkdir(mode=0o770)
    node, _ = backing.lookup(root, b"d")
    fd, _, info = backing.create(node, b"f", 0o6711, os.O_RDWR, OTHER)
    os.close(fd)
    assert (info.st_uid, info.st_gid) == (OTHER.uid, OTHER.gid)
    assert stat.S_IMODE(info.st_mode) == 0o6711
