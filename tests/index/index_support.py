"""What `show` prints, with the index of a recording and without."""

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tracefs.cli.main import main
from tracefs.index.build import build
from tracefs.journal.format import CARD


class Printed(NamedTuple):
    """All that a command said."""

    code: int
    out: str
    err: str


def show(folder: Path, words: Sequence[str] = ()) -> Printed:
    """Return what ``tracefs show`` prints, whatever there is to read."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["show", *words, "--", str(folder)])
    return Printed(code, out.getvalue(), err.getvalue())


def show_without(folder: Path, words: Sequence[str] = ()) -> Printed:
    """Return the same with the index put aside, so that the journal is read."""
    card, aside = folder / CARD, folder / "aside"
    card.rename(aside)
    try:
        return show(folder, words)
    finally:
        aside.rename(card)


def index(folder: Path) -> None:
    """Make the index of a recording."""
    build(folder, lambda _done, _total: None)
