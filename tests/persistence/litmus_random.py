"""Programs of `litmus_text` by chance, the same for the same seed."""

import random
from collections.abc import Callable
from typing import Final

from litmus_text import Program

_NAMES: Final = ("a", "b", "c")
_PLACES: Final = (0, 4096, 8192, 100, 6000)
_SIZES: Final = (10, 4096, 8192, 5000)
_LENGTHS: Final = (0, 50, 4096, 5000, 12288)


class Author:
    """Writes one program; keeps the tree that it makes, so that each operation can be done."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._tree = Program()
        self._written = 0

    def write(self, length: int, *, syncs: float) -> str:
        """Return the next *length* operations; *syncs* is the part that is to be syncs."""
        lines: list[str] = []
        while len(lines) < length:
            kinds = self._syncs if self._random.random() < syncs else self._changes
            line = self._random.choice(kinds)(self)
            if line is not None:
                self._tree.run(line)
                lines.append(line)
        return "; ".join(lines)

    # -- what is there

    def _folders(self) -> list[str]:
        tree = self._tree
        return [path for path, ino in tree.names.items() if ino in tree.directories]

    def _one(self, *, folder: bool) -> str | None:
        """Choose a directory that is not the root, or something else; symbolic links never."""
        tree = self._tree
        fit = [
            path
            for path, ino in tree.names.items()
            if path != "." and (ino in tree.directories) is folder and "link" not in path
        ]
        return self._random.choice(fit) if fit else None

    def _new(self, names: tuple[str, ...] = _NAMES) -> str | None:
        """Choose a name that nothing has, at most two directories deep."""
        folder = self._random.choice([one for one in self._folders() if one.count("/") < 1])
        name = self._random.choice(names)
        path = name if folder == "." else f"{folder}/{name}"
        return None if path in self._tree.names else path

    # -- operations; None: not now

    def _create(self) -> str | None:
        path = self._new()
        return path and f"create {path}"

    def _mkdir(self) -> str | None:
        path = self._new(("D", "E"))
        return path and f"mkdir {path}"

    def _symlink(self) -> str | None:
        path = self._new(("link",))
        return path and f"symlink somewhere {path}"

    def _write(self) -> str | None:
        path = self._one(folder=False)
        if path is None:
            return None
        # Each write has a letter of its own, so that what is seen tells which it is.
        letter = chr(ord("A") + self._written % 58)
        self._written += 1
        return f"write {path} {self._random.choice(_PLACES)} {self._random.choice(_SIZES)} {letter}"

    def _truncate(self) -> str | None:
        path = self._one(folder=False)
        return path and f"truncate {path} {self._random.choice(_LENGTHS)}"

    def _chmod(self) -> str | None:
        path = self._one(folder=False) or self._one(folder=True)
        return path and f"chmod {path} {self._random.choice(('600', '640', '755'))}"

    def _link(self) -> str | None:
        old, path = self._one(folder=False), self._new()
        return f"link {old} {path}" if old and path else None

    def _rename(self) -> str | None:
        old, path = self._one(folder=False), self._new()
        return f"rename {old} {path}" if old and path else None

    def _replace(self) -> str | None:
        old, path = self._one(folder=False), self._one(folder=False)
        if old is None or path is None or self._tree.names[old] == self._tree.names[path]:
            return None
        return f"rename {old} {path}"

    def _move_folder(self) -> str | None:
        old, path = self._one(folder=True), self._new(("D", "E"))
        if old is None or path is None or path.startswith(f"{old}/"):
            return None
        return f"rename {old} {path}"

    def _unlink(self) -> str | None:
        path = self._one(folder=False)
        return path and f"unlink {path}"

    def _rmdir(self) -> str | None:
        path = self._one(folder=True)
        if path is None or any(name.startswith(f"{path}/") for name in self._tree.names):
            return None
        return f"rmdir {path}"

    def _sync_file(self) -> str | None:
        path = self._one(folder=False)
        return path and f"{self._random.choice(('fsync', 'fdatasync'))} {path}"

    def _sync_folder(self) -> str:
        return f"fsync {self._random.choice(self._folders())}"

    _changes: Final[tuple[Callable[["Author"], str | None], ...]] = (
        *(_create, _create, _mkdir, _symlink),
        *(_write, _write, _write, _truncate, _chmod),
        *(_link, _rename, _rename, _replace, _replace, _move_folder, _unlink, _rmdir),
    )
    _syncs: Final[tuple[Callable[["Author"], str | None], ...]] = (
        *(_sync_file, _sync_file, _sync_folder),
    )
