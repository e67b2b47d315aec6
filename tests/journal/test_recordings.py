import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_samples import HEADER, PAGE_WRITE, record, unexpected

from tracefs.errors import RecordingError
from tracefs.journal.deletion import delete
from tracefs.journal.recordings import (
    is_inside,
    latest,
    list_recordings,
    new_folder,
    prune,
    resolve,
    state_dir,
)
from tracefs.journal.writer import JournalWriter

WHEN = datetime(2026, 11, 23, 20, 49, 10, tzinfo=UTC)


def made(base: Path, name: str, minutes: int = 0) -> Path:
    """A finished recording that began so many minutes after WHEN."""
    started = (WHEN + timedelta(minutes=minutes)).isoformat()
    header = msgspec.structs.replace(HEADER, started=started)
    record(base / f"{name}.trace", PAGE_WRITE, header=header)
    return base / f"{name}.trace"


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"XDG_STATE_HOME": "/var/state", "HOME": "/home/ada"}, "/var/state/tracefs"),
        ({"HOME": "/home/ada"}, "/home/ada/.local/state/tracefs"),
        ({"XDG_STATE_HOME": "", "HOME": "/home/ada"}, "/home/ada/.local/state/tracefs"),
        ({"XDG_STATE_HOME": "state", "HOME": "/home/ada"}, "/home/ada/.local/state/tracefs"),
    ],
)
def test_recordings_live_where_xdg_says(env: dict[str, str], expected: str) -> None:
    assert state_dir(env) == Path(expected)


def test_without_a_home_the_account_decides() -> None:
    assert state_dir({"HOME": "here"}).is_absolute()


def test_a_recording_is_named_by_command_and_time(tmp_path: Path) -> None:
    folder = new_folder("pagealloc", WHEN, tmp_path / "state" / "tracefs")
    assert folder.name == "pagealloc-20261123-204910.trace"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("command", "stem"),
    [
        ("/usr/bin/python3.11", "python3.11"),
        ("./build/", "build"),
        ("..", "recording"),
        ("", "recording"),
        ("-rf", "rf"),
        (".hidden", "hidden"),
        ("a b\nc\x1b", "a_b_c"),
        ("ol\udce9", "ol"),
        ("x" * 300, "x" * 64),
    ],
)
def test_a_strange_command_gives_a_plain_name(tmp_path: Path, command: str, stem: str) -> None:
    assert new_folder(command, WHEN, tmp_path).name == f"{stem}-20261123-204910.trace"


@given(st.binary(max_size=300).map(os.fsdecode))
def test_no_command_name_leaves_the_state_directory(command: str) -> None:
    base = Path("/dev/shm") / f"tracefs-names-{os.getpid()}"
    folder = new_folder(command, WHEN, base)
    assert folder.parent == base
    assert folder.name.isascii()
    assert folder.name.isprintable()
    folder.rmdir()
    base.rmdir()


def test_starts_in_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        folders = list(pool.map(lambda _: new_folder("cmd", WHEN, tmp_path), range(16)))
    assert len(set(folders)) == 16
    assert all(folder.is_dir() for folder in folders)


def test_the_writer_takes_the_folder_that_was_made(tmp_path: Path) -> None:
    folder = new_folder("cmd", WHEN, tmp_path)
    record(folder, PAGE_WRITE)
    assert latest(tmp_path) == folder


def test_a_state_directory_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match=r"cannot make a recording in .*: Not a directory"):
        new_folder("cmd", WHEN, tmp_path / "file" / "tracefs")


def test_they_are_listed_by_start_newest_last(tmp_path: Path) -> None:
    for name, minutes in (("b", 5), ("a", 9), ("c", 1)):
        made(tmp_path, name, minutes)
    listed = list_recordings(tmp_path)
    assert [recording.path.name for recording in listed] == ["c.trace", "b.trace", "a.trace"]
    assert [recording.header is not None for recording in listed] == [True] * 3
    assert listed[0].size == (tmp_path / "c.trace" / "journal.jsonl").stat().st_size
    assert listed[0].started == WHEN + timedelta(minutes=1)
    assert not any(recording.running for recording in listed)


