"""Why ``tracefs run`` takes a mount that all see, although the command could have its own."""

import os
from pathlib import Path

import pytest

from tracefs.capture import fusermount, runner


@pytest.mark.parametrize(
    ("euid", "owner", "installed", "shared"),
    [
        (1000, 1000, True, False), (1000, 2000, True, True), (1000, 2000, False, False),
        (0, 2000, True, False),
    ],
)  # fmt: skip
def test_files_of_others_are_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    euid: int, owner: int, installed: bool, shared: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    monkeypatch.setattr(runner, "all_ours", lambda _: owner == euid)
    monkeypatch.setattr(fusermount, "is_installed", lambda: installed)
    why = runner.why_shared(str(tmp_path))
    assert (why is not None) == shared
    if why is not None:
        assert "may have other owners" in why
