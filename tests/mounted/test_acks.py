"""``mkdir .ack:TEXT`` says something in the journal, and makes nothing, in every mount."""

import errno
import os
import subprocess
from pathlib import Path

import pytest
from mounted_support import Guard, Mount, act, journal, outcome
from replayed_support import replayed

from tracefs import events
from tracefs.events import acknowledged
from tracefs.journal.reader import JournalReader
from tracefs.torture.targets import targets

# As long as a name on Linux may be, and bytes that are no UTF-8, a newline, spaces.
TEXTS = [b"", b"7", b"a=b c\n\xff\\", b"x" * (255 - len(b".ack:"))]


def _acknowledge() -> list[object]:
    said: list[object] = []
    for text in TEXTS:
        said.append(outcome(os.mkdir, b"d/.ack:" + text))
        said.append(outcome(os.stat, b"d/.ack:" + text))
        said.append(os.listdir("d"))
    os.mkdir("d/ack:not")
    os.mkdir("d/.ackn")
    said.append(outcome(os.open, "d/.ack:file", os.O_RDWR | os.O_CREAT))
    return said


@pytest.mark.parametrize("options", [[], ["--payload"]])
def test_it_is_refused_recorded_and_never_there(
    tmp_path: Path, guard: Guard, options: list[str]
) -> None:
    for name in ("src/d", "mnt", "again"):
        (tmp_path / name).mkdir(parents=True)
    recording = tmp_path / "rec"
    mount = Mount(tmp_path / "src", tmp_path / "mnt", recording, guard, *options)
    before = (tmp_path / "src/d").stat().st_mtime_ns
    said = act(mount.mountpoint, _acknowledge)
    mount.end()

    assert said[:-1] == ["EEXIST", "ENOENT", []] * len(TEXTS)
    assert isinstance(said[-1], int)  # only directories say something
    assert before <= (tmp_path / "src/d").stat().st_mtime_ns
    assert sorted(os.listdir(tmp_path / "src/d")) == [".ack:file", ".ackn", "ack:not"]
    with JournalReader(recording) as reader:
        texts = [text for text in map(acknowledged, reader.events()) if text is not None]
    assert texts == ["", "7", "a=b c\n\\xff\\\\", "x" * 250]
    refused = [event for event in journal(recording, events.Mkdir) if event.errno]
    assert {(event.errno, event.ino) for event in refused} == {(errno.EEXIST, 0)}
    if options:
        assert replayed(recording, tmp_path / "src", tmp_path / "again") == []


def test_it_stands_between_what_was_done_before_and_after(tmp_path: Path, guard: Guard) -> None:
    for name in ("src", "mnt"):
        (tmp_path / name).mkdir()
    recording = tmp_path / "rec"
    mount = Mount(tmp_path / "src", tmp_path / "mnt", recording, guard)
    script = (
        "printf 1 > a; mkdir .ack:one; printf 2 > b; mkdir .ack:two; mkdir c; mkdir .ack:one; true"
    )
    subprocess.run(["sh", "-c", script], cwd=mount.mountpoint, check=True, capture_output=True)
    mount.end()
    with JournalReader(recording) as reader:
        found = [
            acknowledged(event) or getattr(event, "path", "?")
            for event in reader.events()
            if isinstance(event, events.Create | events.Mkdir)
        ]
    assert found == ["a", "one", "b", "two", "c", "one"]


def test_no_rule_of_faults_is_for_it(tmp_path: Path, guard: Guard) -> None:
    for name in ("src", "mnt"):
        (tmp_path / name).mkdir()
    recording = tmp_path / "rec"
    rule = ["--inject", "mkdir:error=EIO:when=2"]
    mount = Mount(tmp_path / "src", tmp_path / "mnt", recording, guard, *rule)
    script = "for name in .ack:1 a .ack:2 b .ack:3 c; do mkdir $name; done; true"
    done = subprocess.run(
        ["sh", "-c", script], cwd=mount.mountpoint, check=True, capture_output=True, text=True
    )
    mount.end()
    assert sorted(os.listdir(tmp_path / "src")) == ["a", "c"]
    assert done.stderr.count(os.strerror(errno.EEXIST)) == 3
    # Torture counts as the rules do.
    found = [(one.path, one.number) for one in targets(recording)]
    assert found == [("a", 1), ("b", 2), ("c", 3)]