def test_two_of_one_second_are_told_apart_by_the_clock(tmp_path: Path) -> None:
    for name, start_ns in (("cmd", 1), ("cmd-2", 2), ("cmd-3", 3)):
        header = msgspec.structs.replace(HEADER, start_ns=start_ns)
        record(tmp_path / f"{name}.trace", (), header=header)
    names = [recording.path.stem for recording in list_recordings(tmp_path)]
    assert names == ["cmd", "cmd-2", "cmd-3"]


def test_a_broken_recording_is_listed_with_its_problem(tmp_path: Path) -> None:
    (tmp_path / "bad.trace").mkdir()
    (tmp_path / "bad.trace" / "journal.jsonl").write_bytes(b"\0\xff\n")
    os.utime(tmp_path / "bad.trace" / "journal.jsonl", (1, 1))
    made(tmp_path, "good")
    bad, good = list_recordings(tmp_path)
    assert bad.header is None
    assert "binary data" in str(bad.problem)
    assert bad.started == datetime.fromtimestamp(1, UTC)
    assert good.problem is None


def test_a_start_that_is_no_time_does_not_hide_the_recording(tmp_path: Path) -> None:
    for name, started in (("a", "yesterday"), ("b", "2026-11-23T20:49:10")):
        header = msgspec.structs.replace(HEADER, started=started)
        record(tmp_path / f"{name}.trace", (), header=header)
    assert len(list_recordings(tmp_path)) == 2


def test_what_is_no_recording_is_not_listed(tmp_path: Path) -> None:
    record(tmp_path / "elsewhere", PAGE_WRITE)
    (tmp_path / "link.trace").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "empty.trace").mkdir()
    (tmp_path / "file.trace").write_text("")
    (tmp_path / "pipe.trace").mkdir()
    os.mkfifo(tmp_path / "pipe.trace" / "journal.jsonl")
    assert list_recordings(tmp_path) == []
    assert list_recordings(tmp_path / "missing") == []


def test_a_running_recording_is_the_latest(tmp_path: Path) -> None:
    made(tmp_path, "old", -120)
    writer = JournalWriter(tmp_path / "new.trace", HEADER, on_failure=unexpected)
    assert latest(tmp_path) == tmp_path / "new.trace"
    assert list_recordings(tmp_path)[-1].running
    writer.close(end_ns=1, reason="unmounted")
    assert not list_recordings(tmp_path)[-1].running


def test_no_recording_at_all_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"there is no recording in .* yet") as caught:
        latest(tmp_path)
    assert "tracefs run" in str(caught.value.repair)


def test_a_name_means_a_path_or_a_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "state"
    base.mkdir()
    folder = made(base, "one")
    assert resolve(None, base) == folder
    assert resolve("-", base) == "-"
    assert resolve("one", base) == folder
    assert resolve("one.trace", base) == folder
    assert resolve(str(folder / "journal.jsonl"), base) == folder / "journal.jsonl"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one").mkdir()
    assert resolve("one", base) == Path("one")
    for name in ("two", "", "../state/two", "sub/one"):
        with pytest.raises(RecordingError, match="there is no recording"):
            resolve(name, base)


def test_what_may_not_be_looked_at_is_not_said_to_be_missing(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0)
    # Root may look anywhere: look as nobody.
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(RecordingError, match=r"cannot read .*/closed/one: Permission denied"):
            resolve(str(closed / "one"), tmp_path)
    finally:
        if root:
            os.seteuid(0)


def test_prune_keeps_the_newest(tmp_path: Path) -> None:
    folders = [made(tmp_path, name, number) for number, name in enumerate("abcd")]
    (folders[0] / "start").mkdir()
    (folders[0] / "start" / "file").write_text("a starting state")
    assert prune(2, tmp_path) == folders[:2]
    assert sorted(tmp_path.iterdir()) == folders[2:]
    assert prune(2, tmp_path) == []
    assert prune(0, tmp_path) == folders[2:]


