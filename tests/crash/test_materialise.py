"""Trees made from images, read back, and taken away."""

import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from crash_samples import Memory, directory, page, regular, tree
from hypothesis import given
from hypothesis import strategies as st

from tracefs.crash.materialise import make
from tracefs.crash.removal import remove
from tracefs.errors import RecordingError
from tracefs.pathtext import to_bytes, to_text
from tracefs.persistence.image import PAGE, Content, Image, Node

PAGES = {number: page(number) for number in range(6)} | {6: bytes(PAGE)}
BASES = {ino: bytes([65 + ino]) * size for ino, size in ((1, 1), (2, PAGE), (3, 3 * PAGE + 7))}
SOURCE = Memory(PAGES, BASES)
NAMES = (
    st.binary(min_size=1, max_size=12)
    .filter(lambda name: not set(name) & set(b"/\0") and name not in {b".", b".."})
    .map(to_text)
)

CONTENTS = st.builds(
    Content,
    size=st.integers(0, 5 * PAGE),
    base=st.sampled_from([0, *BASES]),
    base_limit=st.integers(0, 4 * PAGE),
    pages=st.dictionaries(st.integers(0, 5), st.sampled_from(sorted(PAGES))).map(
        lambda found: tuple(sorted(found.items()))
    ),
)
PERMISSIONS = st.integers(0, 0o7777)
# Without root, the test could not look into directories that their owner may not enter.
ENTERED = PERMISSIONS if os.geteuid() == 0 else PERMISSIONS.map(lambda mode: mode | 0o700)


@st.composite
def images(draw: st.DrawFn) -> Image:
    """Trees with every type of file, links and names that are no text among them."""
    nodes = [(".", directory(1, draw(ENTERED)))]
    folders, files = ["."], list[Node]()
    for ino in range(2, 2 + draw(st.integers(0, 8))):
        above, name = draw(st.sampled_from(folders)), draw(NAMES)
        path = name if above == "." else f"{above}/{name}"
        if any(path == known for known, _ in nodes):
            continue
        kind = draw(st.sampled_from("drrlfsh"))
        mode = draw(PERMISSIONS)
        if kind == "d":
            node = directory(ino, draw(ENTERED))
            folders.append(path)
        elif kind == "l":
            target = draw(NAMES | st.sampled_from(["/", "..", "."]))
            node = Node(ino, stat.S_IFLNK | 0o777, os.geteuid(), os.getegid(), target=target)
        elif kind in "fs":
            special = stat.S_IFIFO if kind == "f" else stat.S_IFSOCK
            node = Node(ino, special | mode, os.geteuid(), os.getegid())
        elif kind == "h" and files:
            node = draw(st.sampled_from(files))
        else:
            node = regular(ino, draw(CONTENTS), mode)
        if kind != "d":
            files.append(node)
        nodes.append((path, node))
    return Image(tuple(nodes))


def expected(content: Content) -> bytes:
    """Return what *content* is, put together byte by byte."""
    data = bytearray(content.size)
    for at, byte in enumerate(BASES.get(content.base, b"")[: content.base_limit]):
        if at < content.size:
            data[at] = byte
    for number, where in content.pages:
        for at, byte in enumerate(PAGES[where], number * PAGE):
            if at < content.size:
                data[at] = byte
    return bytes(data)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("made") / "state")


def at(root: str, path: str) -> bytes:
    return os.path.join(os.fsencode(root), to_bytes(path))


