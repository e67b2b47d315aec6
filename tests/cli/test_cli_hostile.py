"""What others wrote, names and whole journals, can neither steer a terminal nor harm its reader."""

import os
import random
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cli_support import astray, broken, header, kept, tracefs, undecided
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from soak.hostile import bombs, mutated
from soak.hostile_reading import CODES, COMMANDS

from tracefs.cli.main import main
from tracefs.journal.format import encode

DATA = Path(__file__).parent.parent / "data"
FORGED = "      1  7  0.0000"
HOSTILE = f'x\n{FORGED}  close(3)\r\x1b[2J\x1b]0;title\x07\x9b31m\u202e\u2028\U000e0041<b>"'


def plain(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "state" / "tracefs"
    folder.mkdir(parents=True)
    return folder


def poisoned(value: Any) -> Any:
    """Return a journal line with every text in it replaced that is free to be any."""
    if isinstance(value, dict):
        fixed = ("type", "format", "witness", "machine", "mode", "clock", "started")
        return {key: one if key in fixed else poisoned(one) for key, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one) for one in value]
    return HOSTILE if isinstance(value, str) else value


def poison(journal: Path) -> None:
    lines = [msgspec.json.decode(line) for line in journal.read_bytes().splitlines()]
    lines[0]["operations"] = []
    lines[0]["notified"] = ["lseek"]
    spelled = [msgspec.json.encode(poisoned(line)) for line in lines]
    journal.write_bytes(b"".join(line + b"\n" for line in spelled))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("make", [kept, broken, undecided, astray])
