"""A state becomes the tree that it is."""

import hashlib
import stat
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from tracefs.pathtext import fits, to_text
from tracefs.persistence.history import ROOT, Atom, File, History, Part
from tracefs.persistence.image import PAGE, Content, Image, Node
from tracefs.persistence.pages import AddPage, FilePages, Recorded, by_file, mixed
from tracefs.persistence.states import State

_KEPT = 1 << 16
"""Contents of pages, attributes and files that are remembered, each."""


class Resolver:
    """Makes images of one history.

    Args:
        history: whose states are asked for.
        recorded: its bytes.
        add_page: keeps a page.
        transient: globs of paths whose contents say nothing: they don't make states different.
    """

    def __init__(
        self,
        history: History,
        recorded: Recorded,
        add_page: AddPage,
        transient: Sequence[str] = (),
    ) -> None:
        self._history = history
        self._recorded = recorded
        self._add_page = add_page
        self._transient = tuple(transient)
        self._pages = by_file(history, recorded)
        self._known_pages: dict[tuple[int, int, int | None, int, int], int | None] = {}
        self._nodes: dict[tuple[int, int, tuple[tuple[int, int], ...]], Node] = {}
        self._of_file: dict[int, int] = {}
        self._sizes: dict[int, list[Atom]] = {}
        self._attributes: dict[int, list[Atom]] = {}
        self._names: dict[int, dict[bytes, list[tuple[int, int]]]] = {}
        self._index()

    def image(self, state: State) -> Image:
        """Return the tree.

        Raises:
            RecordingError: bytes that it is made of are missing.
        """
        nodes: list[tuple[str, Node]] = []
        self._walk(state, self._history.root, b"", nodes, frozenset())
        return Image(tuple(nodes))

    def key(self, image: Image) -> str:
        """Return a hash of all that a checker can see of *image*, but times."""
        seen: list[tuple[str, Node]] = []
        numbers: dict[int, int] = {}
        for path, node in image.nodes:
            known = replace(node, ino=numbers.setdefault(node.ino, len(numbers)))
            if node.content and any(fits(path, glob) for glob in self._transient):
                known = replace(known, content=None)
            seen.append((path, known))
        return hashlib.blake2b(msgspec.msgpack.encode(seen), digest_size=12).hexdigest()

    def _index(self) -> None:
        for atom in self._history.atoms:
            if atom.part is not Part.NAME:
                self._of_file[atom.file] = self._of_file.get(atom.file, 0) | 1 << atom.number
            if atom.size is not None:
                self._sizes.setdefault(atom.file, []).append(atom)
            if atom.attribute is not None:
                self._attributes.setdefault(atom.file, []).append(atom)
            for entry in atom.entries:
                names = self._names.setdefault(entry.directory, {})
                names.setdefault(entry.name, []).append((atom.number, entry.file))

    def _walk(
        self,
        state: State,
        file: int,
        path: bytes,
        nodes: list[tuple[str, Node]],
        above: frozenset[int],
    ) -> None:
        node = self._node(state, file)
        nodes.append((to_text(path) if path else ROOT, node))
        if not node.is_directory or file in above:
            return
        for name, each in sorted(self._entries(state, file).items()):
            below = path + b"/" + name if path else name
            self._walk(state, each, below, nodes, above | {file})

    def _entries(self, state: State, directory: int) -> dict[bytes, int]:
        found = dict(self._history.names.get(directory, {}))
        for name, versions in self._names.get(directory, {}).items():
            for number, file in reversed(versions):
                if state.atoms >> number & 1:
                    found[name] = file
                    break
        return {name: file for name, file in found.items() if file}

    def _node(self, state: State, file: int) -> Node:
        own = self._of_file.get(file, 0)
        torn = tuple(pair for pair in state.torn if own >> pair[0] & 1)
        key = (file, state.atoms & own, torn)
        if (known := self._nodes.get(key)) is not None:
            return known
        described = self._history.files[file]
        node = Node(
            ino=file,
            mode=described.mode,
            uid=described.uid,
            gid=described.gid,
            content=self._content(key[1], described, dict(torn)),
            target=described.target,
            rdev=described.rdev,
            xattrs=described.xattrs,
        )
        for atom in self._attributes.get(file, ()):
            if state.atoms >> atom.number & 1:
                node = self._with(node, atom)
        if len(self._nodes) < _KEPT:
            self._nodes[key] = node
        return node

    def _with(self, node: Node, atom: Atom) -> Node:
        attribute = atom.attribute
        assert attribute is not None
        if attribute.number is not None:
            match attribute.name:
                case "uid":
                    return replace(node, uid=attribute.number)
                case "gid":
                    return replace(node, gid=attribute.number)
                case _:
                    mode = stat.S_IFMT(node.mode) | stat.S_IMODE(attribute.number)
                    return replace(node, mode=mode)
        name = attribute.name.partition(":")[2]
        kept = [pair for pair in node.xattrs if pair[0] != name]
        if not attribute.gone and attribute.payload is not None:
            kept.append((name, self._recorded.payload(attribute.payload, attribute.length)))
        return replace(node, xattrs=tuple(sorted(kept)))

    def _content(self, atoms: int, file: File, torn: dict[int, int]) -> Content | None:
        if not stat.S_ISREG(file.mode):
            return None
        size = file.size
        for atom in reversed(self._sizes.get(file.number, [])):
            if atoms >> atom.number & 1:
                size = atom.size or 0
                break
        pages = self._pages.get(file.number)
        if pages is None:
            return Content(size, file.base, min(size, file.size))
        limit = min(pages.limit(atoms), size)
        found = []
        for page in sorted(pages.masks):
            if page * PAGE >= size:
                break
            shown = self._page(file.number, pages, page, atoms, torn, size, limit)
            if shown is not None:
                found.append((page, shown))
        return Content(size, file.base if limit else 0, limit, tuple(found))

    def _page(
        self, file: int, pages: FilePages, page: int, atoms: int, torn: dict[int, int],
        size: int, limit: int,
    ) -> int | None:  # fmt: skip
        """Return the id of what the page shows; None: what the base has, or zeros."""
        latest = pages.latest(page, atoms)
        tear = next((each for each in torn if pages.masks[page] >> each & 1), None)
        if tear is not None and self._first_page(tear) != page:
            tear = None
        if latest is None and tear is None:
            return None
        end = min(size - page * PAGE, pages.end(page, latest, atoms))
        key = (file, page, latest, end, -1 if tear is None else tear << 8 | torn[tear])
        if key in self._known_pages:
            return self._known_pages[key]
        held = pages.content(page, latest)
        if tear is not None:
            held = mixed(held, pages.content(page, tear), torn[tear])
        held = held[:end].ljust(PAGE, b"\0")
        plain = not held.strip(b"\0") and page * PAGE >= limit
        shown = None if plain else self._add_page(held)
        if len(self._known_pages) < _KEPT and not plain:
            self._known_pages[key] = shown
        return shown

    def _first_page(self, atom: int) -> int:
        return self._history.atoms[atom].overlays[0].page
