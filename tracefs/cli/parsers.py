"""The parsers of all subcommands, for who describes them: completion, man pages."""

import argparse
import importlib
from collections.abc import Iterator

from tracefs.cli.main import COMMANDS, describe


def commands() -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Yield name, help and parser of each subcommand; all their modules are imported."""
    for command in COMMANDS:
        parser = argparse.ArgumentParser(
            prog=f"tracefs {command.name}",
            description=f"{command.help[0].upper()}{command.help[1:]}.",
            allow_abbrev=False,
        )
        importlib.import_module(command.module).configure(parser)
        describe(parser, command.name)
        yield command.name, command.help, parser


def arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the options and arguments of *parser*, in order."""
    return parser._actions  # noqa: SLF001  # argparse has no other way to ask


def below(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """Return the parsers of the commands below that of *parser*, such as ``dataset add``."""
    return [
        inner
        for action in arguments(parser)
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001  # as above
        for inner in action.choices.values()
    ]


def help_of(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """Return an action's help with what argparse would put into it; it may be empty."""
    return (action.help or "") % dict(vars(action), prog=parser.prog)
