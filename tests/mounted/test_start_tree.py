"""``--payload``: the tree that there was is kept, and with the journal the same comes of it."""

import errno
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mounted_support import PATIENCE_S, TRACEFS, Guard, Mount, act, get, journal, put
from replayed_support import replayed

from tracefs import events, record
from tracefs.capture.living import LivingMount, Options
from tracefs.errors import RecordingError
from tracefs.journal.start import StartTree

BIG = 3 << 20


def contents(recording: Path, source: Path | None = None) -> dict[str, bytes]:
    """Return path -> what the regular file held at the start."""
    with StartTree.open(recording, source) as tree:
        return {
            one.path: tree.read(one.ino, 0, one.size)
            for one in tree.entries
            if stat.S_ISREG(one.mode)
        }


def kept(recording: Path) -> set[str]:
    """Return the paths whose files were kept."""
    inodes = set(os.listdir(recording / "start"))
    with StartTree.open(recording) as tree:
        return {one.path for one in tree.entries if str(one.ino) in inodes}


NAMES = ("written", "cut", "opened", "gone", "over", "moved", "same", "far", "timed", "d/linked")


def _fill() -> None:
    os.mkdir("d", 0o750)
    for name in NAMES:
        put(name, name.encode() * 100)
    put("empty")
    put("big", os.urandom(BIG))
    os.link("d/linked", "other")
    os.symlink("../far", "d/link")
    os.mkfifo("fifo", 0o600)
    os.setxattr("same", "user.a", b"\0\xff")
    os.mkdir("secret", 0o700)
    put(b"secret/\xff\n", b"odd")
    os.utime("d", ns=(5, 5))


def _change() -> None:
    with open("written", "r+b") as file:
        file.write(b"new")
    with open("opened", "wb"):
        pass
    os.truncate("cut", 7)
    os.unlink("gone")
    put("source", b"source")
    os.rename("source", "over")
    os.rename("moved", "d/moved")
    os.utime("timed", ns=(1, 1))
    os.unlink("d/linked")
    with open("big", "r+b") as file:
        file.seek(BIG - 1)
        file.write(b"!")
    with open("empty", "wb") as file:
        file.write(b"x")


@pytest.fixture
def places(tmp_path: Path) -> Path:
    for name in ("src", "mnt", "again"):
        (tmp_path / name).mkdir()
    act(tmp_path / "src", _fill)
    shutil.copytree(tmp_path / "src", tmp_path / "before", symlinks=True, ignore=_no_fifo)
    return tmp_path


def _no_fifo(_: object, names: list[str]) -> list[str]:
    return [name for name in names if name == "fifo"]


def test_what_changes_is_kept_and_what_does_not_is_not_read(places: Path, guard: Guard) -> None:
    before = {
        os.path.relpath(os.path.join(top, name), places / "before"): get(os.path.join(top, name))
        for top, _, names in os.walk(places / "before")
        for name in names
        if not os.path.islink(os.path.join(top, name))
    }
    recording = places / "rec"
    mount = Mount(places / "src", places / "mnt", recording, guard, "--payload")
    act(mount.mountpoint, _change)
    mount.end()

    assert kept(recording) == {
        "written", "cut", "opened", "gone", "over", "timed", "big",
    }  # fmt: skip
    now = contents(recording)
    assert now.pop("secret/\\xff\n") == before.pop("secret/\udcff\n") == b"odd"
    assert now == before
    assert replayed(recording, places / "src", places / "again") == []


def test_a_file_that_was_changed_since_is_told_not_made_up(places: Path, guard: Guard) -> None:
    recording = places / "rec"
    Mount(places / "src", places / "mnt", recording, guard, "--payload").end()
    put(str(places / "src/same"), b"other")
    os.unlink(places / "src/far")
    with StartTree.open(recording) as tree:
        lost = {entry.path: why for entry, why in tree.lost()}
        ino = next(one.ino for one in tree.entries if one.path == "same")
        with pytest.raises(RecordingError, match="was changed since"):
            tree.read(ino, 0, 1)
    assert set(lost) == {"same", "far"}


def test_the_directory_may_have_moved_since(places: Path, guard: Guard) -> None:
    recording = places / "rec"
    Mount(places / "src", places / "mnt", recording, guard, "--payload").end()
    wanted = contents(recording)
    os.rename(places / "src", places / "moved")
    with pytest.raises(RecordingError, match="not there any more"):
        contents(recording)
    assert contents(recording, places / "moved") == wanted


def test_without_payload_there_is_none(places: Path, guard: Guard) -> None:
    recording = places / "rec"
    mount = Mount(places / "src", places / "mnt", recording, guard)
    act(mount.mountpoint, _change)
    mount.end()
    assert sorted(os.listdir(recording)) == ["journal.jsonl"]
    with pytest.raises(RecordingError, match="no starting tree"):
        StartTree.open(recording)


