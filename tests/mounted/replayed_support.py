"""A recording's starting tree and its journal, applied to an empty directory."""

from pathlib import Path

from soak.twins.replayed import compare, replay

from tracefs.journal.start import StartTree
from tracefs.journal.start_build import build


def replayed(recording: Path, source: Path, again: Path) -> list[str]:
    """Say where what comes of *recording* in *again*, empty so far, is not as *source* is now."""
    with StartTree.open(recording) as tree:
        build(tree, again)
        replay(recording, again, tree.entries)
    return compare(source, again)