def test_prune_never_deletes_a_running_recording(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "old.trace", HEADER, on_failure=unexpected)
    done = made(tmp_path, "done", -120)
    assert prune(0, tmp_path) == [done]
    writer.event(PAGE_WRITE[0])
    writer.close(end_ns=1, reason="unmounted")
    assert prune(0, tmp_path) == [tmp_path / "old.trace"]


RECORDER = """
import sys
from pathlib import Path
from journal_samples import HEADER, unexpected
from tracefs.journal.writer import JournalWriter
writer = JournalWriter(Path(sys.argv[1]), HEADER, on_failure=unexpected)
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_killed_recorder_holds_nothing_back(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", RECORDER, str(tmp_path / "a.trace")]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert prune(0, tmp_path) == []
        child.kill()
    assert prune(0, tmp_path) == [tmp_path / "a.trace"]


def test_prune_deletes_recordings_only(tmp_path: Path) -> None:
    base = tmp_path / "state"
    base.mkdir()
    outside = made(tmp_path, "outside")
    (base / "link.trace").symlink_to(outside)
    (base / "notes").mkdir()
    (base / "notes" / "journal.jsonl").write_text("mine")
    (base / "empty.trace").mkdir()
    (base / "odd.trace").mkdir()
    (base / "odd.trace" / "journal.jsonl").symlink_to(outside / "journal.jsonl")
    before = sorted(base.rglob("*"))
    assert prune(0, base) == []
    assert sorted(base.rglob("*")) == before
    assert (outside / "journal.jsonl").exists()


def test_deletion_itself_refuses_what_is_no_recording(tmp_path: Path) -> None:
    # Between listing and deleting, anybody may have put something else there.
    folder = made(tmp_path, "real")
    (tmp_path / "link.trace").symlink_to(folder)
    (tmp_path / "odd.trace").mkdir()
    (tmp_path / "odd.trace" / "journal.jsonl").symlink_to(folder / "journal.jsonl")
    (tmp_path / "pipe.trace").mkdir()
    os.mkfifo(tmp_path / "pipe.trace" / "journal.jsonl")
    for name in ("link.trace", "odd.trace", "pipe.trace", "missing.trace"):
        assert not delete(tmp_path / name)
    assert (tmp_path / "pipe.trace").exists()
    assert (tmp_path / "odd.trace" / "journal.jsonl").is_symlink()
    assert delete(folder)


def test_prune_follows_no_link_out_of_a_recording(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    base = tmp_path / "state"
    base.mkdir()
    folder = made(base, "a")
    (folder / "link").symlink_to(precious)
    assert prune(0, base) == [folder]
    assert (precious / "file").read_text() == "mine"


def test_a_path_is_inside_by_whatever_name(tmp_path: Path) -> None:
    traced = tmp_path / "traced"
    (traced / "sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(traced)
    for path in (traced, traced / "sub", traced / "new" / "a.trace", tmp_path / "link" / "new"):
        assert is_inside(path, traced)
        assert is_inside(path, tmp_path / "link")
    (traced / "out").symlink_to(tmp_path)
    for path in (tmp_path, tmp_path / "traced2", traced / ".." / "x", traced / "out" / "x"):
        assert not is_inside(path, traced)


def test_a_directory_that_does_not_exist_yet_has_an_inside_too(tmp_path: Path) -> None:
    assert is_inside(tmp_path / "gone" / "a.trace", tmp_path / "gone")
    assert not is_inside(tmp_path / "a.trace", tmp_path / "gone")


def test_a_bind_mount_does_not_hide_that_a_path_is_inside(tmp_path: Path) -> None:
    for name in ("traced/sub", "mount"):
        (tmp_path / name).mkdir(parents=True)
    script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    program = "import sys, pathlib as p; from tracefs.journal.recordings import is_inside\n"
    program += "print(is_inside(p.Path(sys.argv[1]), p.Path(sys.argv[2])))"
    traced = str(tmp_path / "traced")
    mount = str(tmp_path / "mount")
    for_each = (*("unshare", "--mount"), *user, "sh", "-ec", script, "sh", traced, mount)
    command = [*for_each, sys.executable, "-c", program, f"{mount}/sub/new.trace", traced]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.check_output(command, env=environment) == b"True\n"
