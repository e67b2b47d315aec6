"""What is to be done with each submission, as data."""

from pathlib import Path

from msgspec import Struct


class Submission(Struct, frozen=True, kw_only=True):
    """One folder that was handed in."""

    name: str
    """As path text."""
    source: Path
    folder: Path
    """Where all that belongs to it goes; it is made."""


class Plan(Struct, frozen=True, kw_only=True):
    """How each is built, run and recorded."""

    command: tuple[str, ...]
    """Where a word has ``{submission}``, it gets the folder of the submission's copy."""
    build: str | None
    """A command for sh, run in that copy; None: there is nothing to build."""
    limit_s: float
    build_limit_s: float
    page_size: int
    witness: str
    fall_back: bool
    """Go on with less where calls can't be notified."""
    stacks: tuple[str, ...]
    """Calls whose places are kept, so that findings can name them."""
