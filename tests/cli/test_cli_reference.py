"""The reference page names every command and option there is."""

import argparse
import importlib
import re
from pathlib import Path

import pytest

from tracefs.cli import main as cli
from tracefs.cli.parsers import arguments, below

PAGE = Path(__file__, "../../../docs/reference/cli.md").resolve().read_text(encoding="utf-8")
SHARED = {"mount": "run"}
"""Commands whose page points to another's for some options."""


def section(name: str) -> str:
    found = re.search(rf"^## tracefs {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.name)
def test_every_option_is_described(command: cli.Command) -> None:
    parser = argparse.ArgumentParser("tracefs", add_help=False)
    importlib.import_module(command.module).configure(parser)
    options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", parser.format_help()))
    described = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", section(command.name)))
    if command.name in SHARED:
        described |= set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", section(SHARED[command.name])))
    assert options <= described


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.name)
def test_every_option_in_a_table_exists(command: cli.Command) -> None:
    parser = argparse.ArgumentParser("tracefs")
    importlib.import_module(command.module).configure(parser)
    cells = re.findall(r"^\| (`-.*?) \| ", section(command.name), re.MULTILINE)
    listed = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(cells)))
    known = {
        option
        for one in (parser, *below(parser))
        for action in arguments(one)
        for option in action.option_strings
    }
    assert listed <= known


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.name)
def test_every_command_is_in_the_table(command: cli.Command) -> None:
    assert f"| [`{command.name}`](#tracefs-{command.name}) | {command.help} |" in PAGE
