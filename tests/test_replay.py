"""What replay does with events that a program hardly makes; whole trees: the suite ``twins``."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from tracefs import events
from tracefs.errors import RecordingError
from tracefs.events import AnyEvent
from tracefs.replay import Replay

Apply = Callable[..., None]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    made = tmp_path / "tree"
    made.mkdir()
    return made


@pytest.fixture
def apply(tmp_path: Path, tree: Path) -> Apply:
    (tmp_path / "payload.bin").write_bytes(b"0123456789")

    def run(*told: AnyEvent) -> None:
        before = len(os.listdir("/proc/self/fd"))
        try:
            with Replay(tree, tmp_path) as replay:
                replay.run(told)
        finally:
            assert len(os.listdir("/proc/self/fd")) == before, "a descriptor was left open"

    return run


def create(path: str, ino: int, fh: int, mode: int = 0o644) -> events.Create:
    return events.Create(
        start_ns=0, end_ns=0, tid=1, path=path, ino=ino, fh=fh, flags=os.O_WRONLY, mode=mode
    )


def write(fh: int, payload: int | None, *, size: int = 2, failed: int = 0) -> events.Write:
    return events.Write(
        start_ns=0, end_ns=0, tid=1, ino=7, fh=fh, offset=1, size=size, errno=failed,
        result=0 if failed else size, payload=payload, left_mode=0o755 if failed else None,
    )  # fmt: skip


def unlink(path: str, ino: int) -> events.Unlink:
    return events.Unlink(start_ns=0, end_ns=0, tid=1, path=path, ino=ino)


def link(old: str, path: str, ino: int) -> events.Link:
    return events.Link(start_ns=0, end_ns=0, tid=1, old=old, path=path, ino=ino)


def release(fh: int) -> events.Release:
    return events.Release(start_ns=0, end_ns=0, tid=0, ino=7, fh=fh)


def chmod(path: str, ino: int) -> events.Setattr:
    return events.Setattr(start_ns=0, end_ns=0, tid=1, path=path, ino=ino, mode=0o600)


def contents(tree: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in tree.iterdir()}


def test_a_file_without_a_name_is_another_than_who_has_the_name_now(
    apply: Apply, tree: Path
) -> None:
    apply(
        create("a", 7, 1),
        unlink("a", 7),
        create("a", 8, 2),
        write(1, 0),
        write(2, 4),
        chmod("a", 7),
        link("a", "b", 8),
    )
    assert contents(tree) == {"a": b"\x0045", "b": b"\x0045"}
    assert stat.S_IMODE((tree / "a").stat().st_mode) == 0o644


def test_a_number_is_given_again(apply: Apply, tree: Path) -> None:
    apply(
        create("a", 7, 1),
        unlink("a", 7),
        release(1),
        chmod("a", 7),  # through a descriptor that no event tells of
        create("b", 7, 2),
        write(2, 0),
        chmod("b", 7),
    )
    assert contents(tree) == {"b": b"\x0001"}
    assert stat.S_IMODE((tree / "b").stat().st_mode) == 0o600


def test_what_was_there_before_is_found_by_name(apply: Apply, tree: Path) -> None:
    (tree / "old").write_bytes(b"abc")
    (tree / "d").mkdir()
    moved = events.Rename(start_ns=0, end_ns=0, tid=1, old="old", path="d/new", ino=7)
    apply(moved, chmod("old", 7), chmod(".", 5))
    assert (tree / "d/new").read_bytes() == b"abc"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tree / "d/new", tree)] == [0o600] * 2


def test_set_id_bits_go_though_the_write_fails(apply: Apply, tree: Path) -> None:
    apply(create("a", 7, 1, 0o4755), write(1, None, failed=28))
    assert stat.S_IMODE((tree / "a").stat().st_mode) == 0o755
    assert contents(tree) == {"a": b""}


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/x", "out/x", "out/d/x", ".", "", "a//x"])
def test_nothing_outside_is_touched(apply: Apply, tree: Path, path: str) -> None:
    outside = tree.parent / "outside"
    (outside / "d").mkdir(parents=True)
    (tree / "a").mkdir()
    (tree / "out").symlink_to(outside)
    with pytest.raises(RecordingError):
        apply(create(path, 7, 1))
    assert sorted(tree.parent.rglob("x")) == []


def test_a_link_at_the_end_is_not_followed(apply: Apply, tree: Path) -> None:
    outside = tree.parent / "outside"
    outside.write_bytes(b"abc")
    (tree / "out").symlink_to(outside)
    opened = events.Open(
        start_ns=0, end_ns=0, tid=1, path="out", ino=7, fh=1, flags=os.O_WRONLY | os.O_TRUNC
    )
    with pytest.raises(RecordingError):
        apply(opened)
    assert outside.read_bytes() == b"abc"


def test_ranges_and_files_without_a_name(apply: Apply, tree: Path) -> None:
    common = {"start_ns": 0, "end_ns": 0, "tid": 1}
    nameless = events.Create(
        start_ns=0, end_ns=0, tid=1, path="#9", ino=9, fh=2, mode=0o600, uid=os.geteuid(),
        gid=os.getegid(), flags=os.O_RDWR | os.O_TMPFILE,
    )  # fmt: skip
    copy = msgspec.convert(
        {"type": "copy", **common, "ino": 9, "fh": 2, "offset": 1, "size": 50, "result": 2}
        | {"from_ino": 7, "from_fh": 1, "from_offset": 1},
        events.Copy,
    )
    allocate = msgspec.convert(
        {"type": "fallocate", **common, "ino": 9, "fh": 2, "mode": 0, "offset": 0, "size": 4},
        events.Fallocate,
    )
    apply(create("a", 7, 1), write(1, 0), nameless, copy, allocate, link("#9", "b", 9))
    assert contents(tree) == {"a": b"\x0001", "b": b"\x0001\x00"}


def test_what_was_only_said_to_be_done_is_not_done(apply: Apply, tree: Path) -> None:
    feigned = (events.Injected(rule="write:retval=2", kind="retval"),)
    apply(create("a", 7, 1), msgspec.structs.replace(write(1, None), injected=feigned))
    assert contents(tree) == {"a": b""}


def fallen(payload: int | None) -> events.Fallen:
    return events.Fallen(
        start_ns=0, end_ns=0, tid=0, path="a", ino=7, offset=1, size=2, payload=payload,
        rule="fsync:error=EIO:mode=ext4-ordered",
    )  # fmt: skip


def test_bytes_fall_back_to_what_a_failed_sync_had_left(apply: Apply, tree: Path) -> None:
    apply(create("a", 7, 1), write(1, 0), fallen(5))
    assert contents(tree) == {"a": b"\x0056"}


def test_bytes_that_fell_back_to_what_was_not_kept(apply: Apply) -> None:
    with pytest.raises(RecordingError, match="bytes to replay are missing"):
        apply(create("a", 7, 1), write(1, 0), fallen(None))


@pytest.mark.parametrize("payload", [None, 9, 1 << 40])
def test_bytes_that_were_not_kept(apply: Apply, payload: int | None) -> None:
    missing = (
        "bytes to replay are missing" if payload is None else "payload.bin ends before the byte"
    )
    with pytest.raises(RecordingError, match=missing):
        apply(create("a", 7, 1), write(1, payload))


def test_a_recording_without_bytes(tree: Path) -> None:
    with pytest.raises(RecordingError, match="has no bytes to replay"):
        Replay(tree, tree)


def test_a_kind_that_is_not_known_is_refused(apply: Apply) -> None:
    class Later(events.Event, frozen=True, tag="later"):
        pass

    with pytest.raises(RecordingError, match="a Later cannot be replayed yet"):
        apply(Later(start_ns=0, end_ns=0, tid=1))


@pytest.mark.parametrize("kind", get_args(AnyEvent))
def test_every_kind_is_replayed_or_has_no_effect(apply: Apply, kind: type[AnyEvent]) -> None:
    values = {int: 1, str: "x", bool: False, events.Sighting: {}, tuple[str, ...]: ()}
    required = [field for field in msgspec.structs.fields(kind) if field.required]
    told = msgspec.convert(
        {"type": kind.__struct_config__.tag} | {one.name: values[one.type] for one in required},
        kind,
    )
    said = ""
    try:
        apply(told)
    except RecordingError as error:
        said = str(error)
    # Most find nothing, since the directory is empty.
    assert "cannot be replayed yet" not in said


def test_a_temporary_file_that_gets_a_name(tree: Path, apply: Apply) -> None:
    made = events.Create(
        start_ns=0, end_ns=0, tid=1, path="#7", ino=7, fh=1, flags=os.O_TMPFILE | os.O_RDWR,
        mode=0o640,
    )  # fmt: skip
    apply(made, write(1, 3), link("#7", "named", 7))
    assert (tree / "named").read_bytes() == b"\0" + b"34"
    assert stat.S_IMODE((tree / "named").stat().st_mode) == 0o640


def test_copies_and_allocations(tree: Path, apply: Apply) -> None:
    copied = events.Copy(
        start_ns=0, end_ns=0, tid=1, ino=8, fh=2, offset=4, size=9, result=2, from_ino=7,
        from_fh=1, from_offset=1,
    )  # fmt: skip
    grown = events.Fallocate(start_ns=0, end_ns=0, tid=1, ino=7, fh=1, mode=0, offset=0, size=100)
    apply(create("a", 7, 1), create("b", 8, 2), write(1, 3), copied, grown)
    assert (tree / "b").read_bytes() == bytes(4) + b"34"
    assert (tree / "a").stat().st_size == 100
