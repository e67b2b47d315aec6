"""``tracefs contracts``: the contracts that come with tracefs, and contract files."""

import argparse
import textwrap
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from tracefs.cli.recording import print_json
from tracefs.contracts import file_of, names, specs
from tracefs.contracts.language.explain import ContractWords, RuleWords, explained
from tracefs.contracts.language.lint import lint
from tracefs.contracts.language.model import ContractSpec
from tracefs.errors import TextFileError
from tracefs.report.quote import printable

NAME: Final = "contracts"
HELP: Final = "list, show, check and explain contracts"

EXIT_WARNED: Final = 1
EXIT_WRONG: Final = 2
_WIDTH: Final = 80


class Listed(Struct, frozen=True, kw_only=True):
    """A contract that comes with tracefs."""

    id: str
    title: str


class Complaint(Struct, frozen=True, kw_only=True):
    """Something wrong or doubtful in a contract file."""

    file: str
    line: int
    column: int
    severity: str
    """``error`` or ``warning``."""
    message: str
    suggestion: str | None = None


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's own commands to *parser*."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, action: Callable[[argparse.Namespace], int], about: str) -> _Parser:
        said = f"{about[0].upper()}{about[1:]}."
        sub = commands.add_parser(name, help=about, description=said, allow_abbrev=False)
        sub.set_defaults(contracts_command=action)
        return sub

    add("list", _list, "list the contracts that come with tracefs").add_argument(
        "--json", action="store_true", help="one JSON object a line"
    )
    add("show", _show, "print a contract's file").add_argument(
        "contract", metavar="CONTRACT", help="name of a built-in contract, or a contract file"
    )
    sub = add("lint", _lint, "look for mistakes in contract files")
    sub.add_argument("contract", metavar="CONTRACT", nargs="+", help="contract file, or name")
    sub.add_argument("--json", action="store_true", help="one JSON object a line")
    sub = add("explain", _explain, "say in plain English what a contract asks for")
    sub.add_argument("contract", metavar="CONTRACT", help="name, or a contract file")
    sub.add_argument("--json", action="store_true", help="one JSON object a line")


_Parser = argparse.ArgumentParser


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; return the exit code."""
    code: int = args.contracts_command(args)
    return code


def _list(args: argparse.Namespace) -> int:
    listed = [_listed(name) for name in names()]
    if args.json:
        for each in listed:
            print_json(msgspec.json.encode(each).decode())
    else:
        width = max(len(each.id) for each in listed)
        for each in listed:
            print(f"{each.id:{width}}  {printable(each.title)}".rstrip())
    return 0


def _listed(name: str) -> Listed:
    title = _IN_PYTHON[name] if file_of(name) is None else specs(name)[0].title
    return Listed(id=name, title=title)


_IN_PYTHON: Final = {"page-write": "One whole page by one pwrite64, then a sync that succeeds."}
"""Titles of contracts that have no file."""


def _show(args: argparse.Namespace) -> int:
    specs(args.contract)  # it is a contract file, and not something else that is printed
    with open(file_of(args.contract) or "", encoding="utf-8", newline="") as file:
        text = file.read()
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    print("\n".join("\t".join(map(printable, line.split("\t"))) for line in lines))
    return 0


def _lint(args: argparse.Namespace) -> int:
    worst = 0
    for name in args.contract:
        found = _complaints(name)
        for each in found:
            if args.json:
                print_json(msgspec.json.encode(each).decode())
            else:
                _print_complaint(each)
        if found:
            wrong = any(each.severity == "error" for each in found)
            worst = max(worst, EXIT_WRONG if wrong else EXIT_WARNED)
    return worst


def _complaints(name: str) -> list[Complaint]:
    try:
        read = specs(name)
    except TextFileError as error:
        return [
            Complaint(
                file=error.origin,
                line=error.line,
                column=error.column,
                severity="error",
                message=error.what,
            )
        ]
    return [
        Complaint(
            file=spec.origin,
            line=warned.place.line,
            column=warned.place.column,
            severity="warning",
            message=warned.message,
            suggestion=warned.suggestion,
        )
        for spec in read
        for warned in lint(spec)
    ]


def _print_complaint(each: Complaint) -> None:
    place = f"{each.file}:{each.line}:{each.column}"
    print(printable(f"{place}: {each.severity}: {each.message}"))
    if each.suggestion:
        print(printable(f"  repair: {each.suggestion}"))


def _explain(args: argparse.Namespace) -> int:
    read = specs(args.contract)
    if args.json:
        for spec in read:
            print_json(msgspec.json.encode(explained(spec)).decode())
    else:
        print("\n\n".join("\n".join(_lines(spec)) for spec in read))
    return 0


def _lines(spec: ContractSpec) -> Sequence[str]:
    words = explained(spec)
    title = f": {words.title}" if words.title else ""
    lines = [*_wrapped(f"{words.id}{title}"), *_wrapped(words.scope, indent=2)]
    for rule in words.rules:
        lines += ["", f"{rule.severity} {rule.id}{_worth(rule)}"]
        lines += _wrapped(rule.says, indent=2)
        if rule.expected is not None:
            lines += _wrapped(f"expected: {rule.expected}", indent=2)
        lines += _wrapped(f"repair: {rule.repair}", indent=2)
    if words.help is not None:
        lines += ["", *_wrapped(f"help: {words.help}")]
    return lines


def _worth(words: RuleWords | ContractWords) -> str:
    return "" if words.points is None else f" ({words.points:g} points)"


def _wrapped(text: str, indent: int = 0) -> list[str]:
    space = " " * indent
    return textwrap.wrap(
        printable(" ".join(text.split())),
        _WIDTH,
        initial_indent=space,
        subsequent_indent=space,
        break_long_words=False,
        break_on_hyphens=False,
    )
