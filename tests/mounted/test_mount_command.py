"""``tracefs mount`` and ``tracefs umount``: beginning, end, and what is refused."""

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mounted_support import PATIENCE_S, TRACEFS, Guard, Mount, act, journal

from tracefs.events import Create
from tracefs.journal.reader import JournalReader

Places = tuple[Path, Path, Path]


def _tracefs(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TRACEFS, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def _touch() -> None:
    Path("file").touch()


def _is_mounted(directory: Path) -> bool:
    return f" {directory} " in Path("/proc/self/mountinfo").read_text()


@pytest.fixture
def places(tmp_path: Path, guard: Guard) -> Places:
    source, mountpoint = tmp_path / "src", tmp_path / "mnt"
    source.mkdir()
    mountpoint.mkdir()
    guard.watch(mountpoint)
    return source, mountpoint, tmp_path / "rec"


@pytest.fixture
def doomed(places: Places, guard: Guard) -> Iterator[Mount]:
    """A mount whose processes the test kills."""
    mount = Mount(*places, guard)
    yield mount
    mount.abandon()
    if mount.process.stdout is not None and not mount.process.stdout.closed:
        mount.process.communicate()


def test_background_returns_when_ready_and_umount_ends_it(
    places: Places,
) -> None:
    source, mountpoint, recording = places

    started = _tracefs("mount", "--background", "-o", recording, source, mountpoint)

    assert started.returncode == 0, started.stderr
    act(mountpoint, _touch)
    ended = _tracefs("umount", mountpoint)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not _is_mounted(mountpoint)
    with JournalReader(recording, follow=True) as reader:
        assert [e.path for e in reader.events() if isinstance(e, Create)] == ["file"]
        assert reader.ending.complete


def test_interrupt_ends_a_mount_in_the_foreground(mounted: Mount) -> None:
    act(mounted.mountpoint, _touch)

    mounted.process.send_signal(signal.SIGINT)

    assert mounted.process.wait(PATIENCE_S) == 0
    assert not _is_mounted(mounted.mountpoint)
    assert [event.path for event in journal(mounted.recording, Create)] == ["file"]


def test_busy_mount_stays_until_it_is_free(places: Places) -> None:
    source, mountpoint, recording = places
    _tracefs("mount", "--background", "-o", recording, source, mountpoint)
    user = subprocess.Popen(["cat"], cwd=mountpoint, stdin=subprocess.PIPE)

    refused = _tracefs("umount", mountpoint)
    user.communicate()
    ended = _tracefs("umount", mountpoint)

    assert refused.returncode == 3
    assert "busy" in refused.stderr
    assert ended.returncode == 0


def test_a_copy_of_the_mount_in_another_namespace_does_not_keep_it(
    mounted: Mount, as_root: None
) -> None:
    with subprocess.Popen(
        ["unshare", "-m", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as elsewhere:
        assert elsewhere.stdin is not None
        assert elsewhere.stdout is not None
        elsewhere.stdin.write(b"x")
        assert elsewhere.stdout.read(1) == b"x"  # it has its namespace
        mounted.end()
        elsewhere.stdin.close()
    with JournalReader(mounted.recording) as reader:
        assert list(reader.events()) == []
        assert reader.ending.footer is not None
        assert reader.ending.footer.reason == "terminated"


def test_force_ends_a_busy_mount(places: Places) -> None:
    source, mountpoint, recording = places
    _tracefs("mount", "--background", "-o", recording, source, mountpoint)
    with subprocess.Popen(["cat"], cwd=mountpoint, stdin=subprocess.PIPE) as user:
        ended = _tracefs("umount", "--force", mountpoint)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert not _is_mounted(mountpoint)
        user.communicate()


def test_killed_server_leaves_no_mount(doomed: Mount) -> None:
    os.kill(doomed.server, signal.SIGKILL)

    _, said = doomed.process.communicate(timeout=PATIENCE_S)

    assert doomed.process.returncode == 3
    assert "the server ended unexpectedly (signal 9)" in said
    _await_unmounted(doomed.mountpoint)


def test_killed_front_end_ends_mount_and_recording(doomed: Mount) -> None:
    act(doomed.mountpoint, _touch)

    doomed.process.kill()

    with JournalReader(doomed.recording, follow=True) as reader:
        assert [e.path for e in reader.events() if isinstance(e, Create)] == ["file"]
        assert reader.ending.complete
    _await_unmounted(doomed.mountpoint)


def test_terminated_server_ends_mount_and_recording(doomed: Mount) -> None:
    act(doomed.mountpoint, _touch)

    os.kill(doomed.server, signal.SIGTERM)

    assert doomed.process.wait(PATIENCE_S) == 0
    with JournalReader(doomed.recording) as reader:
        assert [e.path for e in reader.events() if isinstance(e, Create)] == ["file"]
        assert reader.ending.complete
    _await_unmounted(doomed.mountpoint)


@pytest.mark.parametrize(
    ("source", "mountpoint", "words"),
    [
        ("none", "mnt", "no such directory"),
        ("src/file", "mnt", "not a directory"),
        ("src", "none", "no such directory"),
        ("src", "src/file", "not a directory"),
        ("src", "full", "not empty"),
    ],
)
def test_places_that_cannot_be_mounted(
    tmp_path: Path, source: str, mountpoint: str, words: str
) -> None:
    for name in ("src", "mnt", "full"):
        (tmp_path / name).mkdir()
    (tmp_path / "src" / "file").touch()
    (tmp_path / "full" / "file").touch()

    done = _tracefs("mount", "-o", tmp_path / "r", tmp_path / source, tmp_path / mountpoint)

    assert done.returncode == 3
    assert words in done.stderr
    assert not (tmp_path / "r").exists()


def test_mount_point_that_is_taken(mounted: Mount, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()

    done = _tracefs("mount", "-o", tmp_path / "r", tmp_path / "other", mounted.mountpoint)

    assert done.returncode == 3
    assert "a tracefs is mounted there already" in done.stderr


def test_umount_of_what_is_not_mounted(tmp_path: Path) -> None:
    done = _tracefs("umount", tmp_path)

    assert (done.returncode, done.stderr) == (
        3,
        f"tracefs: {tmp_path}: no tracefs is mounted there\n",
    )


def _await_unmounted(directory: Path) -> None:
    """The helper unmounts when the server's socket closes; poll(2) on mountinfo tells."""
    with open("/proc/self/mountinfo") as mounts:
        poller = select.poll()
        poller.register(mounts, select.POLLERR | select.POLLPRI)
        while f" {directory} " in mounts.read():
            assert poller.poll(PATIENCE_S * 1000), "still mounted"
            mounts.seek(0)
