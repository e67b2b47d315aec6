"""The command itself: help, imports, exit codes, and what it says when something is wrong."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import buffered, kept, tracefs
from syrupy.assertion import SnapshotAssertion

from tracefs import __version__
from tracefs.cli import main as cli
from tracefs.errors import MountError, RecordingError, UsageError

READERS = ("show", "check", "stats", "list", "prune")


@pytest.fixture(autouse=True)
def _no_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no recording of the person who runs the tests be the latest."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in cli.COMMANDS:
        assert f"    {command.name}" in shown
        assert command.help in shown


def test_without_arguments_it_names_the_first_steps(
    capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    assert cli.main([]) == 2
    assert capsys.readouterr().err == snapshot


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"tracefs {__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["nonsense"], []])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    script = (
        "import sys; from tracefs.cli.main import main; main(sys.argv[1:]); "
        "import json; print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & {"msgspec", "pyfuse3", "trio", "importlib.metadata", "asyncio"}
    ours = {name for name in loaded if name.startswith("tracefs")}
    complaining = {"tracefs.pathtext"} if words == ["nonsense"] else set()
    assert ours == {"tracefs", "tracefs.cli", "tracefs.cli.main", "tracefs.errors"} | complaining


@pytest.mark.parametrize("name", READERS)
def test_reading_needs_neither_pyfuse3_nor_trio(name: str) -> None:
    script = f"import sys, tracefs.cli.{name}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not set(done.stdout.split()) & {"pyfuse3", "trio", "tracefs.capture"}


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: command.name)
def test_the_table_agrees_with_each_module(command: cli.Command) -> None:
    module = importlib.import_module(command.module)
    assert (command.name, command.help) == (module.NAME, module.HELP)


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["--nonsense"],
        ["show", "--nonsense"],
        ["show", "a", "b"],
        ["show", "--since", "soon"],
        ["show", "--since", "nan"],
        ["show", "--until", "1e99999999"],
        ["show", "--tid", "x"],
        ["check", "--page-size", "0"],
        ["check", "--page-size", "4k"],
        ["stats", "--top", "-1"],
        ["prune"],
        ["prune", "--keep", "-1"],
        ["prune", "--keep", "x"],
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("no such thing"), 2, "tracefs: no such thing\n"),
        (
            RecordingError("torn", repair="record again"),
            3,
            "tracefs: torn\n  repair: record again\n",
        ),
        (MountError("busy"), 3, "tracefs: busy\n"),
        (OSError(5, "Input/output error", "/x"), 3, "tracefs: /x: Input/output error\n"),
        (RecordingError("no x\n\x1b[2J"), 3, "tracefs: no x\\x0a\\x1b[2J\n"),
        (OSError(28, "No space left on device"), 3, "tracefs: No space left on device\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_goes_wrong_becomes_a_line_and_an_exit_code(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(_args: object) -> int:
        raise error

    monkeypatch.setattr("tracefs.cli.list.run", fail)
    monkeypatch.setattr(cli, "_forget_output", lambda: None)  # the test's own output goes on
    assert cli.main(["list"]) == code
    assert capfd.readouterr().err == said


def test_a_reader_that_leaves_early_is_no_failure(tmp_path: Path) -> None:
    folder = str(kept(tmp_path / "r"))
    answer = tracefs("show", folder, pipe_to="true")
    assert (answer.code in {0, 141}, answer.err) == (True, "")


def test_output_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    folder = str(kept(tmp_path / "r"))
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tracefs", "show", folder],
            stdout=full,
            stderr=subprocess.PIPE,
            env=buffered(),
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (3, "tracefs: No space left on device\n")


def test_a_name_that_the_terminal_cannot_show_does_not_end_it(tmp_path: Path) -> None:
    folder = str(kept(tmp_path / "r", path="café.db"))
    env = {"PYTHONIOENCODING": "ascii"}
    assert r"caf\xc3\xa9.db" in tracefs("show", folder, env=env).out
    assert '"path":"café.db"' in tracefs("show", "--json", folder, env=env).out