@given(images())
def test_a_tree_is_what_its_image_says(made: str, image: Image) -> None:
    remove(made)
    assert make(image, SOURCE, made) == ()
    found = {b"."}
    for above, folders, names in os.walk(os.fsencode(made)):
        found |= {os.path.relpath(os.path.join(above, name), os.fsencode(made))
                  for name in folders + names}  # fmt: skip
    assert found == {to_bytes(path) for path, _ in image.nodes}
    inodes: dict[int, int] = {}
    for path, node in image.nodes:
        status = os.lstat(at(made, path))
        assert status.st_mode == node.mode
        assert inodes.setdefault(node.ino, status.st_ino) == status.st_ino
        if node.target is not None:
            assert os.readlink(at(made, path)) == to_bytes(node.target)
        if node.content is not None and os.access(at(made, path), os.R_OK):
            with open(at(made, path), "rb") as file:
                assert file.read() == expected(node.content)
    remove(made)
    assert not os.path.lexists(made)


def test_holes_take_no_room(tmp_path: Path) -> None:
    content = Content(1 << 30, pages=((3, 1),))
    make(tree(("f", regular(2, content))), SOURCE, str(tmp_path / "s"))
    status = (tmp_path / "s" / "f").stat()
    assert (status.st_size, status.st_blocks * 512) == (1 << 30, PAGE)


class ByDescriptor(Memory):
    """A large starting file, as a descriptor too."""

    def __init__(self, name: Path) -> None:
        super().__init__(PAGES, {})
        self.file = os.open(name, os.O_RDONLY)

    def descriptor(self, ino: int) -> int | None:
        return self.file if ino == 9 else None


@pytest.mark.parametrize("limit", [(4 << 20) + 5, (8 << 20) + 100, 64 << 20])
@pytest.mark.parametrize("folder", ["here", "elsewhere"])
def test_large_starting_files_are_copied_by_the_kernel_with_their_holes(
    tmp_path: Path, limit: int, folder: str, request: pytest.FixtureRequest
) -> None:
    name = tmp_path / "base"
    with open(name, "wb") as file:
        file.write(b"a" * (1 << 20))
        file.seek(4 << 20)
        file.write(b"b" * 100)
        file.truncate(9 << 20)
        file.seek(8 << 20)
        file.write(b"c" * 200)
        file.truncate(16 << 20)
    source = ByDescriptor(name)
    state = tmp_path / "s"
    if folder == "elsewhere":  # most likely another filesystem
        state = Path(f"/dev/shm/test-{os.getpid()}")
        request.addfinalizer(lambda: remove(str(state)))
    size = 12 << 20
    content = Content(size, base=9, base_limit=limit, pages=((2, 1),))
    make(tree(("f", regular(2, content))), source, str(state))
    data = bytearray(name.read_bytes()[:limit][:size].ljust(size, b"\0"))
    data[2 * PAGE : 3 * PAGE] = PAGES[1]
    assert (state / "f").read_bytes() == data
    assert (state / "f").stat().st_blocks * 512 < 2 << 20


def test_attributes_of_users_are_set(tmp_path: Path) -> None:
    node = Node(2, stat.S_IFREG | 0o400, os.geteuid(), os.getegid(), Content(0),
                xattrs=(("user.a", b"1\0"), ("security.nothing", b"2")))  # fmt: skip
    make(tree(("f", node)), SOURCE, str(tmp_path / "s"))
    try:
        os.setxattr(tmp_path, "user.try", b"")
    except OSError:
        pytest.skip("this filesystem has no attributes of users")
    assert os.listxattr(tmp_path / "s" / "f") == ["user.a"]
    assert os.getxattr(tmp_path / "s" / "f", "user.a") == b"1\0"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
def test_owners_are_set_where_that_is_allowed_and_keep_special_bits(tmp_path: Path) -> None:
    nodes = [
        ("d", Node(2, stat.S_IFDIR | 0o2755, 12, 34)),
        ("f", Node(3, stat.S_IFREG | 0o4755, 12, 34, Content(0))),
        ("l", Node(4, stat.S_IFLNK | 0o777, 12, 34, target="f")),
    ]
    make(tree(*nodes), SOURCE, str(tmp_path / "s"))
    for path, node in nodes:
        status = (tmp_path / "s" / path).lstat()
        assert (status.st_uid, status.st_gid, status.st_mode) == (12, 34, node.mode)


