"""``--format`` and ``--output``: a verdict as its reader wants it, printed or in a file."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from tracefs.cli import recording
from tracefs.cli.format_names import FORMATS, GITHUB, TEXT
from tracefs.errors import RecordingError
from tracefs.findings import CheckResult
from tracefs.pathtext import to_text
from tracefs.wholefile import write_whole


def add_arguments(parser: argparse.ArgumentParser, formats: Sequence[str] = FORMATS) -> None:
    """Add the arguments that say how to put a verdict, and where."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--format", choices=formats, default=TEXT, help=f"form of the answer (default: {TEXT})"
    )
    choice.add_argument(
        "--json", dest="format", action="store_const", const="json", help="as --format json"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write the answer to FILE, whole or not at all"
    )


def rendered(result: CheckResult, form: str, environment: Mapping[str, str]) -> str:
    """Return *result* in the format *form*, which is not text.

    GitHub's table goes to the job's summary if the *environment* names its file.
    """
    # Text, which most ask for, needs none of this.
    from tracefs.report.github import github  # noqa: PLC0415
    from tracefs.report.writers import WRITERS  # noqa: PLC0415

    if form != GITHUB:
        return WRITERS[form](result, _root(environment))
    report = github(result, _root(environment))
    summary = "".join(f"{line}\n" for line in report.summary)
    printed = "".join(f"{line}\n" for line in report.annotations)
    return printed if _summarised(summary, environment) else printed + summary


def put(text: str, output: str | None, file: TextIO | None = None, *, locale: bool = False) -> None:
    """Print *text*, or write it to the file *output*.

    It is UTF-8, which is what machines read; on a terminal (*locale*) what the locale says.

    Raises:
        RecordingError: the file can't be written; what was there before still is.
    """
    if output is None and locale:
        print(text, end="", file=file)
        return
    if output is None:
        recording.print_json(text.removesuffix("\n"), file)
        return
    try:
        write_whole(os.fsencode(output), text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise RecordingError(f"{output} can't be written: {error.strerror}") from None


def _root(environment: Mapping[str, str]) -> str:
    """Return, as path text, the folder that files are named relative to: the checked-out tree."""
    return to_text(os.fsencode(environment.get("GITHUB_WORKSPACE") or os.getcwd()))


def _summarised(summary: str, environment: Mapping[str, str]) -> bool:
    """Add *summary* to the job's; return whether that went well."""
    name = environment.get("GITHUB_STEP_SUMMARY")
    if not name:
        return False
    try:
        with open(name, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(summary)
    except OSError as error:
        print(f"tracefs: no summary can be written: {error.strerror}", file=sys.stderr)
        return False
    return True
