"""Who gets into a mount: its owner, and others only where they are let in."""

import os
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mounted_support import NOBODY, PATIENCE_S, TRACEFS, Guard, Run, act, get, outcome, put

pytestmark = pytest.mark.usefixtures("as_root")


@contextmanager
def mounting(base: Path, guard: Guard, *options: str) -> Iterator[Path]:
    """A mount by root, at ``mnt`` in a directory that everybody may search."""
    base.chmod(0o755)
    for name in ("src", "mnt"):
        (base / name).mkdir()
        (base / name).chmod(0o777)
    (base / "src" / "f").write_text("text")
    guard.watch(base / "mnt")
    command = [*TRACEFS, "mount", *options, "-o", str(base / "rec"), "src", "mnt"]
    process = subprocess.Popen(command, cwd=base, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline()
    try:
        yield base
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


def visit() -> list[object]:
    return [
        outcome(os.stat, "mnt/f") if isinstance(outcome(os.stat, "mnt/f"), str) else "seen",
        outcome(os.listdir, "mnt"),
        outcome(get, "mnt/f"),
        outcome(put, "mnt/g"),
        outcome(os.mkdir, "mnt/d"),
        outcome(os.unlink, "mnt/f"),
    ]


def public(tmp_path: Path) -> Path:
    """Others may search all directories on the way to the test's own."""
    for one in (tmp_path, *tmp_path.parents):
        if one.name.startswith("pytest"):
            one.chmod(one.stat().st_mode | stat.S_IXOTH)
    return tmp_path


def test_another_user_stays_outside(tmp_path: Path, guard: Guard) -> None:
    with mounting(public(tmp_path), guard) as base:
        assert set(map(str, act(base, visit, user=NOBODY))) == {"EACCES"}
        assert act(base, visit)[:3] == ["seen", ["f"], b"text"]


def test_another_user_is_let_in(tmp_path: Path, guard: Guard) -> None:
    with mounting(public(tmp_path), guard, "--allow-other") as base:
        assert act(base, visit, user=NOBODY) == ["seen", ["f"], b"text", None, None, None]
    assert (tmp_path / "src" / "g").stat().st_uid == NOBODY


AS_NOBODY = "setpriv --reuid 65534 --regid 65534 --clear-groups cat f"


def test_a_visible_run_lets_nobody_else_in(traced_run: Callable[..., Run], tmp_path: Path) -> None:
    """Not even a program of its own that becomes another user: the mount is for all to see."""
    (public(tmp_path) / "src" / "f").write_text("text")
    run = traced_run(["sh", "-c", f"cat f; {AS_NOBODY}"], "--visible")
    assert (run.stdout, run.returncode != 0) == ("text", True)
    assert "Permission denied" in run.stderr


def test_a_run_of_its_own_lets_its_own_users_in(
    traced_run: Callable[..., Run], tmp_path: Path
) -> None:
    """Nobody outside can see that mount; a database started by root becomes another user."""
    (public(tmp_path) / "src" / "f").write_text("text")
    run = traced_run(["sh", "-c", AS_NOBODY])
    assert (run.stdout, run.returncode) == ("text", 0)


@pytest.mark.parametrize("mask", [0o000, 0o077], ids=oct)
def test_recordings_of_a_mount_are_for_their_owner_alone(
    mask: int, tmp_path: Path, guard: Guard
) -> None:
    before = os.umask(mask)
    try:
        with mounting(tmp_path, guard, "--payload", "--background") as base:
            act(base, visit)
            act(base, unmount)
    finally:
        os.umask(before)
    for path in (tmp_path / "rec").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert (tmp_path / "rec" / "server.log").exists()
    assert stat.S_IMODE((tmp_path / "rec").stat().st_mode) == 0o700


def unmount() -> None:
    subprocess.run([*TRACEFS, "umount", "mnt"], check=True)
