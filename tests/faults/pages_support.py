"""What the tests of pages share."""


class Kept:
    """Images in a dictionary; nothing is to be left in it."""

    def __init__(self) -> None:
        self.kept: dict[int, bytes] = {}
        self._next = 0

    def keep(self, data: bytes, /) -> int:
        self._next += 1
        self.kept[self._next] = data
        return self._next

    def get(self, number: int, /) -> bytes:
        return self.kept[number]

    def drop(self, number: int, /) -> None:
        del self.kept[number]