def test_devices_are_left_out_and_said(tmp_path: Path) -> None:
    node = Node(2, stat.S_IFCHR | 0o666, *os.getresuid()[:2], rdev=os.makedev(1, 3))
    assert make(tree(("null", node)), SOURCE, str(tmp_path / "s")) == ("null",)
    assert list((tmp_path / "s").iterdir()) == []


@pytest.mark.parametrize(
    "path",
    ["../out", "a/b", "link/in", "d/../../out", "/out", "", "d/", "d/..", "file/x",
     r"\x2e\x2e/out", r"d\x2f..\x2f..\x2fout", r"\x2e\x2e", "nul\0", r"nul\x00"],
)  # fmt: skip
def test_nothing_is_made_outside(tmp_path: Path, path: str) -> None:
    link = Node(2, stat.S_IFLNK | 0o777, os.geteuid(), os.getegid(), target="..")
    image = tree(("link", link), ("d", directory(3)), ("file", regular(4)), (path, regular(5)))
    with pytest.raises(RecordingError, match="has no directory for"):
        make(image, SOURCE, str(tmp_path / "s"))
    assert [each.name for each in tmp_path.iterdir()] == ["s"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_without_privileges_modes_hinder_neither_making_nor_removal() -> None:
    """Done by a process that has become somebody whom modes bind."""
    nodes = [(".", directory(1, 0o500)), ("a", directory(2, 0)), ("a/b", directory(3, 0o500))]
    nodes += [("a/b/c", directory(4, 0)), ("a/b/c/f", regular(5, Content(5), 0))]
    image = Image(tuple(nodes))
    place = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        os.chown(place, 65534, 65534)
        pid = os.fork()
        if pid == 0:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            status = 1
            try:
                make(image, SOURCE, str(place / "s"))
                status = 2 if os.access(place / "s" / "a", os.X_OK) else 3
                remove(str(place / "s"))
                status = 0 if status == 3 and not os.listdir(place) else 4
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        shutil.rmtree(place)


# ---------------------------------------------------------------- removal


def test_removal_follows_no_link(tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.mkdir()
    (keep / "file").touch()
    state = tmp_path / "s"
    (state / "deep").mkdir(parents=True)
    (state / "link").symlink_to(keep)
    (state / "deep" / "link").symlink_to(keep)
    os.link(keep / "file", state / "deep" / "hard")
    remove(str(state))
    assert [each.name for each in tmp_path.iterdir()] == ["keep"]
    assert (keep / "file").exists()
    (tmp_path / "s").symlink_to(keep)
    with pytest.raises(OSError, match="Not a directory"):
        remove(str(tmp_path / "s"))
    assert (keep / "file").exists()


def test_removal_of_what_cannot_be_entered(tmp_path: Path) -> None:
    state = tmp_path / "s"
    (state / "a" / "b" / "c").mkdir(parents=True)
    (state / "a" / "0").mkdir()
    (state / "0").mkdir()
    (state / "0" / "file").touch()
    (state / "a" / "0" / "file").touch()
    for path in ("a/b/c", "a/b", "a/0", "a", "0", ""):
        (state / path).chmod(0)
    remove(str(state))
    assert not state.exists()


def test_removal_of_a_tree_that_is_too_deep_for_a_path(tmp_path: Path) -> None:
    state = tmp_path / "s"
    state.mkdir()
    above = os.open(state, os.O_PATH)
    for _ in range(3000):
        os.mkdir("deep", dir_fd=above)
        os.mkdir("side", dir_fd=above)
        inner = os.open("deep", os.O_PATH, dir_fd=above)
        os.close(above)
        above = inner
    os.close(above)
    remove(str(state))
    assert not state.exists()


def test_removal_of_sockets_and_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "s"
    state.mkdir()
    monkeypatch.chdir(state)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        os.mkfifo("fifo")
        remove(str(state))
    assert not state.exists()
    remove(str(state))
