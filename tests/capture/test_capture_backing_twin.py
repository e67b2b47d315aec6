"""A traced directory and a plain one, changed alike: results, trees and known paths agree.

Descriptors are scarce, so that nearly every file has to be found again by its name.
"""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tracefs.capture.backing import Backing, Caller, Changes
from tracefs.capture.inodes import ROOT_INO, Node, key_of
from tracefs.filecalls import renameat2

_CWD = -100  # AT_FDCWD
_MAX_OPEN = 3

names = st.sampled_from(["a", "b", "d", "e\udcff"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
contents = st.binary(max_size=8)


def outcome(call: Callable[..., Any], *args: Any, **kwargs: Any) -> int:
    """The error number; 0 for success."""
    try:
        call(*args, **kwargs)
    except OSError as error:
        return error.errno or -1
    return 0


def tree(root: str) -> dict[str, object]:
    """Everything below *root* that a program can see and that the clock doesn't decide."""
    found: dict[str, object] = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = f"{folder}/{name}"
            info = os.lstat(path)
            seen: object = None
            if stat.S_ISLNK(info.st_mode):
                seen = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                seen = Path(path).read_bytes()
            found[os.path.relpath(path, root)] = (info.st_mode, info.st_nlink, seen)
    return found


class Twins(RuleBasedStateMachine):
    """Each rule does one thing to both directories."""

    def __init__(self) -> None:
        super().__init__()
        self.base = tempfile.mkdtemp()
        self.traced, self.plain = f"{self.base}/traced", f"{self.base}/plain"
        os.mkdir(self.traced)
        os.mkdir(self.plain)
        root_fd = os.open(self.traced, os.O_PATH | os.O_DIRECTORY)
        self.backing = Backing(root_fd, max_open=_MAX_OPEN, keep_sync_flags=False)
        self.inodes = self.backing.inodes
        self.caller = Caller(os.geteuid(), os.getegid())
        self.held: list[tuple[Node, int]] = []

    def teardown(self) -> None:
        for _, fd in self.held:
            os.close(fd)
        self.inodes.close()
        shutil.rmtree(self.base)

    # -- helpers

    def request(self) -> None:
        """What precedes each request: the table is asked for a node."""
        assert self.inodes[ROOT_INO] is self.inodes.root

    def parent(self, path: str) -> tuple[Node, bytes] | None:
        """Look the parent up, component by component, as the kernel does; None: no directory."""
        self.request()
        folder, _, name = path.rpartition("/")
        node = self.inodes.root
        for word in filter(None, folder.split("/")):
            try:
                node, info = self.backing.lookup(node, os.fsencode(word))
            except FileNotFoundError:
                return None
            if not stat.S_ISDIR(info.st_mode):
                return None
        return node, os.fsencode(name)

    def known(self) -> list[Node]:
        return [node for node in self.inodes._by_ino.values() if node is not self.inodes.root]

    # -- rules

    @initialize()
    def begin_with_directories(self) -> None:
        for path in ("d", "d/d", "b"):
            self.make_directory(path, 0o755)

    @rule(path=paths, mode=st.sampled_from([0o700, 0o755]))
    def make_directory(self, path: str, mode: int) -> None:
        if found := self.parent(path):
            done = outcome(self.backing.mkdir, *found, mode, self.caller)
            assert done == outcome(os.mkdir, f"{self.plain}/{path}", mode)

    @rule(path=paths, data=contents, exclusive=st.booleans(), truncate=st.booleans())
    def create(self, path: str, data: bytes, exclusive: bool, truncate: bool) -> None:
        flags = os.O_RDWR | (os.O_TRUNC if truncate else 0)
        plain = flags | os.O_CREAT | os.O_NOFOLLOW
        if exclusive:
            flags, plain = flags | os.O_EXCL, plain | os.O_EXCL

        def traced_create(parent: Node, name: bytes) -> None:
            try:
                fd, node, info = self.backing.create(parent, name, 0o644, flags, self.caller)
            except OSError as error:
                if error.errno != errno.ESTALE:
                    raise
                # As the kernel does then (do_filp_open in fs/namei.c).
                node, info = self.backing.lookup(parent, name)
                fd = self.backing.open(node, flags)
            assert node.key == key_of(info)
            os.pwrite(fd, data, 0)
            os.close(fd)

        def plain_create() -> None:
            fd = os.open(f"{self.plain}/{path}", plain, 0o644)
            os.pwrite(fd, data, 0)
            os.close(fd)

        if found := self.parent(path):
            assert outcome(traced_create, *found) == outcome(plain_create)

    @rule(path=paths, to=names)
    def make_link(self, path: str, to: str) -> None:
        if found := self.parent(path):
            done = outcome(self.backing.symlink, *found, os.fsencode(to), self.caller)
            assert done == outcome(os.symlink, to, f"{self.plain}/{path}")

    @rule(path=paths)
    def make_fifo(self, path: str) -> None:
        if found := self.parent(path):
            mode = stat.S_IFIFO | 0o644
            done = outcome(self.backing.mknod, *found, mode, 0, self.caller)
            assert done == outcome(os.mknod, f"{self.plain}/{path}", mode)

    @rule(old=paths, new=paths)
    def link(self, old: str, new: str) -> None:
        source, target = self.parent(old), self.parent(new)
        if source is None or target is None or not os.path.lexists(f"{self.plain}/{old}"):
            return
        node, _ = self.backing.lookup(*source)
        done = outcome(self.backing.link, node, *target)
        plain = outcome(
            os.link, f"{self.plain}/{old}", f"{self.plain}/{new}", follow_symlinks=False
        )
        assert done == plain

    @rule(old=paths, new=paths, flags=st.sampled_from([0, 1, 2]))
    def rename(self, old: str, new: str, flags: int) -> None:
        source, target = self.parent(old), self.parent(new)
        if source is None or target is None:
            return
        plain = [os.fsencode(f"{self.plain}/{path}") for path in (old, new)]
        done = outcome(self.backing.rename, *source, *target, flags)
        assert done == outcome(renameat2, _CWD, plain[0], _CWD, plain[1], flags)

    @rule(path=paths)
    def unlink(self, path: str) -> None:
        if found := self.parent(path):
            done = outcome(self.backing.unlink, *found)
            assert done == outcome(os.unlink, f"{self.plain}/{path}")

    @rule(path=paths)
    def remove_directory(self, path: str) -> None:
        if found := self.parent(path):
            done = outcome(self.backing.rmdir, *found)
            assert done == outcome(os.rmdir, f"{self.plain}/{path}")

    @rule(path=paths, size=st.integers(0, 10), mode=st.sampled_from([0o600, 0o755]))
    def change(self, path: str, size: int, mode: int) -> None:
        plain = f"{self.plain}/{path}"
        found = self.parent(path)
        if found is None or not os.path.isfile(plain) or os.path.islink(plain):
            return
        node, _ = self.backing.lookup(*found)
        info, _ = self.backing.setattr(node, Changes(size=size, mode=mode, mtime_ns=7), None, None)
        assert (info.st_size, stat.S_IMODE(info.st_mode), info.st_mtime_ns) == (size, mode, 7)
        os.truncate(plain, size)
        os.chmod(plain, mode)

    @rule(path=paths)
    def hold(self, path: str) -> None:
        """Remember a file; it may lose its names later."""
        plain = f"{self.plain}/{path}"
        found = self.parent(path)
        if found and os.path.isfile(plain) and not os.path.islink(plain):
            node, _ = self.backing.lookup(*found)
            self.held.append((node, os.open(plain, os.O_RDWR)))

    @rule(data=contents, which=st.integers(0, 100))
    def use_held(self, data: bytes, which: int) -> None:
        if not self.held:
            return
        self.request()
        node, plain = self.held[which % len(self.held)]
        traced = self.backing.open(node, os.O_RDWR)
        assert os.pread(traced, 100, 0) == os.pread(plain, 100, 0)
        for fd in (traced, plain):
            os.pwrite(fd, data, 2)
        assert os.stat(traced).st_nlink == os.stat(plain).st_nlink
        os.close(traced)

    @rule(which=st.integers(0, 100))
    def forget(self, which: int) -> None:
        """Drop all references to a node that the kernel may drop: nothing below it is known."""
        kept = {node.ino for node, _ in self.held}
        kept |= {node.parent.ino for node in self.known() if node.parent is not None}
        free = [node for node in self.known() if node.ino not in kept]
        if free:
            node = free[which % len(free)]
            self.inodes.forget(node.ino, node.lookups)
            assert outcome(self.inodes.__getitem__, node.ino) != 0

    # -- what always holds

    @invariant()
    def the_trees_agree(self) -> None:
        assert tree(self.traced) == tree(self.plain)

    @invariant()
    def listings_agree(self) -> None:
        fd = self.backing.opendir(self.inodes.root)
        for _ in range(2):
            assert {entry.name for entry in self.backing.listdir(fd)} == set(os.listdir(self.plain))
        os.close(fd)

    @invariant()
    def every_known_file_is_where_it_is_said_to_be(self) -> None:
        for node in self.known():
            if node.parent is not None:
                info = os.lstat(os.fsencode(self.traced) + b"/" + self.inodes.path(node))
                assert key_of(info) == node.key

    @invariant()
    def every_known_file_can_be_used(self) -> None:
        for node in self.known():
            info = self.backing.getattr(node)
            assert key_of(info) == node.key

    @invariant()
    def descriptors_stay_scarce(self) -> None:
        self.request()
        named = [node for node in self.known() if node.fd >= 0 and node.parent is not None]
        assert len(named) <= _MAX_OPEN


TestTwins = Twins.TestCase
TestTwins.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
