"""What the seccomp witness and the server of the mount say to each other, in few bytes."""

from typing import Final

from msgspec import Struct

STOP: Final = b"stop"
"""From the server of the mount: write no more."""


class Word(Struct, frozen=True, kw_only=True):
    """To the server of the mount: the last of the witness."""

    failure: str | None
    """Why lines are missing from the journal; None: none is, though one may be `Lost`."""
