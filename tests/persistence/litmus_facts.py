"""What can be said of a tree, as small predicates that name themselves."""

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tracefs.persistence.seen import Seen

Tree: TypeAlias = Mapping[str, Seen]
"""By path."""


@dataclass(frozen=True)
class Fact:
    """Something that is so of a tree, or not."""

    text: str
    holds: Callable[[Tree], bool]

    def __and__(self, other: "Fact") -> "Fact":
        return Fact(f"{self} and {other}", lambda tree: self.holds(tree) and other.holds(tree))

    def __or__(self, other: "Fact") -> "Fact":
        return Fact(f"({self} or {other})", lambda tree: self.holds(tree) or other.holds(tree))

    def __invert__(self) -> "Fact":
        return Fact(f"not {self}", lambda tree: not self.holds(tree))

    def __str__(self) -> str:
        return self.text


def there(path: str) -> Fact:
    """Something has this name."""
    return Fact(f"{path} is there", lambda tree: path in tree)


def gone(path: str) -> Fact:
    """Nothing has this name."""
    return Fact(f"{path} is gone", lambda tree: path not in tree)


def folder(path: str) -> Fact:
    """It is a directory."""
    return Fact(
        f"{path} is a directory", lambda tree: path in tree and stat.S_ISDIR(tree[path].mode)
    )


def holds(path: str, content: str) -> Fact:
    """It is a file with this content: runs of letters, ``a*4096 0*10``; ``0`` is a zero."""
    runs = [run.split("*") for run in content.split()]
    wanted = b"".join(letter.replace("0", "\0").encode() * int(count) for letter, count in runs)
    return Fact(
        f"{path} holds {content or 'nothing'}",
        lambda tree: path in tree and tree[path].content == wanted,
    )


def leads(path: str, target: str) -> Fact:
    """It is a symbolic link to there."""
    return Fact(
        f"{path} leads to {target}", lambda tree: path in tree and tree[path].target == target
    )


def one_file(first: str, second: str) -> Fact:
    """Both are names of one file."""
    return Fact(
        f"{first} and {second} are one file",
        lambda tree: first in tree and second in tree and tree[first].ino == tree[second].ino,
    )


def by_path(tree: tuple[Seen, ...]) -> Tree:
    """Return *tree* as facts are asked of it."""
    return {seen.path: seen for seen in tree}