def test_no_text_in_a_journal_steers_the_terminal(
    make: Callable[[Path], Path],
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = make(tmp_path / "r")
    poison(folder / "journal.jsonl")
    assert main([*words, str(folder)]) in CODES
    told = capsys.readouterr()
    assert plain(told.out + told.err)
    assert not any(line.startswith(FORGED) for line in told.out.splitlines())


@pytest.mark.parametrize("field", ["witness", "machine", "mode", "clock", "started", "kernel"])
@pytest.mark.parametrize("words", [["show"], ["check"], ["stats"]], ids=" ".join)
def test_no_field_of_the_header_does(
    field: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = kept(tmp_path / "r", header(**{field: HOSTILE}))
    assert main([*words, str(folder)]) in CODES
    told = capsys.readouterr()
    assert plain(told.out + told.err)


@pytest.mark.parametrize(
    "words",
    [
        ["show", HOSTILE], ["show", "--" + HOSTILE], ["show", "--tid", HOSTILE], [HOSTILE],
        ["check", "--contract", HOSTILE], ["check", "--without", HOSTILE], ["umount", HOSTILE],
        ["show", "--call", HOSTILE, "--stray"], ["prune", "--keep", HOSTILE], ["list", HOSTILE],
        ["mount", HOSTILE, "."], ["mount", ".", HOSTILE], ["run", "--dir", HOSTILE, "true"],
        ["run", "-o", f"./{HOSTILE}", "true"], ["stray", "--dir", HOSTILE, "true"],
        ["report", "-o", f"./{HOSTILE}/a", "a"], ["export", "--to", HOSTILE, "a"],
        ["export", "--to", "csv", "-o", f"./{HOSTILE}/a", "a"], ["pages", "a", HOSTILE],
        ["diff", HOSTILE, "a"], ["diff", "--only", HOSTILE, "a", "a"],
        ["record-golden", "-o", f"./{HOSTILE}/a", "--from", "a"],
        ["record-golden", "-o", "/dev/null/a", "--from", HOSTILE],
    ],
    ids=lambda words: " ".join(words).replace(HOSTILE, "HOSTILE"),
)  # fmt: skip
def test_no_word_of_the_command_line_does(words: list[str], state: Path, tmp_path: Path) -> None:
    kept(state / "a.trace")
    answer = tracefs(*words)
    assert answer.code
    assert plain(answer.out + answer.err), (answer.out, answer.err)


def test_no_name_of_a_recording_does(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept(state / f"{HOSTILE.replace('/', '')}.trace", header(command=(HOSTILE,)))
    (state / "b\x1b.trace").mkdir()
    (state / "b\x1b.trace" / "journal.jsonl").write_bytes(b"\x1b[31m\n")
    assert main(["list"]) == 0
    assert main(["show"]) in CODES
    assert main(["prune", "--keep", "0"]) == 0
    told = capsys.readouterr()
    assert plain(told.out + told.err)


@pytest.mark.parametrize("words", [["doctor"], ["doctor", "--json"]], ids=" ".join)
def test_the_doctor_prints_no_name_as_it_is(words: list[str], tmp_path: Path) -> None:
    place = tmp_path / HOSTILE.replace("/", "").replace("\n", "")
    place.write_bytes(b"no folder")
    answer = tracefs(*words, env={"XDG_STATE_HOME": str(place)})
    assert plain(answer.out + answer.err)


# A journal that is no file


def fifo(path: Path) -> None:
    os.mkfifo(path)


def socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


def folder(path: Path) -> None:
    path.mkdir()


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def link_to_fifo(path: Path) -> None:
    os.mkfifo(path.parent / "f")
    path.symlink_to("f")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [fifo, socket, folder, zeros, link_to_fifo])
def test_a_recording_whose_journal_is_no_file(
    make: Callable[[Path], None], state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = state / "a.trace"
    recording.mkdir()
    make(recording / "journal.jsonl")
    for words in COMMANDS:
        assert main([*words, str(recording)]) == 3
        assert "no regular file" in capsys.readouterr().err
    assert main(["list"]) == 0
    assert main(["prune", "--keep", "0"]) == 0
    assert recording.exists()


@pytest.mark.timeout(20)
def test_a_device_that_never_ends(capsys: pytest.CaptureFixture[str]) -> None:
    for words in COMMANDS:
        assert main([*words, "/dev/zero"]) == 3
        assert "is not a tracefs journal" in capsys.readouterr().err


@pytest.mark.timeout(20)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_pipe_that_never_ends_fills_no_disk(words: list[str]) -> None:
    command = [sys.executable, "-m", "tracefs", *words, "-"]
    with subprocess.Popen(["cat", "/dev/zero"], stdout=subprocess.PIPE) as endless:
        done = subprocess.run(
            command,
            stdin=endless.stdout,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 26, 1 << 26)),
        )
        endless.kill()
    assert done.returncode == 3
    assert "standard input is not a tracefs journal: its first line is too long" in done.stderr


@pytest.mark.parametrize("words", [["check"], ["check", "--json"]], ids=" ".join)
def test_a_pipe_is_judged_like_the_file(words: list[str], tmp_path: Path) -> None:
    recording = astray(tmp_path / "r")
    piped = tracefs(*words, "-", stdin=(recording / "journal.jsonl").read_bytes())
    assert piped == tracefs(*words, str(recording))
    assert piped.code == 1


def test_a_recording_with_folders_too_deep_to_delete(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(state / "deep.trace")
    before = os.getcwd()
    os.chdir(state / "deep.trace")
    try:
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(before)
    assert main(["list"]) == 0
    assert main(["prune", "--keep", "0"]) in {0, 3}
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    subprocess.run(["rm", "-rf", state / "deep.trace"], check=True)


def test_a_number_that_no_error_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = kept(tmp_path / "r") / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"tid"', b'"errno":%d,"tid"' % 2**63)
    journal.write_bytes(b"".join(lines))
    assert main(["show", str(journal)]) == 0
    assert f"= -1 {2**63} (Unknown error {2**63})" in capsys.readouterr().out


# Any journal


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    base = tmp_path_factory.mktemp("seeds")
    made = [make(base / make.__name__) for make in (kept, broken, undecided, astray)]
    journals = [folder / "journal.jsonl" for folder in made] + sorted(DATA.glob("*.jsonl"))
    return [journal.read_bytes() for journal in journals]


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**64), words=st.sampled_from(COMMANDS))
def test_damaged_journals_are_read_to_no_harm(
    seeds: list[bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    seed: int,
    words: list[str],
) -> None:
    journal = tmp_path / "j"
    journal.write_bytes(mutated(random.Random(seed), seeds))
    assert main([*words, str(journal)]) in CODES
    told = capsys.readouterr()
    assert plain(told.out + told.err)
    assert "has no answer" not in told.out


EVENTS = 5_000
MIB = 1 << 20


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (400 * MIB, 400 * MIB))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", list(bombs(b"", 2)))
def test_a_journal_full_of_what_must_be_remembered(name: str, tmp_path: Path) -> None:
    """A reader has 400 MiB, and 20 seconds of its own: it needs 60 MiB and one second."""
    journal = tmp_path / "journal.jsonl"
    head = encode(header(witness="seccomp", notified=("lseek", "dup")))
    journal.write_bytes(b"".join(line + b"\n" for line in bombs(head, EVENTS)[name]))
    for words in (["show"], ["check"], ["stats"], ["show", "--stray"]):
        done = subprocess.run(
            [sys.executable, "-m", "tracefs", *words, str(journal)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            preexec_fn=limited,
        )
        assert done.returncode in CODES - {3}, (words, done.stderr[-500:])
