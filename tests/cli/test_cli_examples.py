"""The examples of ``--help``: each command has some, and they are command lines that it takes."""

import shlex

import pytest

from tracefs.cli.examples import EXAMPLES
from tracefs.cli.main import COMMANDS, main
from tracefs.cli.parsers import commands


def test_every_command_has_some() -> None:
    assert list(EXAMPLES) == [command.name for command in COMMANDS]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_help_ends_with_them(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.splitlines()[-len(EXAMPLES[name]) :] == [
        f"  {line}" for line in EXAMPLES[name]
    ]


@pytest.mark.parametrize("name", EXAMPLES)
def test_they_are_taken(name: str) -> None:
    [parser] = [parser for known, _, parser in commands() if known == name]
    for line in EXAMPLES[name]:
        tool, command, *words = shlex.split(line)
        assert (tool, command) == ("tracefs", name)
        parser.parse_args(words)
        # argparse asks for no command, and takes options for one.
        assert ("--" in words[:-1]) == ("COMMAND [ARG]" in parser.format_usage())
