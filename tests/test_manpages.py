"""Man pages: groff has nothing to say against them, and each option is there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lacking import lacking

from tracefs.cli.main import COMMANDS
from tracefs.cli.parsers import below, commands

TOOL = Path(__file__).parent.parent / "tools" / "manpages.py"
HARMLESS = "cannot adjust line"
"""A long word in a narrow column."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("groff") is None:
        lacking("groff is not installed")
    folder = tmp_path_factory.mktemp("man")
    subprocess.run([sys.executable, TOOL, folder], check=True, timeout=50)
    return folder


def shown(page: Path) -> str:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-rLL=400n", "-Tutf8", "-P-c", page],
        capture_output=True, text=True, check=True, timeout=50,
    )  # fmt: skip
    assert [line for line in done.stderr.splitlines() if HARMLESS not in line] == []
    return re.sub(r"\s+", " ", re.sub(".\b", "", done.stdout))


def test_each_command_has_one(pages: Path) -> None:
    names = {f"tracefs-{command.name}.1" for command in COMMANDS} | {"tracefs.1"}
    assert {page.name for page in pages.iterdir()} == names
    listed = shown(pages / "tracefs.1")
    assert all(f" {command.name} " in listed for command in COMMANDS)


def test_each_option_is_explained(pages: Path) -> None:
    for name, _, parser in commands():
        text = shown(pages / f"tracefs-{name}.1")
        for one in (parser, *below(parser)):
            for action in one._actions:
                for option in action.option_strings:
                    assert option in text, (name, option)
