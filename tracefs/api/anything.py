"""The value that equals any other."""

from typing import Any, Final


class _Anything:
    """Equal to everything, what is not known included; there is one, `ANY`."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    # What equals everything can have no hash that agrees with all of it.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "ANY"

    def __reduce__(self) -> str:
        return "ANY"  # copies and pickles are this one


ANY: Final[Any] = _Anything()
"""Stands for what doesn't matter: ``pwrite("a.db", 4096, at=ANY)``."""
