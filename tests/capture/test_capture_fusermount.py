"""What fusermount3 says, and what is told of it; mounts themselves: ``tests/mounted``."""

from pathlib import Path

import pytest

from tracefs.capture import fusermount
from tracefs.errors import MountError


@pytest.mark.parametrize(
    ("words", "repair"),
    [
        ("user has no write access to mountpoint /etc", "directory that is yours"),
        ("mountpoint /tmp not owned by user", "directory that is yours"),
        ("failed to open /dev/fuse: Permission denied", "tracefs doctor"),
    ],
)
def test_a_refusal_is_told_with_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, repair: str
) -> None:
    helper = tmp_path / "helper"
    helper.write_text(f"#!/bin/sh\necho 'fusermount3: {words}' >&2\nexit 1\n")
    helper.chmod(0o755)
    monkeypatch.setattr(fusermount, "helper_path", lambda: str(helper))
    with pytest.raises(MountError, match=words) as raised:
        fusermount._mount(bytes(tmp_path), [])
    assert repair in (raised.value.repair or "")
