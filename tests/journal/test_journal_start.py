"""The starting tree of a recording: what is written can be read, and nothing else is made up."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from journal_samples import HEADER, unexpected

from tracefs.errors import RecordingError
from tracefs.filecalls import copy_contents
from tracefs.journal.deletion import delete
from tracefs.journal.recordings import list_recordings
from tracefs.journal.start import Entry, Head, StartTree
from tracefs.journal.start_build import build
from tracefs.journal.start_writer import StartWriter
from tracefs.journal.writer import JournalWriter

DATA = bytes(range(256)) * 4


def entry(path: Path, name: str) -> Entry:
    info = path.stat()
    return Entry(
        path=name, ino=info.st_ino, mode=info.st_mode, uid=0, gid=0, nlink=info.st_nlink,
        size=info.st_size, mtime_ns=info.st_mtime_ns,
    )  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = tmp_path / "src"
    made.mkdir()
    (made / "f").write_bytes(DATA)
    return made


def root(source: Path) -> Entry:
    return msgspec.structs.replace(entry(source, "."), size=0)


def written(source: Path, *entries: Entry) -> Path:
    folder = source.parent / "rec"
    folder.mkdir()
    StartWriter(folder, Head(source=str(source)), [root(source), *entries]).close()
    return folder


def read(recording: Path, ino: int) -> bytes:
    with StartTree.open(recording) as tree:
        return tree.read(ino, 0, len(DATA))


def test_every_part_of_a_file_can_be_read(source: Path) -> None:
    file = entry(source / "f", "f")
    with StartTree.open(written(source, file)) as tree:
        assert tree.entries == (root(source), file)
        assert tree.read(file.ino, 0, 5000) == DATA
        assert tree.read(file.ino, 1020, 100) == DATA[1020:]
        assert tree.read(file.ino, 3, 4) == DATA[3:7]
        assert tree.read(file.ino, 1024, 1) == tree.read(file.ino, 9999, 1) == b""
        with pytest.raises(RecordingError, match="no regular file"):
            tree.read(file.ino + 1, 0, 1)
        assert tree.lost() == []


def test_what_was_kept_stands_for_the_file(source: Path) -> None:
    file = entry(source / "f", "f")
    folder = source.parent / "rec"
    folder.mkdir()
    writer = StartWriter(folder, Head(source=str(source)), [root(source), file])
    assert writer.unkept == {file.ino}
    fd = writer.begin(file.ino)
    os.write(fd, DATA)
    os.close(fd)
    (source / "f").write_bytes(b"other")
    # As long as it is not said to be whole, it is not.
    with pytest.raises(RecordingError, match="changed since"):
        read(folder, file.ino)
    writer.kept(file.ino)
    assert writer.unkept == set()
    writer.close()
    (source / "f").unlink()
    assert read(folder, file.ino) == DATA
    (folder / "start" / str(file.ino)).write_bytes(DATA[1:])
    with pytest.raises(RecordingError, match="another size"):
        read(folder, file.ino)


def test_names_outside_the_directory_are_counted(source: Path) -> None:
    (source.parent / "outside").hardlink_to(source / "f")
    (source / "g").write_bytes(DATA)
    (source / "h").hardlink_to(source / "g")
    files = [entry(source / name, name) for name in "fgh"]
    folder = source.parent / "rec"
    folder.mkdir()
    writer = StartWriter(folder, Head(source=str(source)), [root(source), *files])
    assert writer.elsewhere == {files[0].ino}
    writer.close()


def _change_in_place(file: Path) -> None:
    info = file.stat()
    file.write_bytes(DATA[::-1])
    os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns + 1))


def _replace(file: Path) -> None:
    (file.parent / "new").write_bytes(DATA)
    (file.parent / "new").rename(file)


CHANGES: Sequence[Callable[[Path], object]] = (
    Path.unlink,
    _change_in_place,
    lambda file: os.truncate(file, 5),
    _replace,
)


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_is_not_as_it_was_is_refused(
    source: Path, change: Callable[[Path], object]
) -> None:
    file = entry(source / "f", "f")
    recording = written(source, file)
    change(source / "f")
    with pytest.raises(RecordingError, match=r"not there any more|changed since") as caught:
        read(recording, file.ino)
    assert caught.value.repair is not None


def test_a_change_while_it_is_read_is_noticed(source: Path) -> None:
    file = entry(source / "f", "f")
    with StartTree.open(written(source, file)) as tree:
        assert tree.read(file.ino, 0, 4) == DATA[:4]
        _change_in_place(source / "f")
        with pytest.raises(RecordingError, match="changed since"):
            tree.read(file.ino, 0, 4)


def test_another_name_is_found(source: Path) -> None:
    file = entry(source / "f", "f")
    recording = written(source, file)
    (source / "d").mkdir()
    (source / "f").rename(source / "d" / "g")
    (source / "f").write_bytes(b"another")
    assert read(recording, file.ino) == DATA


@pytest.mark.parametrize("name", ["../out/f", "/etc/hostname", "d//f", "./f", "link/f", ""])
def test_nothing_outside_the_directory_is_read(source: Path, name: str) -> None:
    out = source.parent / "out"
    out.mkdir()
    (out / "f").write_bytes(DATA)
    (source / "link").symlink_to(out)
    (source / "d").mkdir()
    file = entry(out / "f", name)
    with pytest.raises(RecordingError, match=r"is no path|not there any more"):
        read(written(source, file), file.ino)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "cut off"),
        (b'{"type":"start","version":1,"source":"/"}\n', "doesn't begin with the directory"),
        (b'{"type":"start","version":2,"source":"/"}\n{}\n', "version that can't be read"),
        (b'{"type":"header","version":1,"source":"/"}\n', "can't be read"),
        (b'{"type":"start","version":1,"source":"/"}\n{"path":"."', "cut off"),
        (b'{"type":"start","version":1,"source":"/"}\n{"path":5}\n', "can't be read"),
        (b"\xff\n", "can't be read"),
    ],
)
def test_lines_that_make_no_tree_are_refused(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "start.jsonl").write_bytes(text)
    with pytest.raises(RecordingError, match=said):
        StartTree.open(tmp_path)


def test_many_files_are_read_with_few_descriptors(source: Path) -> None:
    names = [f"n{number}" for number in range(200)]
    for name in names:
        (source / name).write_bytes(name.encode())
    files = [entry(source / name, name) for name in names]
    before = len(os.listdir("/proc/self/fd"))
    with StartTree.open(written(source, *files)) as tree:
        for one in (*files, *files[::-1]):
            assert tree.read(one.ino, 0, 9) == one.path.encode()
        assert len(os.listdir("/proc/self/fd")) <= before + 64
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_directory_that_cannot_be_looked_at_is_no_recording(source: Path) -> None:
    folder = source.parent / "base" / "a.trace"
    folder.parent.mkdir()

    def fails() -> tuple[Head, list[Entry]]:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(RecordingError, match="Permission denied"):
        JournalWriter(folder, HEADER, payload=True, walk=fails, on_failure=unexpected)
    assert not folder.exists()


def test_it_is_counted_and_deleted_with_its_recording(source: Path) -> None:
    file = entry(source / "f", "f")
    folder = source.parent / "base" / "a.trace"
    folder.parent.mkdir()
    head = Head(source=str(source))
    writer = JournalWriter(
        folder, HEADER, payload=True, walk=lambda: (head, [root(source), file]),
        on_failure=unexpected,
    )  # fmt: skip
    fd = writer.keep_begin(file.ino)
    assert fd is not None
    os.write(fd, DATA)
    os.close(fd)
    writer.keep_end(file.ino, None)
    writer.close(1, "unmounted")
    (listed,) = list_recordings(folder.parent)
    names = ("journal.jsonl", "start.jsonl", f"start/{file.ino}")
    assert listed.size == sum((folder / name).stat().st_size for name in names)
    assert delete(folder)
    assert list(folder.parent.iterdir()) == []


def test_what_cannot_be_kept_ends_the_recording(source: Path) -> None:
    file = entry(source / "f", "f")
    reasons: list[str] = []
    writer = JournalWriter(
        source.parent / "rec", HEADER, payload=True,
        walk=lambda: (Head(source=str(source)), [root(source), file]), on_failure=reasons.append,
    )  # fmt: skip
    writer.keep_end(file.ino, OSError(28, "No space left on device"))
    assert reasons == [f"start/{file.ino}: No space left on device"]
    assert writer.start is None
    assert writer.keep_begin(file.ino) is None
    writer.close(1, "unmounted")
    assert b'"footer"' not in (source.parent / "rec" / "journal.jsonl").read_bytes()


def test_holes_stay_holes(tmp_path: Path) -> None:
    with open(tmp_path / "from", "w+b") as one, open(tmp_path / "to", "w+b") as other:
        one.truncate(1 << 30)
        os.pwrite(one.fileno(), b"data", 1 << 29)
        copy_contents(one.fileno(), other.fileno())
        assert os.fstat(other.fileno()).st_size == 1 << 30
        assert os.pread(other.fileno(), 6, (1 << 29) - 1) == b"\0data\0"
        assert os.fstat(other.fileno()).st_blocks <= 512


@pytest.mark.parametrize(
    ("euid", "made"), [(0, ["security.capability", "user.a"]), (1000, ["user.a"])], ids=str
)
def test_only_root_is_asked_to_make_attributes_that_need_a_privilege(
    source: Path, monkeypatch: pytest.MonkeyPatch, euid: int, made: list[str]
) -> None:
    plain = entry(source / "f", "f")
    file = msgspec.structs.replace(
        plain, uid=os.getuid(), gid=os.getgid(),
        xattrs=(("security.capability", b"c"), ("user.a", b"u")),
    )  # fmt: skip
    again = source.parent / "again"
    again.mkdir()
    asked: list[bytes] = []
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    monkeypatch.setattr(os, "chown", lambda *_, **__: None)
    monkeypatch.setattr(os, "setxattr", lambda _, name, *__, **___: asked.append(name))
    with StartTree.open(written(source, file)) as tree:
        build(tree, again)
    assert [os.fsdecode(name) for name in asked] == made
    assert (again / "f").read_bytes() == DATA
