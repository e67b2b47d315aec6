"""list and prune."""

from pathlib import Path

import pytest
from cli_support import Recorder, header, kept
from syrupy.assertion import SnapshotAssertion

from tracefs.cli.list import _size
from tracefs.cli.main import main


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that recordings live in, for this test alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = tmp_path / "tracefs"
    folder.mkdir()
    return folder


def test_list_newest_last(
    state: Path, capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion
) -> None:
    kept(state / "b.trace", header("2026-01-02T00:00:00+01:00"))
    kept(state / "a.trace", header("2026-01-01T00:00:00+00:00", command=("sh", "-c", "a\nb")))
    kept(state / "c.trace", header("2026-01-03T00:00:00+00:00", command=None))
    assert main(["list"]) == 0
    assert capsys.readouterr().out == snapshot


def test_list_tells_what_is_running_and_what_cannot_be_read(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "bad.trace").mkdir()
    (state / "bad.trace" / "journal.jsonl").write_text("no journal")
    recorder = Recorder(state / "now.trace")
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "now.trace  (running) python3 demo.py" in out
    assert "bad.trace  (not readable: " in out
    recorder.finish()
    assert main(["list"]) == 0
    assert "(running)" not in capsys.readouterr().out


@pytest.mark.parametrize("words", [["list"], ["prune", "--keep", "0"]])
def test_nothing_recorded_is_no_failure(
    words: list[str], state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    assert capsys.readouterr().err == ""


def test_prune_keeps_the_newest(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day in (1, 2, 3):
        kept(state / f"{day}.trace", header(f"2026-01-0{day}T00:00:00+00:00"))
    assert main(["prune", "--keep", "1"]) == 0
    assert [path.name for path in state.iterdir()] == ["3.trace"]
    assert capsys.readouterr().out.splitlines() == [
        str(state / "1.trace"),
        str(state / "2.trace"),
        "deleted 2 recordings",
    ]


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1 << 42, "4 TiB")]
)
def test_sizes(number: int, text: str) -> None:
    assert _size(number) == text
