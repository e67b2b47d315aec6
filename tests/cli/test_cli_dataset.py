"""``tracefs dataset``: recordings added, and questions answered about all of them."""

import csv
import errno
import io
import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from cli_support import broken, header, kept, torn, tracefs

from tracefs.errors import RecordingError
from tracefs.findings import TraceSummary
from tracefs.index import dataset as dataset_module
from tracefs.journal.reader import JournalReader
from tracefs.trace import Trace

NULL = b"__HIVE_DEFAULT_PARTITION__"
"""What means NULL in the name of a partition."""


def made(folder: Path) -> Path:
    """Return a dataset of three recordings, in *folder* with them."""
    good = kept(folder / "good's [1].trace")
    bad = broken(folder / "bad.trace")
    cut = torn(folder / "torn.trace")
    answer = tracefs(
        "dataset", "add", f"{folder}/all of 'them'", str(good), str(bad), str(cut),
        "--contract", "page-write",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "added recording good's [1].trace: 6 calls\n" in answer.err
    [step] = re.findall("^tracefs: next: (.*)$", answer.err, re.MULTILINE)
    assert shlex.split(step)[1:4] == ["dataset", "check", f"{folder}/all of 'them'"]
    return folder / "all of 'them'"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that is only asked."""
    return made(tmp_path_factory.mktemp("dataset"))


def asked(dataset: Path, *words: str) -> list[dict[str, object]]:
    answer = tracefs("dataset", "query", str(dataset), *words, "--format", "json")
    assert answer.code == 0, answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


def test_calls_of_all_recordings_are_one_table(dataset: Path) -> None:
    found = asked(
        dataset,
        "SELECT recording, count(*) AS n FROM calls WHERE call = 'pwrite64' "
        "GROUP BY ALL ORDER BY ALL",
    )
    assert found == [
        {"recording": "bad.trace", "n": 2}, {"recording": "good's [1].trace", "n": 2},
        {"recording": "torn.trace", "n": 2},
    ]  # fmt: skip


def test_closes_with_unsynced_bytes_are_found(dataset: Path) -> None:
    [found] = asked(dataset, "--ready", "unsynced-closes")
    assert found == {
        "recording": "bad.trace", "path": "pages.db", "bytes": 4096, "call": 4, "because": 3,
    }  # fmt: skip


def test_verdicts_are_counted_by_program(dataset: Path) -> None:
    [found] = asked(dataset, "--ready", "verdicts")
    assert found == {
        "command": "python3 demo.py", "contract": "page-write", "kept": 1, "broken": 1,
        "unknown": 1,
    }  # fmt: skip


@pytest.mark.parametrize("ready", ["slowest-syncs", "calls"])
def test_each_ready_question_has_an_answer(dataset: Path, ready: str) -> None:
    assert asked(dataset, "--ready", ready)


def test_what_is_not_complete_is_known(dataset: Path) -> None:
    found = asked(dataset, "SELECT recording FROM recordings WHERE NOT complete")
    assert found == [{"recording": "torn.trace"}]


def test_text_and_csv_have_the_same(dataset: Path) -> None:
    sql = "SELECT recording, NULL AS nothing FROM recordings ORDER BY ALL LIMIT 1"
    text = tracefs("dataset", "query", str(dataset), sql).out
    assert text == "recording  nothing\nbad.trace  -\n# 1 row\n"
    table = tracefs("dataset", "query", str(dataset), sql, "--format", "csv").out
    assert list(csv.reader(io.StringIO(table))) == [["recording", "nothing"], ["bad.trace", ""]]


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    dataset = made(tmp_path)
    good = str(tmp_path / "good's [1].trace")
    answer = tracefs("dataset", "add", str(dataset), good)
    assert answer.code == 3
    assert "is in" in answer.err
    assert tracefs("dataset", "add", str(dataset), good, "--again").code == 0
    assert len(asked(dataset, "SELECT * FROM recordings")) == 3
    assert sorted(one.name for one in dataset.iterdir()) == [
        "recording=bad.trace", "recording=good%27s%20%5B1%5D.trace", "recording=torn.trace",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (b"2026-01-02", "2026-01-02"),
        (b"007", "007"),
        (b"lat\xe9in", "lat\\xe9in"),
        (NULL, NULL.decode()),
    ],
    ids=["date", "number", "no UTF-8", "NULL"],
)
def test_any_name_of_a_recording_is_text(tmp_path: Path, folder: bytes, name: str) -> None:
    recording = kept(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + folder)))
    answer = tracefs("dataset", "add", f"{tmp_path}/all", str(recording))
    assert answer.code == 0, answer.err
    assert f"added recording {name}: 6 calls" in answer.err
    sql = "SELECT DISTINCT c.recording FROM calls c JOIN recordings USING (recording) "
    assert asked(tmp_path / "all", f"{sql} WHERE starts_with(c.recording, left('{name}', 3))") == [
        {"recording": name}
    ]


def test_a_recording_that_is_incomplete_is_told(tmp_path: Path) -> None:
    answer = tracefs("dataset", "add", f"{tmp_path}/all", str(torn(tmp_path / "torn.trace")))
    assert "torn.trace is incomplete: " in answer.err


def test_columns_of_the_same_name_are_told_apart(dataset: Path) -> None:
    assert asked(dataset, "SELECT 1 AS a, 2 AS a, 3 AS a") == [{"a": 1, "a_1": 2, "a_2": 3}]


def added(folder: Path, recording: Path, *, again: bool = False) -> None:
    with JournalReader(recording) as reader:
        trace = Trace(reader, reads=True)
        dataset_module.add(folder / "all", recording.name, trace, None, again=again)


def namesakes(folder: Path) -> tuple[Path, Path]:
    """Return two recordings of one name, of six calls and of five."""
    for name in ("1", "2"):
        (folder / name).mkdir()
    return kept(folder / "1/r.trace"), broken(folder / "2/r.trace")


def test_two_of_one_name_that_are_added_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = namesakes(tmp_path)
    write = dataset_module._write

    def slow(*words: Any) -> TraceSummary:
        monkeypatch.setattr(dataset_module, "_write", write)
        added(tmp_path, second)
        return write(*words)

    monkeypatch.setattr(dataset_module, "_write", slow)
    with pytest.raises(RecordingError, match="already"):
        added(tmp_path, first)
    assert asked(tmp_path / "all", "SELECT calls FROM recordings") == [{"calls": 5}]
    assert [one.name for one in (tmp_path / "all").iterdir()] == ["recording=r.trace"]


def test_what_cannot_be_put_in_its_place_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = kept(tmp_path / "r.trace")
    added(tmp_path, recording)

    def refused(*_: object) -> None:
        raise OSError(errno.EIO, "refused")

    monkeypatch.setattr(dataset_module, "renameat2", refused)
    with pytest.raises(OSError, match="refused"):
        added(tmp_path, recording, again=True)
    assert asked(tmp_path / "all", "SELECT recording FROM recordings")


def test_one_is_replaced_where_two_cannot_be_exchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = namesakes(tmp_path)
    added(tmp_path, first)

    def refused(*_: object) -> None:
        raise OSError(errno.EINVAL, "not on this filesystem")

    monkeypatch.setattr(dataset_module, "renameat2", refused)
    added(tmp_path, second, again=True)
    assert len(asked(tmp_path / "all", "--ready", "unsynced-closes")) == 1


def test_what_is_no_recording_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.trace").mkdir()
    (tmp_path / "empty.trace/journal.jsonl").write_text("{}\n")
    answer = tracefs("dataset", "add", f"{tmp_path}/all", f"{tmp_path}/empty.trace")
    assert answer.code == 3
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["SELECT nothing FROM recordings"], "not found in FROM clause! Candidate bindings: "),
        (["SELEC 1"], 'Parser Error: syntax error at or near "SELEC"\n'),
        ([], "there is no question"),
        ([""], "there is no question"),
        (["-- nothing"], "there is no question"),
        (["SELECT 1", "--ready", "calls"], "or two"),
    ],
)
def test_a_question_that_is_none_is_told(dataset: Path, words: list[str], said: str) -> None:
    answer = tracefs("dataset", "query", str(dataset), *words)
    assert answer.code == 2
    assert said in answer.err


def test_a_hostile_name_cannot_steer(tmp_path: Path) -> None:
    folder = kept(tmp_path / "r.trace", header(command=("x\x1b[2J",)), path="a\x1b[2J\u202e.db")
    tracefs("dataset", "add", f"{tmp_path}/all", str(folder))
    answer = tracefs("dataset", "query", f"{tmp_path}/all", "SELECT DISTINCT path FROM calls")
    assert answer.code == 0
    assert "\x1b" not in answer.out
    assert "a\\x1b[2J" in answer.out
