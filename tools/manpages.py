"""Writes the man pages, made from the parsers: tracefs.1 and one for each command.

.venv/bin/python tools/manpages.py FOLDER
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tracefs import __version__
from tracefs.cli.parsers import arguments, below, commands, help_of

_ENDS = (
    ("0", "all is well"),
    ("1", "a contract is broken, a submission or a state fails, something differs"),
    ("2", "the command line is wrong"),
    ("3", "a recording can't be read, or something can't be done"),
    ("4", "it can't be told, or a recording is incomplete"),
    ("125", "tracefs itself failed, before or beside a command that it was to run"),
    ("126, 127", "such a command can't be executed, or is not found"),
)


def text(words: str) -> str:
    """Return words as roff shows them (groff_char(7)): none is a request or an escape."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    escaped = escaped.replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    escaped = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in escaped)
    # A line that begins with a dot would be a request.
    lines = (f"\\&{line}" if line.startswith(".") else line for line in escaped.split("\n"))
    return "\n".join(lines)


def page(title: str, about: str, body: Iterator[str]) -> str:
    head = [
        f'.TH "{text(title.upper().replace(" ", "-"))}" 1 "" "tracefs {__version__}" "tracefs"',
        ".SH NAME", f"{text(title.replace(' ', '-'))} \\- {text(about)}",
    ]  # fmt: skip
    return "\n".join([*head, *body, ""])


def command_page(name: str, about: str, parser: argparse.ArgumentParser) -> str:
    return page(f"tracefs {name}", about, _command(parser))


def _command(parser: argparse.ArgumentParser) -> Iterator[str]:
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    yield ".SH SYNOPSIS"
    yield f".B {text(usage)}"
    yield ".SH DESCRIPTION"
    yield text(parser.description or "")
    if parser.epilog:
        yield ".PP"
        yield ".nf"
        yield text(parser.epilog)
        yield ".fi"
    yield from _arguments(parser)
    for inner in below(parser):
        yield f".SH {text(inner.prog)}"
        yield text(inner.description or "")
        yield from _arguments(inner, heading=".PP")
    yield ".SH EXIT STATUS"
    for code, meaning in _ENDS:
        yield from (".TP", f".B {code}", text(meaning))
    yield ".SH SEE ALSO"
    yield ".BR tracefs (1)"


def _arguments(
    parser: argparse.ArgumentParser, heading: str = ".SH ARGUMENTS AND OPTIONS"
) -> Iterator[str]:
    yield heading
    for action in arguments(parser):
        names = ", ".join(action.option_strings)
        word = action.metavar or (None if action.nargs == 0 else action.dest.upper())
        words = " ".join(word) if isinstance(word, tuple) else word
        shown = " ".join(one for one in (names, words) if one)
        if action.choices and not action.metavar:
            shown = f"{names} {'|'.join(map(str, action.choices))}".strip()
        yield ".TP"
        yield f".B {text(shown)}"
        yield text(help_of(parser, action)) or "\\&"


def main_page(found: list[tuple[str, str, argparse.ArgumentParser]]) -> str:
    def body() -> Iterator[str]:
        yield ".SH SYNOPSIS"
        yield ".B tracefs COMMAND [ARG]..."
        yield ".SH DESCRIPTION"
        yield text(
            "tracefs shows a directory through FUSE, records each system call that changes a file "
            "or syncs one, and judges the recording."
        )
        yield ".SH COMMANDS"
        for name, about, _ in found:
            yield from (".TP", f".B {text(name)}", text(about))
        yield ".SH SEE ALSO"
        yield " ,\n".join(f".BR tracefs\\-{text(name)} (1)" for name, _, _ in found)

    return page("tracefs", "record what a program does to its files, and judge it", body())


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    found = list(commands())
    (folder / "tracefs.1").write_text(main_page(found), encoding="utf-8")
    for name, about, parser in found:
        (folder / f"tracefs-{name}.1").write_text(
            command_page(name, about, parser), encoding="utf-8"
        )
    print(f"wrote {len(found) + 1} pages into {folder}; next: man -l {folder}/tracefs.1")


if __name__ == "__main__":
    main()
