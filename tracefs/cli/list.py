"""``tracefs list``: list the recordings, newest last."""

import argparse
import shlex
from typing import Final

from tracefs.cli import recording
from tracefs.journal.recordings import Recording, list_recordings
from tracefs.pathtext import to_text
from tracefs.report.quote import printable

NAME: Final = "list"
HELP: Final = "list the recordings"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*: it has none."""
    parser.description = (
        "List the recordings in $XDG_STATE_HOME/tracefs (default: ~/.local/state/tracefs), "
        "newest last."
    )


def run(_args: argparse.Namespace) -> int:
    """Print one line for each recording; return the exit code."""
    found = list_recordings(recording.base())
    if not found:
        print(f"no recordings in {printable(to_text(bytes(recording.base())))}")
    for entry in found:
        print(_line(entry))
    return 0


def _line(entry: Recording) -> str:
    started = entry.started.isoformat(sep=" ", timespec="seconds")
    return f"{started}  {_size(entry.size):>9}  {_name(entry)}  {_what(entry)}"


def _name(entry: Recording) -> str:
    return printable(to_text(bytes(entry.path))).rpartition("/")[2]


def _what(entry: Recording) -> str:
    if entry.header is None:
        return f"(not readable: {printable(entry.problem or 'for a reason not known')})"
    command = entry.header.command
    source = printable(entry.header.source)
    what = f"mount of {source}" if command is None else printable(shlex.join(command))
    if entry.header.witness == "strace":
        return f"(strace's text) {what or f'a command in {source}'}"
    return f"(running) {what}" if entry.running else what


def _size(number: int) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number} {unit}"
        number //= 1024
    return f"{number} TiB"
