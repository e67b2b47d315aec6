"""``tracefs dataset check``: what contracts say of each recording, and what becomes of it."""

import json
import shutil
from pathlib import Path

import pytest
from cli_support import broken, kept, torn, tracefs
from inline_snapshot import snapshot

CLOSE = "no-unsynced-close"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    recordings = [
        kept(tmp_path / "good.trace"), broken(tmp_path / "bad.trace"), torn(tmp_path / "torn.trace")
    ]  # fmt: skip
    assert tracefs("dataset", "add", f"{tmp_path}/all", *map(str, recordings)).code == 0
    return tmp_path / "all"


def test_each_recording_has_its_verdict_and_the_gravest_is_the_exit_code(dataset: Path) -> None:
    answer = tracefs("dataset", "check", "-j2", str(dataset))
    assert answer.code == 1
    # What is expected and how to repair it are held by other tests.
    told = [line for line in answer.out.splitlines() if not line.startswith(("  Exp", "  rep"))]
    assert told == snapshot(
        [
            "broken      bad.trace  page-write",
            "  error full-page, pages.db, page 2, call 1",
            "  and 1 more finding",
            "kept        good.trace  page-write",
            "unknown     torn.trace  page-write",
            "  unknown complete-trace",
            "# 3 recordings, 17 calls: 1 kept, 1 unknown, 1 broken",
        ]
    )
    assert "next: tracefs dataset check" in answer.err


@pytest.mark.parametrize(("name", "code"), [("good.*", 0), ("t*", 4), ("*", 1)])
def test_recordings_are_chosen_by_name(dataset: Path, name: str, code: int) -> None:
    assert tracefs("dataset", "check", "-j1", str(dataset), "--recording", name).code == code


@pytest.mark.parametrize("name", ["good.trace", "bad.trace", "torn.trace"])
def test_it_is_what_check_says_of_the_recording(dataset: Path, name: str) -> None:
    words = ("--contract", CLOSE, "--contract", "page-write", "--without", "no-seek")
    alone = tracefs("check", "--json", *words, str(dataset.parent / name))
    answer = tracefs(
        "dataset", "check", "-j1", str(dataset), "--recording", name, *words, "--format", "json"
    )
    assert answer.code == alone.code
    found = json.loads(answer.out)
    assert found.pop("recording") == name
    assert found == json.loads(alone.out)


def test_verdicts_are_kept_for_queries_beside_those_of_other_contracts(dataset: Path) -> None:
    verdicts = ("dataset", "query", str(dataset), "--ready", "verdicts", "--format", "csv")
    for contract in (CLOSE, "page-write", "page-write"):
        tracefs("dataset", "check", "-j1", str(dataset), "--contract", contract, "--keep")
    assert tracefs(*verdicts).out.splitlines() == [
        "command,contract,kept,broken,unknown",
        "python3 demo.py,no-unsynced-close,1,1,1",
        "python3 demo.py,page-write,1,1,1",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--contract", "page-writes"], "There is no contract"),
        (["--without", "sync"], "There is no rule"),
        (["--keep", "--without", "synced"], "has what whole contracts say"),
        (
            ["--recording", "none"],
            "has no recording like none\n  repair: it has bad.trace, good.trace, torn.trace\n",
        ),
    ],
)
def test_what_cannot_be_asked_is_told(dataset: Path, words: list[str], said: str) -> None:
    answer = tracefs("dataset", "check", "-j1", str(dataset), *words)
    assert answer.code == 2
    assert said in answer.err


def test_what_another_version_added_is_not_judged(dataset: Path) -> None:
    card = dataset / "recording=good.trace/trace.json"
    card.write_text(card.read_text().replace('"rules": "', '"rules": "0'))
    (dataset / "recording=torn.trace/trace.json").unlink()
    (dataset / "recording=bad.trace/releases.parquet").write_bytes(b"PAR1")
    answer = tracefs("dataset", "check", "-j1", str(dataset))
    assert answer.code == 3
    assert [line for line in answer.out.splitlines() if "version" in line] == [
        f"not judged  {name}: {name} was added to the dataset by another version of tracefs"
        for name in ("good.trace", "torn.trace")
    ]
    assert "not judged  bad.trace: bad.trace in the dataset can't be read" in answer.out
    assert "# 3 recordings, 0 calls: 3 not judged" in answer.out


def test_a_table_of_another_recording_is_not_taken_for_its_own(dataset: Path) -> None:
    tables = [dataset / f"recording={name}.trace/calls.parquet" for name in ("good", "bad")]
    shutil.copy(*tables)
    answer = tracefs("dataset", "check", "-j1", str(dataset), "--recording", "bad.trace")
    assert answer.code == 3
    assert "bad.trace in the dataset can't be read: calls.parquet is damaged\n" in answer.out


def test_a_contract_file_is_found_from_wherever_it_is_named(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("no.toml").write_text('version = 1\n[[contract]]\nid = "none"\nnever = ["pwrite64"]\n')
    answer = tracefs("dataset", "check", "-j1", "all", "--contract", "no.toml")
    assert answer.code == 1
    assert "broken      good.trace  none\n" in answer.out


def test_a_hostile_name_cannot_steer_it(tmp_path: Path) -> None:
    folder = broken(tmp_path / "r\x1b[2J.trace")
    tracefs("dataset", "add", f"{tmp_path}/all", str(folder))
    answer = tracefs("dataset", "check", "-j1", f"{tmp_path}/all")
    assert answer.code == 1
    assert "\x1b" not in answer.out + answer.err
    assert "r\\x1b[2J.trace" in answer.out


def test_a_folder_without_a_dataset_is_told(tmp_path: Path) -> None:
    answer = tracefs("dataset", "check", f"{tmp_path}/none")
    assert answer.code == 2
    assert answer.err == (
        f"tracefs: there is no dataset in {tmp_path}/none\n  repair: tracefs dataset add\n"
    )
