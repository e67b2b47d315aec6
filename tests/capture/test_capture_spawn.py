"""What is said where that which mounts is not installed."""

import pytest

from tracefs.capture import spawn
from tracefs.cli.main import main
from tracefs.errors import SetupError

MISSING = ("tracefs.capture._none", "no_such_fuse")


def test_all_that_is_needed_is_here() -> None:
    spawn.require_installed()


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "NEEDED", (*spawn.NEEDED, *MISSING))
    with pytest.raises(SetupError, match=f"{' and '.join(MISSING)} not installed"):
        spawn.Spawned()


@pytest.mark.parametrize(
    "words", [["run"], ["stray"], ["record-golden", "-o", "x.golden"]], ids=" ".join
)
def test_a_command_that_records_fails_as_for_any_reason(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spawn, "NEEDED", MISSING)
    assert main([*words, "--", "true"]) == 125
    assert capsys.readouterr().err == (
        "tracefs: nothing can be mounted: tracefs.capture._none and no_such_fuse not installed\n"
        "  repair: tracefs doctor says how to get it\n"
    )
