"""The file with answers: gone on with, whatever cut it short, but never for another question."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracefs.crash.results import Asked, Results
from tracefs.crashes import Answer, Checked
from tracefs.errors import RecordingError

ASKED = Asked(recording="r", check="true {dir}", limit_s=10)
ANSWERS = st.builds(
    Answer,
    checked=st.sampled_from(sorted(set(Checked) - {Checked.TOOL_FAILED})),
    said=st.none() | st.text(),
    seconds=st.floats(0, 1e6),
)


def write(name: Path, answers: dict[str, Answer]) -> None:
    with Results.open(str(name), ASKED) as file:
        for key, answer in answers.items():
            file.add(key, answer)


def read(name: Path, asked: Asked = ASKED) -> dict[str, Answer]:
    with Results.open(str(name), asked) as file:
        return file.known


@given(st.dictionaries(st.text(), ANSWERS, max_size=4), st.integers(0, 4))
def test_what_was_added_is_there(
    tmp_path_factory: pytest.TempPathFactory, answers: dict[str, Answer], first: int
) -> None:
    name = tmp_path_factory.mktemp("results") / "results.jsonl"
    write(name, dict(list(answers.items())[:first]))
    write(name, dict(list(answers.items())[first:]))
    assert read(name) == answers


@given(st.integers(0), st.binary(max_size=3))
def test_wherever_it_was_cut_off_whole_lines_are_kept(
    tmp_path_factory: pytest.TempPathFactory, cut: int, garbage: bytes
) -> None:
    name = tmp_path_factory.mktemp("results") / "results.jsonl"
    good = Answer(checked=Checked.GOOD)
    write(name, {str(number): good for number in range(3)})
    whole = name.read_bytes()
    kept = whole[: cut % (len(whole) + 1)]
    head = whole.index(b"\n") + 1
    # After a power failure there may be anything behind what was synced.
    name.write_bytes(kept + garbage if len(kept) >= head else kept)
    known = read(name)
    assert list(known) == [str(number) for number in range(max(0, kept.count(b"\n") - 1))]
    write(name, {"more": good})
    assert list(read(name)) == [*known, "more"]


def test_what_is_saved_is_there_before_the_end(tmp_path: Path) -> None:
    name = tmp_path / "results.jsonl"
    with Results.open(str(name), ASKED) as file:
        file.add("a", Answer(checked=Checked.BAD))
        file.save()
        assert b'"key":"a"' in name.read_bytes()


def test_what_tracefs_failed_at_is_asked_for_again(tmp_path: Path) -> None:
    name = tmp_path / "results.jsonl"
    write(name, {"a": Answer(checked=Checked.TOOL_FAILED), "b": Answer(checked=Checked.LATE)})
    assert read(name) == {"b": Answer(checked=Checked.LATE)}


def test_another_question_is_refused(tmp_path: Path) -> None:
    name = tmp_path / "results.jsonl"
    write(name, {"a": Answer(checked=Checked.BAD)})
    before = name.read_bytes()
    with pytest.raises(RecordingError, match="of another exploration: the checker is another one"):
        read(name, Asked(recording="r", check="false", limit_s=10))
    assert name.read_bytes() == before


@pytest.mark.parametrize("content", [b"hello", b"{}\n", b'{"type":"plan"}\n', b"\xff\n"])
def test_another_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    name = tmp_path / "results.jsonl"
    name.write_bytes(content)
    with pytest.raises(RecordingError, match="no file of tracefs crash"):
        read(name)
    assert name.read_bytes() == content
