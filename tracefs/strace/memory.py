"""Which open file is mapped where, in one address space."""

from typing import Final, Generic, NamedTuple, TypeVar

_PAGE: Final = 4096

_Owner = TypeVar("_Owner")


class Mapping(NamedTuple, Generic[_Owner]):
    """A range of addresses."""

    start: int
    end: int
    of: _Owner


class Memory(Generic[_Owner]):
    """The shared mappings of one address space, by no particular order: they are few."""

    def __init__(self, mappings: list[Mapping[_Owner]] | None = None) -> None:
        self.mappings = [] if mappings is None else mappings

    def copy(self) -> "Memory[_Owner]":
        """Return what a fork makes of it."""
        return Memory(list(self.mappings))

    def add(self, start: int, length: int, of: _Owner) -> None:
        """Note a mapping; what was there before is gone (MAP_FIXED)."""
        self.remove(start, length)
        self.mappings.append(Mapping(start, start + _whole(length), of))

    def remove(self, start: int, length: int) -> None:
        """Note that nothing is mapped there any more."""
        end = start + _whole(length)
        if not any(one.start < end and start < one.end for one in self.mappings):
            return
        left: list[Mapping[_Owner]] = []
        for one in self.mappings:
            if one.end <= start or end <= one.start:
                left.append(one)
                continue
            if one.start < start:
                left.append(one._replace(end=start))
            if end < one.end:
                left.append(one._replace(start=end))
        self.mappings = left

    def at(self, start: int, length: int) -> list[_Owner]:
        """Return what is mapped there."""
        end = start + max(_whole(length), 1)
        return [one.of for one in self.mappings if one.start < end and start < one.end]


def _whole(length: int) -> int:
    return -(-length // _PAGE) * _PAGE
