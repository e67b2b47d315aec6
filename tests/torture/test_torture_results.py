"""The file with results: gone on with, whatever cut it short, but never by another plan."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torture_samples import RESULTS, asked, result

from tracefs.errors import RecordingError
from tracefs.torture.results import Results
from tracefs.tortures import Result


def write(name: Path, *results: Result) -> None:
    with Results.open(str(name), asked()) as file:
        for each in results:
            file.add(each)


def read(name: Path) -> dict[str, Result]:
    with Results.open(str(name), asked()) as file:
        return file.known


@given(st.lists(RESULTS, max_size=4))
def test_what_was_added_is_there(
    tmp_path_factory: pytest.TempPathFactory, made: list[Result]
) -> None:
    name = tmp_path_factory.mktemp("results") / "results.jsonl"
    write(name, *made[:2])
    write(name, *made[2:])
    assert read(name) == {each.key: each for each in made}


@given(st.integers(0), st.integers(1, 3))
def test_wherever_it_was_cut_off_whole_lines_are_kept(
    tmp_path_factory: pytest.TempPathFactory, cut: int, count: int
) -> None:
    name = tmp_path_factory.mktemp("results") / "results.jsonl"
    write(name, *(result(f"rule {number}") for number in range(count)))
    whole = name.read_bytes()
    kept = whole[: cut % (len(whole) + 1)]
    name.write_bytes(kept)
    known = read(name)
    assert list(known) == [f"rule {number}" for number in range(max(0, kept.count(b"\n") - 1))]
    write(name, result("one more"))
    assert list(read(name)) == [*known, "one more"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 1}, "--seed is different"),
        ({"content": "other"}, "or a file that the command or the checker names, was changed"),
        ({"command": ("x",), "limit": 3}, "the command is another one; --limit is different"),
    ],
)
def test_another_plan_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    name = tmp_path / "results.jsonl"
    write(name, result("rule"))
    before = name.read_bytes()
    with pytest.raises(RecordingError, match="is of another plan") as refused:
        Results.open(str(name), asked(**change))
    assert str(refused.value).endswith(said)
    assert name.read_bytes() == before


@pytest.mark.parametrize("content", [b"hello", b"{}\n", b'{"type":"run"}\n', b"\xff\n"])
def test_another_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    name = tmp_path / "results.jsonl"
    name.write_bytes(content)
    with pytest.raises(RecordingError, match="no file of tracefs torture"):
        Results.open(str(name), asked())
    assert name.read_bytes() == content


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    name = str(tmp_path / "results.jsonl")
    with Results.open(name, asked()), pytest.raises(RecordingError, match="by another tracefs"):
        Results.open(name, asked())


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="can't be written: Is a directory"):
        Results.open(str(tmp_path), asked())
    with pytest.raises(RecordingError, match="no file that can be gone on with"):
        Results.open("/dev/null", asked())
