"""``tracefs top``: plain, and on the screen that textual draws."""

import asyncio
import sys
from pathlib import Path

import pytest
from cli_support import PAGE, Recorder, broken, kept, torn, tracefs
from textual.widgets import DataTable, Static

from tracefs.cli.main import main
from tracefs.cli.top import Watch
from tracefs.cli.top_screen import Screen
from tracefs.contracts import find_all


def test_a_recording_that_has_ended_is_told_and_that_is_all(tmp_path: Path) -> None:
    answer = tracefs("top", "--plain", str(kept(tmp_path / "good.trace")))
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[:3] == [
        "6 calls (10,000 a second), 0 failed; recording ended",
        "2 syncs, the latest: half within 45 us, 99 % within 45 us, the slowest 45 us",
        "not synced: 0 bytes",
    ]
    assert len(answer.out.splitlines()) == 6


def test_findings_are_told_while_a_page_is_not_synced(tmp_path: Path) -> None:
    """The judge is copied then, and what it remembers of a file and its writer is a ring."""
    recorder = Recorder(tmp_path / "now.trace")
    recorder.create()
    for page in range(600):
        recorder.write(page * PAGE)
    answer = tracefs(
        "top", "--plain", "--every", "0.000001", "--contract", "page-write",
        str(recorder.finish()),
    )  # fmt: skip
    assert answer.code == 0, answer.err[-500:]
    assert "error synced, pages.db, page 99, call 100" in answer.out


def test_a_recording_that_was_cut_off_is_told(tmp_path: Path) -> None:
    answer = tracefs("top", "--plain", str(torn(tmp_path / "torn.trace")))
    assert "the recording is incomplete: no footer: " in answer.out
    answer = tracefs("top", "--plain", str(kept(tmp_path / "good.trace")))
    assert "incomplete" not in answer.out


def test_there_is_no_negative_number_of_files(tmp_path: Path) -> None:
    answer = tracefs("top", "--plain", "--top", "-1", str(kept(tmp_path / "good.trace")))
    assert answer.code == 2
    assert "'-1' is not a whole number of 1 or more" in answer.err


def test_findings_are_told_so_far(tmp_path: Path) -> None:
    recording = str(broken(tmp_path / "bad.trace"))
    answer = tracefs("top", "--plain", "--contract", "page-write", recording)
    assert "error full-page, pages.db, page 2, call 1" in answer.out
    assert "error synced, pages.db, page 0, call 3" in answer.out


def test_a_directory_that_nobody_traces_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "folder").mkdir()
    assert main(["top", "--plain", str(tmp_path / "folder")]) == 2
    assert capsys.readouterr().err.endswith("\n  repair: name the recording\n")
    (tmp_path / "state/tracefs").mkdir(parents=True)
    kept(tmp_path / "state/tracefs/over.trace")
    running = Recorder(tmp_path / "state/tracefs/running.trace")
    assert main(["top", "--plain", str(tmp_path / "folder")]) == 2
    assert capsys.readouterr().err == (
        f"tracefs: no recording in {tmp_path}/state/tracefs is known to be of {tmp_path}/folder\n"
        "  repair: name the recording; being made are: running.trace\n"
    )
    running.finish()


@pytest.mark.parametrize("word", ["0", "86400", "nan", "x"])
def test_a_time_that_is_none_is_told(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", f"--every={word}"]) == 2
    assert f"'{word}' is not a number of seconds above 0 and below 86400" in capsys.readouterr().err


def test_without_textual_it_is_plain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delitem(sys.modules, "tracefs.cli.top_screen", raising=False)
    monkeypatch.setitem(sys.modules, "textual.app", None)
    assert main(["top", str(kept(tmp_path / "good.trace"))]) == 0
    said = capsys.readouterr().out
    assert said.startswith("tracefs: plain, as textual is missing: pip install 'tracefs[live]'")
    assert "6 calls" in said


def test_a_screen_that_is_broken_is_not_passed_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = str(kept(tmp_path / "good.trace"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setitem(sys.modules, "tracefs.cli.top_screen", None)
    with pytest.raises(ModuleNotFoundError):
        main(["top", recording])


def test_the_screen_has_the_same(tmp_path: Path) -> None:
    watch = Watch(broken(tmp_path / "bad[b].trace"), 0.01, 9, find_all("page-write"))

    async def watched() -> tuple[str, str, list[str], str]:
        screen = Screen(watch)
        async with screen.run_test() as pilot:
            await screen.workers.wait_for_complete()
            await pilot.pause()
            table: DataTable[str] = screen.query_one("#files", DataTable)
            cells = [str(cell) for cell in table.get_row_at(0)]
            texts = [
                str(screen.query_one(f"#{name}", Static).content)
                for name in ("name", "summary", "found")
            ]
            await pilot.press("q")
        return texts[0], texts[1], cells, texts[2]

    name, summary, cells, found = asyncio.run(watched())
    assert name == "bad[b].trace"
    assert "recording ended" in summary
    assert cells == ["4,096", "5", "4,196", "1", "pages.db"]
    assert "error synced, pages.db, page 0, call 3" in found
    assert watch.stopped
