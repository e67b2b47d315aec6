"""The inodes that the kernel knows, each with a descriptor that pins the backing file.

A node is found by (st_dev, st_ino) of its backing file, so hard links share one. As long as a node
holds its O_PATH descriptor the backing inode number cannot be used again. Under descriptor
pressure the oldest are closed; a node is then found again by its name, and compared by type and
birth time: a FIFO that got the number of a file would keep whoever opens it waiting.
"""

import contextlib
import errno
import gc
import os
import stat
from itertools import islice
from time import monotonic_ns
from typing import Final, NamedTuple, TypeAlias

from tracefs.capture import freeing
from tracefs.capture.syscalls import birth_time_ns
from tracefs.journal.format import encode

ROOT_INO: Final = 1
_OWN_NUMBERS: Final = 1 << 62
FREEZE_EVERY: Final = 1 << 13
"""New nodes after which the garbage collector is to know none of them any longer."""
_O_PATH_NOFOLLOW: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC

TRUSTED_S: Final = 1
"""How long the kernel may trust names and attributes. Changes through the mount are seen at once;
this bounds how late a change made past it is."""
_MOST_OPENABLE: Final = 1 << 12
_LONGEST_PATH: Final = 1 << 10
"""In bytes of JSON, of one that is opened as the last time; a line in ``_shortcut.c`` has room."""
_MOST_ASKED: Final = 1 << 12
"""Threads whose last look-up of a file with several names is kept."""
SYNC_UNKNOWN: Final = -1
"""Of a file that was never synced."""

Key: TypeAlias = tuple[int, int, int]
"""Device, inode number and type (S_IFMT) of a backing file."""


def key_of(info: os.stat_result) -> Key:
    """Return what tells a backing file from others that live at the same time."""
    return info.st_dev, info.st_ino, stat.S_IFMT(info.st_mode)


class Node:
    """One file that the kernel holds a reference to."""

    __slots__ = (
        "before_link",
        "birth_ns",
        "born_by_ns",
        "children",
        "fd",
        "ino",
        "key",
        "lookups",
        "name",
        "parent",
        "path",
        "quick_syncs",
        "shown",
    )

    def __init__(self, ino: int, key: Key) -> None:
        self.ino = ino
        self.shown = key[1] if ino == ROOT_INO else ino
        """What stat(2) shows as ``st_ino``; the root's own number is fixed by the protocol."""
        self.key = key
        self.children = 0
        """Nodes whose *parent* this is; it stays in the table for their sake."""
        self.lookups = 0
        """References that the kernel holds."""
        self.fd = -1
        """O_PATH descriptor; -1: closed, to be opened by name."""
        self.parent: Node | None = None
        """Directory that *name* is in; None: the root, or no name is left."""
        self.name = b""
        self.path = b"."
        """Last path, once no name is left."""
        self.birth_ns: int | None = None
        """When the backing file was made, noted as its descriptor is closed; None: not known."""
        self.born_by_ns: int | None = None
        """When it was there already, of one that never had a descriptor; None: not known."""
        self.before_link: tuple[bytes, int] | None = None
        """Path that it had as its only one, and until when the kernel may use it unasked."""
        # A small number, which costs no memory: there may be a million files.
        self.quick_syncs = SYNC_UNKNOWN
        """How many of its last syncs were quick, as far as `tracefs.capture.syncer` counts."""


class Openable(NamedTuple):
    """How a file of one name was opened the last time."""

    node: Node
    fd: int
    """O_PATH descriptor."""
    path: bytes
    """Path text, as JSON has it."""


