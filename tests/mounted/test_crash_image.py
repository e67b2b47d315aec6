"""The model's state with nothing lost is the directory as it was, at every moment of a run."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracefs import record
from tracefs.crash.materialise import make
from tracefs.crash.recorded import Bytes
from tracefs.crash.removal import remove
from tracefs.crash.store import Pages, Store
from tracefs.events import AnyEvent
from tracefs.filecalls import fallocate
from tracefs.journal.payload import PayloadReader
from tracefs.journal.reader import JournalReader
from tracefs.journal.start import StartTree
from tracefs.journal.start_build import build as build_start
from tracefs.persistence.building import build
from tracefs.persistence.resolve import Resolver
from tracefs.persistence.states import State
from tracefs.replay import Replay

NAMES = st.sampled_from(["a", "b", "d/a", "d/b"])
PLACES = st.integers(0, 3 * 4096)
SIZES = st.integers(1, 9000)

Change = Callable[[Path], None]


def _written(name: str, place: int, size: int, flags: int) -> Change:
    def change(top: Path) -> None:
        fd = os.open(top / name, os.O_RDWR | os.O_CREAT | flags, 0o640)
        os.pwrite(fd, bytes([size % 251 + 1]) * size, place)
        os.close(fd)

    return change


def _allocated(name: str, place: int, size: int, mode: int) -> Change:
    def change(top: Path) -> None:
        fd = os.open(top / name, os.O_RDWR)
        try:
            fallocate(fd, mode, place, size)
        finally:
            os.close(fd)

    return change


def _orphan_written(name: str, size: int) -> Change:
    def change(top: Path) -> None:
        fd = os.open(top / name, os.O_RDWR)
        os.unlink(top / name)
        os.write(fd, b"o" * size)
        os.close(fd)

    return change


def _synced(name: str) -> Change:
    def change(top: Path) -> None:
        fd = os.open(top / name, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)

    return change


CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(_written, NAMES, PLACES, SIZES, st.sampled_from([0, 0, 0, os.O_TRUNC, os.O_APPEND])),
    st.builds(lambda name, size: lambda top: os.truncate(top / name, size), NAMES, PLACES),
    st.builds(_allocated, NAMES, PLACES, SIZES, st.sampled_from([0, 1, 3, 0x10, 0x11])),
    st.builds(lambda old, new: lambda top: os.rename(top / old, top / new), NAMES, NAMES),
    st.builds(lambda old, new: lambda top: os.link(top / old, top / new), NAMES, NAMES),
    st.builds(lambda name: lambda top: os.unlink(top / name), NAMES),
    st.builds(_orphan_written, NAMES, SIZES),
    st.builds(
        lambda name, mode: lambda top: os.chmod(top / name, mode), NAMES, st.integers(0, 511)
    ),
    st.builds(lambda name: lambda top: os.symlink("some\udcffwhere", top / name), NAMES),
    st.builds(lambda name: lambda top: os.setxattr(top / name, "user.x", name.encode()), NAMES),
    st.builds(_synced, NAMES),
)


def _seen(top: Path) -> dict[str, tuple[object, ...]]:
    """Return what a checker can see, but times."""
    found: dict[str, tuple[object, ...]] = {}
    inodes: dict[int, int] = {}
    for path in sorted(top.rglob("*")):
        info = path.lstat()
        held: object = None
        xattrs = {}
        if stat.S_ISREG(info.st_mode):
            held = path.read_bytes()
            xattrs = {name: os.getxattr(path, name) for name in os.listxattr(path)}
        elif stat.S_ISLNK(info.st_mode):
            held = os.readlink(path)
        number = inodes.setdefault(info.st_ino, len(inodes))
        found[str(path.relative_to(top))] = (info.st_mode, number, held, xattrs)
    return found


@contextmanager
def _place(base: Path) -> Iterator[Path]:
    folder = tempfile.mkdtemp(dir=base)
    try:
        yield Path(folder)
    finally:
        remove(folder)


def _prepare(top: Path) -> None:
    (top / "d").mkdir(parents=True)
    (top / "a").write_bytes(b"first" * 2000)
    (top / "d/b").write_bytes(b"other")


def _replayed(recording: Path, events: list[AnyEvent], into: Path) -> dict[str, tuple[object, ...]]:
    into.mkdir()
    with StartTree.open(recording) as tree:
        build_start(tree, into)
    with Replay(into, recording) as replay:
        replay.run(events)
    return _seen(into)


def _imaged(recording: Path, events: list[AnyEvent], into: Path) -> dict[str, tuple[object, ...]]:
    payload = PayloadReader(recording)
    with StartTree.open(recording) as tree, Pages(f"{into}.pages") as pages:
        history = build(tree.entries, events, lambda _: None)
        resolver = Resolver(history, Bytes(payload, tree), pages.add)
        everything = State(len(history.steps), (1 << len(history.atoms)) - 1)
        store = Store(pages.name, recording, StartTree.open)
        make(resolver.image(everything), store, os.fspath(into))
        store.close()
    payload.close()
    return _seen(into)


@given(changes=st.lists(CHANGES, min_size=5, max_size=25))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nothing_lost_is_what_was_there(tmp_path: Path, changes: list[Change]) -> None:
    with _place(tmp_path) as place:
        _prepare(place / "top")
        with record(place / "top", keep=place / "r.trace", payload=True) as recorded:
            for change in changes:
                try:
                    change(recorded.directory)
                except OSError:
                    continue
            there = _seen(recorded.directory)
        with JournalReader(place / "r.trace") as journal:
            events = list(journal.events())
        assert _imaged(place / "r.trace", events, place / "image") == there
        for stop in range(0, len(events), 7):
            then = _replayed(place / "r.trace", events[:stop], place / f"replayed{stop}")
            assert _imaged(place / "r.trace", events[:stop], place / f"image{stop}") == then
