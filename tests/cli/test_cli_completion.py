"""What completes the command line: asked of the shells themselves."""

import shutil
import subprocess
from pathlib import Path

import pytest
from cli_support import tracefs
from lacking import lacking

from tracefs.cli import completion
from tracefs.cli.main import COMMANDS


def script(shell: str, folder: Path) -> Path:
    """Write what *shell* reads; where CI is set the shell must be there."""
    if shutil.which(shell) is None:
        lacking(f"{shell} is not installed")
    answer = tracefs("completion", shell)
    assert answer.code == 0, answer.err
    file = folder / f"tracefs.{shell}"
    file.write_text(answer.out)
    return file


def run(shell: str, program: str) -> list[str]:
    done = subprocess.run(
        [shell, "-c", program], capture_output=True, text=True, check=True, timeout=50
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_every_command_has_its_options() -> None:
    found = {one.name: one for one in completion.words()}
    assert list(found) == [command.name for command in COMMANDS]
    [form] = [option for option in found["export"].options if "--to" in option.names]
    assert (form.takes, "perfetto" in form.choices) == (True, True)
    [quiet] = [option for option in found["crash"].options if "-q" in option.names]
    assert (quiet.names, quiet.takes) == (("-q", "--quiet"), False)
    assert found["contracts"].choices == ("list", "show", "lint", "explain")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("exp",), ["export"]),
        (
            ("export", "--to", ""),
            ["csv", "jsonl", "perfetto", "c", "python", "strace", "fio", "parquet"],
        ),
        (("stats", "--h"), ["--help", "--histogram"]),
        (("completion", "z"), ["zsh"]),
        (("dataset", "q"), ["query"]),
        (("dataset", "query", "all", "--rea"), ["--ready"]),
        (("dataset", "query", "all", "--format", ""), ["text", "json", "csv"]),
        (("contracts", "lint", "--j"), ["--json"]),
        (("report", ""), []),
        (("dataset", "add", ""), []),
        (("export", "--to", "=", "p"), ["perfetto", "python", "parquet"]),
        (("run", "--", "ls", "--"), []),
    ],
    ids=" ".join,
)
def test_bash_offers(words: tuple[str, ...], offered: list[str], tmp_path: Path) -> None:
    file = script("bash", tmp_path)
    line = " ".join(f"'{word}'" for word in ("tracefs", *words))
    asked = f'COMP_WORDS=({line}); COMP_CWORD={len(words)}; _tracefs; echo "${{COMPREPLY[@]}}"'
    assert run("bash", f"source {file}; {asked}") == offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("tracefs exp", {"export"}),
        (
            "tracefs export --to ",
            {"csv", "jsonl", "perfetto", "c", "python", "strace", "fio", "parquet"},
        ),
        ("tracefs stats --h", {"--help", "--histogram"}),
        ("tracefs completion z", {"zsh"}),
    ],
)
def test_fish_offers(line: str, offered: set[str], tmp_path: Path) -> None:
    file = script("fish", tmp_path)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {file}; complete -C '{line}'"],
        capture_output=True, text=True, check=True, timeout=50,
    )  # fmt: skip
    assert {one.partition("\t")[0] for one in done.stdout.splitlines()} == offered


def test_zsh_reads_it(tmp_path: Path) -> None:
    file = script("zsh", tmp_path)
    # _arguments needs a line editor: a stand-in tells what it was given.
    program = (
        "_arguments() { print -rl -- $@ }; _describe() { print -rl -- $commands }; "
        f"words=(tracefs export ''); CURRENT=3; source {file}"
    )
    done = subprocess.run(
        ["zsh", "-f", "-c", program], capture_output=True, text=True, check=True, timeout=50
    )
    assert done.stderr == ""
    given = done.stdout.splitlines()
    [form] = [line for line in given if line.startswith("*--to[")]
    assert form.endswith("]:word:(csv jsonl perfetto c python strace fio parquet)")
    assert given[-1] == "*:file:_files"