class InodeTable:
    """FUSE inode number -> `Node`, and the references that the kernel holds."""

    def __init__(self, root_fd: int, *, max_open: int) -> None:
        """Take the O_PATH descriptor of the traced directory, and a limit for kept descriptors."""
        self.root = Node(ROOT_INO, key_of(os.stat(root_fd)))
        self.root.fd = root_fd
        self.root.lookups = 1
        self._by_ino: dict[int, Node] = {ROOT_INO: self.root}
        self._by_key: dict[Key, Node] = {self.root.key: self.root}
        self._pinned: dict[int, Node] = {}
        self._max_open = max_open
        self._next_own = _OWN_NUMBERS
        self._asked: dict[int, tuple[int, bytes]] = {}
        """Thread -> the file with several names that it looked up last, and by which of them."""
        self._fresh = 0
        """Nodes that the garbage collector still goes through."""
        self.openable: Final[dict[int, Openable]] = {}
        """Of files that were opened: how, for as long as no name and no descriptor changes."""

    def __len__(self) -> int:
        return len(self._by_ino)

    def __getitem__(self, ino: int) -> Node:
        """Return the node; ESTALE when the kernel names one that is not known.

        Every request begins here, so nobody holds a descriptor of ours: the time to close some.
        """
        if len(self._pinned) > self._max_open:
            self._make_room()
        try:
            return self._by_ino[ino]
        except KeyError:
            raise OSError(errno.ESTALE, "unknown inode") from None

    def known(self, info: os.stat_result) -> Node | None:
        """Return the node of a backing file, if the kernel knows it."""
        return self._by_key.get(key_of(info))

    def adopt(
        self, key: Key, fd: int, parent: Node, name: bytes, changed_ns: int | None = None
    ) -> Node:
        """Return the node for a backing file that *name* leads to, one reference added.

        Takes over *fd*, an O_PATH descriptor of the file; -1: none, and then *changed_ns* is its
        ctime, which tells it from a later file of the same number.
        """
        node = self._by_key.get(key)
        if node is not None and node.fd < 0 and fd >= 0 and not _same_birth(node, fd):
            # The number was given to another file while nothing pinned it.
            del self._by_key[key]
            node = None
        if node is None:
            node = Node(self._number(key[1]), key)
            node.born_by_ns = changed_ns
            self._by_ino[node.ino] = node
            self._by_key[key] = node
            self._fresh += 1
            if self._fresh >= FREEZE_EVERY:
                self._freeze()
        if node.fd < 0 and fd >= 0:
            self.pin(node, fd)
        elif fd >= 0:
            os.close(fd)
        if node is not self.root:
            self.moved(node, parent, name)
        node.lookups += 1
        return node

    def adopt_nameless(self, key: Key, fd: int, parent: Node) -> Node:
        """Return a new node for a file that has no name, made in *parent*, one reference added."""
        # The kernel's own way to name such a file (d_mark_tmpfile in fs/dcache.c).
        node = self.adopt(key, fd, parent, b"#%d" % key[1])
        self.detached(node, parent, node.name)
        return node

    def forget(self, ino: int, count: int) -> None:
        """Take back *count* references; the node goes with the last, and with its children."""
        node = self._by_ino.get(ino)
        if node is None or node is self.root:
            return
        node.lookups -= count
        if node.lookups > 0:
            return
        if node.children:
            self._close(node)
        else:
            self._drop(node)

    def fd(self, node: Node) -> int:
        """Return the O_PATH descriptor of *node*; ESTALE when its name leads elsewhere now."""
        if node.fd < 0:
            self.pin(node, self._found_again(node))
        return node.fd

    def _found_again(self, node: Node) -> int:
        """Open *node* by name, from the nearest directory above that has a descriptor."""
        closed = [node]
        while (above := closed[-1].parent) is not None and above.fd < 0:
            closed.append(above)
        if above is None:
            raise OSError(errno.ESTALE, "no name is left")
        fd = above.fd
        # One descriptor at a time: the tree may be deeper than the limit allows.
        for below in reversed(closed):
            try:
                found = _open_as(below, below.name, fd)
            finally:
                if fd != above.fd:
                    os.close(fd)
            fd = found
        return fd

    def path(self, node: Node) -> bytes:
        """Return the path from the traced directory; the last one, when no name is left."""
        if node.parent is self.root:
            return node.name  # most are; this runs for each open
        names: list[bytes] = []
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        if node is not self.root:
            names.append(node.path)
        return b"/".join(reversed(names)) or b"."

    def path_by_number(self, ino: int) -> bytes:
        """Return what `path` does of a node that a request is about; no descriptor is closed."""
        return self.path(self._by_ino[ino])

    def asked(self, tid: int, node: Node, parent: Node, name: bytes) -> None:
        """Note by which of its names thread *tid* has looked *node* up."""
        self.openable.clear()
        if len(self._asked) >= _MOST_ASKED:
            self._asked.clear()
        self._asked[tid] = (node.ino, self.path_of(parent, name))

    def was_opened(self, node: Node, info: os.stat_result, path: str) -> None:
        """Note that *node* was opened as *path*; *info* says how many names it has."""
        if info.st_nlink != 1 or node.before_link is not None or node.fd < 0:
            return
        if len(self.openable) >= _MOST_OPENABLE:
            self.openable.clear()
        text = encode(path)
        if len(text) <= _LONGEST_PATH:
            self.openable[node.ino] = Openable(node, node.fd, text)

    def path_used(self, tid: int, node: Node) -> bytes:
        """Return the path by which thread *tid* now reaches *node*, of which there may be several.

        It has looked that up just before, unless the kernel still trusts the only one there was.
        """
        asked = self._asked.pop(tid, None)
        if asked is not None and asked[0] == node.ino:
            return asked[1]
        if node.before_link is not None:
            path, until_ns = node.before_link
            if monotonic_ns() < until_ns:
                return path
            node.before_link = None
        return self.path(node)

    def path_of(self, parent: Node, name: bytes) -> bytes:
        """Return the path of an entry."""
        return name if parent is self.root else self.path(parent) + b"/" + name

    def moved(self, node: Node, parent: Node, name: bytes) -> None:
        """Note that *node* is now called *name*."""
        if node.parent is not parent or node.name != name:
            self.openable.clear()
        old, node.parent, node.name = node.parent, parent, name
        if old is not parent:
            parent.children += 1
            self._lose_child(old)

    def detached(self, node: Node, parent: Node, name: bytes) -> None:
        """Note that *name* no longer leads to *node*, which must be pinned."""
        if node.parent is parent and node.name == name:
            self.openable.clear()
            node.path = self.path(node)
            node.parent = None
            self._lose_child(parent)

    def close(self) -> None:
        """Close every descriptor."""
        for node in list(self._pinned.values()):
            self._unpin(node)
        os.close(self.root.fd)

    def _freeze(self) -> None:
        """Spare the garbage collector the nodes; they are no garbage before their last reference.

        With a million it would stop everything for 300 to 600 ms, again and again.
        """
        gc.collect()
        gc.freeze()
        self._fresh = 0

    def _number(self, st_ino: int) -> int:
        # The program sees this number as st_ino, so the backing one is best, where it is free.
        if st_ino > ROOT_INO and st_ino not in self._by_ino:
            return st_ino
        self._next_own += 1
        return self._next_own

    def pin_as(self, node: Node, name: bytes, directory: int) -> None:
        """Open *node*, which has no descriptor, by *name*; ESTALE when that leads elsewhere."""
        self.pin(node, _open_as(node, name, directory))

    def pin(self, node: Node, fd: int) -> None:
        """Let *node* keep *fd*, an O_PATH descriptor of its backing file."""
        node.fd = fd
        self._pinned[node.ino] = node

    def _make_room(self) -> None:
        """Close the oldest descriptors, some more than needed, of files that have a name."""
        surplus = len(self._pinned) - self._max_open + self._max_open // 8
        named = (node for node in self._pinned.values() if node.parent is not None)
        for node in list(islice(named, surplus)):
            # Of a file that can't be looked at now, the descriptor stays: nothing else finds it.
            with contextlib.suppress(OSError):
                self._close(node)

    def _close(self, node: Node) -> None:
        """Give up the descriptor of a node that can be found again by its name."""
        if node.fd >= 0:
            node.birth_ns = birth_time_ns(node.fd)
        self._unpin(node)

    def _drop(self, node: Node) -> None:
        del self._by_ino[node.ino]
        if self._by_key.get(node.key) is node:
            del self._by_key[node.key]
        self._unpin(node)
        parent, node.parent = node.parent, None
        self._lose_child(parent)

    def _lose_child(self, parent: Node | None) -> None:
        if parent is None:
            return
        parent.children -= 1
        if not parent.children and parent.lookups <= 0:
            self._drop(parent)

    def _unpin(self, node: Node) -> None:
        self.openable.clear()
        if self._pinned.pop(node.ino, None) is not None:
            (os.close if node.parent is not None else freeing.close)(node.fd)
            node.fd = -1


def _same_birth(node: Node, fd: int) -> bool:
    if node.birth_ns is not None:
        return node.birth_ns == birth_time_ns(fd)
    if node.born_by_ns is None:
        return True
    born = birth_time_ns(fd)
    return born is None or born <= node.born_by_ns


def _open_as(node: Node, name: bytes, directory: int) -> int:
    """Return an O_PATH descriptor of *name*, if that still leads to *node*."""
    try:
        fd = os.open(name, _O_PATH_NOFOLLOW, dir_fd=directory)
    except FileNotFoundError:
        raise OSError(errno.ESTALE, "the name is gone") from None
    try:
        same = key_of(os.stat(fd)) == node.key and _same_birth(node, fd)
    except OSError:
        os.close(fd)
        raise
    if not same:
        os.close(fd)
        raise OSError(errno.ESTALE, "the name leads elsewhere")
    return fd