def _recorded() -> None:
    with record("src", payload=True, keep="rec"):
        put("src/written", b"once")


def test_record_keeps_it_too(places: Path, guard: Guard) -> None:
    guard.watch(places / "src")
    act(places, _recorded)
    assert contents(places / "rec")["written"] == b"written" * 100
    assert replayed(places / "rec", places / "src", places / "again") == []


def _begin_again(base: Path) -> None:
    options = Options(payload=True)
    with LivingMount.start(base / "src", base / "src", base / "r0", options) as mount:
        put("src/written", b"first")
        with open("src/new", "w+b", buffering=0) as file:
            file.write(b"open")
            nameless = os.open("src/nameless", os.O_RDWR | os.O_CREAT)
            os.unlink("src/nameless")
            mount.begin(base / "r1")
            file.write(b" later")
            os.write(nameless, b"nowhere")
            os.close(nameless)
            put("src/written", b"second")
        mount.begin(base / "r2")


def test_each_recording_of_a_mount_has_its_own(places: Path, guard: Guard) -> None:
    guard.watch(places / "src")
    act(places, _begin_again, places)
    seen = [contents(places / name) for name in ("r0", "r1", "r2")]
    assert [one.get("written") for one in seen] == [b"written" * 100, b"first", b"second"]
    assert [one.get("new") for one in seen] == [None, b"open", b"open later"]
    # The last one changes nothing; the one before writes to what was open already, and to a file
    # that had no name by then.
    assert replayed(places / "r1", places / "src", places / "again") == []


@pytest.mark.usefixtures("as_root")
def test_where_it_cannot_be_kept_the_program_goes_on(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "src/f").write_bytes(os.urandom(BIG))
    program = "f = open('f', 'r+b'); f.write(b'new'); f.close(); open('g', 'w').close()"
    run = [*TRACEFS, "run", "--payload", "--dir", str(tmp_path / "src"), "-o"]
    run += [str(tmp_path / "full/rec"), "--", sys.executable, "-c", program]
    script = 'mount -t tmpfs -o size=1m none ../full && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *run], cwd=tmp_path / "src",
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "the recording is incomplete: start/" in done.stderr
    assert os.strerror(errno.ENOSPC) in done.stderr
    assert (tmp_path / "src/f").read_bytes()[:3] == b"new"
    assert (tmp_path / "src/g").exists()


STEP = st.tuples(
    st.sampled_from(["write", "cut", "unlink", "rename", "link", "mkdir", "ack", "trunc"]),
    st.sampled_from("abcd"),
    st.sampled_from("abcd"),
)


def _act_out(steps: list[tuple[str, str, str]]) -> None:
    calls: dict[str, Any] = {
        "write": _write,
        "cut": lambda a, _: os.truncate(a, 2),
        "unlink": lambda a, _: os.unlink(a),
        "rename": os.rename,
        "link": os.link,
        "mkdir": lambda a, _: os.mkdir(a),
        "ack": lambda a, _: os.mkdir(f".ack:{a}"),
        "trunc": lambda a, _: os.close(os.open(a, os.O_WRONLY | os.O_TRUNC)),
    }
    for what, one, other in steps:
        try:
            calls[what](one, other)
        except OSError:
            continue


def _write(name: str, data: str) -> None:
    with open(name, "ab") as file:
        file.write(data.encode() * 3)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(st.sampled_from("abc"), st.binary(max_size=9), max_size=3),
    st.lists(STEP, max_size=12),
)
def test_start_and_journal_make_the_directory_as_it_is(
    tmp_path_factory: pytest.TempPathFactory,
    guard: Guard,
    files: dict[str, bytes],
    steps: list[tuple[str, str, str]],
) -> None:
    base = tmp_path_factory.mktemp("any")
    for name in ("src", "mnt", "again"):
        (base / name).mkdir()
    for name, data in files.items():
        (base / "src" / name).write_bytes(data)
    mount = Mount(base / "src", base / "mnt", base / "rec", guard, "--payload")
    act(mount.mountpoint, _act_out, steps)
    mount.end()
    assert contents(base / "rec") == files
    assert replayed(base / "rec", base / "src", base / "again") == []


def _write_at_once() -> None:
    def write(number: int) -> None:
        fd = os.open("big", os.O_RDWR)
        os.pwrite(fd, bytes([number]) * 4096, number * 4096)
        os.close(fd)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_nobody_writes_while_a_file_is_being_kept(places: Path, guard: Guard) -> None:
    mount = Mount(places / "src", places / "mnt", places / "rec", guard, "--payload")
    act(mount.mountpoint, _write_at_once)
    mount.end()
    assert contents(places / "rec")["big"] == get(str(places / "before/big"))
    assert len(journal(places / "rec", events.Write)) == 8
