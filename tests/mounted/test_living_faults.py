"""Faults of a living mount, by the process that keeps it."""

import os
from errno import EIO
from pathlib import Path

import pytest
from fault_support import ending
from mounted_support import Guard, act, journal

from tracefs.capture.living import LivingMount, Options
from tracefs.capture.messages import Change
from tracefs.errors import MountError, UsageError
from tracefs.events import Faults, Fsync
from tracefs.faults.spelling import parse
from tracefs.journal.reader import JournalReader

SYNC, SECOND = parse("fsync=EIO"), parse("fsync=EIO:when=2")


@pytest.fixture
def base(tmp_path: Path, guard: Guard) -> Path:
    """Where recordings go; its directory "src" is to be traced."""
    (tmp_path / "src").mkdir()
    guard.watch(tmp_path / "src")
    return tmp_path


def synced(base: Path) -> int:
    """Return the error number of a sync; 0: it succeeds."""
    fd = os.open(base / "src" / "a", os.O_RDWR | os.O_CREAT)
    try:
        os.fsync(fd)
    except OSError as error:
        return error.errno or -1
    finally:
        os.close(fd)
    return 0


def _change_them(base: Path) -> list[object]:
    with LivingMount.start(
        base / "src", base / "src", base / "r0", Options(faults=(SECOND,))
    ) as mount:
        found: list[object] = [synced(base), synced(base), synced(base)]
        found.append([one.outcome for one in mount.rules().rules])
        mount.inject([SYNC])
        found.append(synced(base))
        mount.begin(base / "r1")
        found.append(synced(base))
        mount.inject([SYNC], Change.REMOVE)
        found.append(synced(base))
        found.append(mount.release())
        mount.begin(base / "r2")
        found.append(synced(base))
    try:
        mount.rules()
    except MountError as error:
        found.append("traced no longer" in str(error))
    return found


def test_they_hold_from_recording_to_recording(base: Path) -> None:
    assert act(base, _change_them, base) == [
        0, EIO, 0, ["struck 1 of 3 calls"], EIO, EIO, 0, 0, 0, True,
    ]  # fmt: skip
    for name, rules, changes, syncs in (
        ("r0", (SECOND.text,), [(SYNC.text,)], [0, EIO, 0, EIO]),
        ("r1", (SYNC.text,), [()], [EIO, 0]),
        ("r2", (), [], [0]),
    ):
        with JournalReader(base / name) as reader:
            assert reader.header.faults == rules
        assert [line.rules for line in journal(base / name, Faults)] == changes
        assert [line.errno for line in journal(base / name, Fsync)] == syncs
        assert ending(base / name).complete


def _end_them(base: Path) -> list[int]:
    mount = LivingMount.start(base / "src", base / "src", base / "r0", Options(faults=(SYNC,)))
    fd = os.open(base / "src" / "a", os.O_RDWR | os.O_CREAT)
    found = [synced(base)]
    mount.close()
    os.fsync(fd)  # of a file of the mount, which nothing records any more
    os.close(fd)
    return [*found, synced(base)]


def test_with_the_recording_the_faults_end(base: Path) -> None:
    assert act(base, _end_them, base) == [EIO, 0]


def _record_with_faults(base: Path) -> list[object]:
    from tracefs import record  # noqa: PLC0415  # as its user does

    with record(base / "src", inject=["fsync=EIO:when=2"], keep=base / "r0") as rec:
        found: list[object] = [synced(base), synced(base)]
        with rec.faults.inject(SYNC):
            found.append(synced(base))
        found.append(synced(base))
        rec.faults.clear()
        found.append([(one.rule, one.outcome) for one in rec.faults.injected])
    return found


def test_record_makes_faults(base: Path) -> None:
    assert act(base, _record_with_faults, base) == [
        0, EIO, EIO, 0,
        [(SYNC.text, "struck 1 of 1 call"), (SECOND.text, "struck 1 of 4 calls")],
    ]  # fmt: skip


def _run_with_faults(base: Path) -> list[object]:
    from tracefs import run  # noqa: PLC0415  # as its user does

    words = ["dd", "if=/dev/zero", "of=a", "count=1", "conv=fsync"]
    done = run(words, base / "src", inject=["fsync=EIO", "rename=EIO"], capture_output=True)
    return [done.returncode, done.met, done.struck, str(done.trace.calls(only="sync"))]


def test_run_makes_faults(base: Path) -> None:
    assert act(base, _run_with_faults, base) == [
        1, (1, 0), (1, 0), '[fsync("a", errno="EIO")]',
    ]  # fmt: skip


def test_what_is_no_rule_is_an_error_before_anything_is_mounted(base: Path) -> None:
    from tracefs import record, run  # noqa: PLC0415  # as its user does

    with pytest.raises(UsageError, match="did you mean fsync"):
        record(base / "src", inject=["fsnc=EIO"])
    with pytest.raises(UsageError, match="did you mean EIO"):
        run(["true"], base / "src", inject=["fsync=EOI"])
    with pytest.raises(UsageError, match="rules are a list"):
        run(["true"], base / "src", inject="fsync=EIO")
