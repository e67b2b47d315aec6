"""What the journal says of files that move while they are open."""

import os
import sys
from collections.abc import Callable

from mounted_support import Run, journal

from tracefs import Trace, events
from tracefs.api import ANY, call, fdatasync, fsync, link, pwrite, truncate

MOVING = """
import os
os.makedirs("a/b")
fd = os.open("a/b/f", os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, b"1" * 4096, 0)
os.rename("a", "z")
os.pwrite(fd, b"2" * 4096, 0)
os.fdatasync(fd)
os.rename("z/b/f", "top")
os.pwrite(fd, b"3" * 4096, 0)
os.link("top", "second")
os.unlink("top")
os.pwrite(fd, b"4" * 4096, 0)
os.unlink("second")
os.pwrite(fd, b"5" * 4096, 0)
os.fsync(fd)
"""


def test_paths_follow_what_moves(traced_run: Callable[..., Run]) -> None:
    run = traced_run([sys.executable, "-c", MOVING])
    assert (run.returncode, run.stderr) == (0, "")
    assert Trace(run.recording).calls(only=("write", "sync")) == [
        pwrite("a/b/f", 4096, at=0),
        pwrite("z/b/f", 4096, at=0),
        fdatasync("z/b/f"),
        pwrite("top", 4096, at=0),
        pwrite("second", 4096, at=0),
        pwrite(ANY, 4096, at=0),
        fsync(ANY),
    ]


EXCHANGING = """
import ctypes, os
for name in ("x", "y"):
    os.mkdir(name)
    with open(f"{name}/f", "w") as file:
        file.write(name)
fd = os.open("x/f", os.O_RDWR)
ctypes.CDLL(None).renameat2(-100, b"x", -100, b"y", 2)
os.pwrite(fd, b"!", 0)
os.close(fd)
os.pwrite(os.open("x/f", os.O_RDWR), b"?", 0)
"""


def test_paths_follow_an_exchange(traced_run: Callable[..., Run]) -> None:
    run = traced_run([sys.executable, "-c", EXCHANGING])
    assert (run.returncode, run.stderr) == (0, "")
    found = Trace(run.recording).calls(only="pwrite")
    assert found == [pwrite("y/f", 1, at=0), pwrite("x/f", 1, at=0)]


REPLACING = """
import os
for name in ("f", "new"):
    with open(name, "w") as file:
        file.write(name)
old = os.open("f", os.O_RDWR)
new = os.open("new", os.O_RDWR)
os.rename("new", "f")
os.pwrite(new, b"new", 0)
os.pwrite(old, b"old", 0)
print(os.fstat(old).st_ino, os.fstat(new).st_ino)
"""


def test_the_replaced_file_is_told_from_the_new_one(traced_run: Callable[..., Run]) -> None:
    run = traced_run([sys.executable, "-c", REPLACING])
    old, new = map(int, run.stdout.split())
    (rename,) = journal(run.recording, events.Rename)
    assert (rename.old, rename.path, rename.ino, rename.replaced) == ("new", "f", new, old)
    inos = [event.ino for event in journal(run.recording, events.Write) if event.size == 3]
    assert inos[-2:] == [new, old]


MISSING = """
import os
try:
    os.unlink("none")
except FileNotFoundError:
    pass
fd = os.open("f", os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o640)
os.write(fd, b"x")
os.pread(fd, 1, 0)
os.ftruncate(fd, 10)
os.fchmod(fd, 0o600)
os.setxattr("f", "user.x", b"abc")
os.mkdir("d")
d = os.open("d", os.O_RDONLY)
os.fsync(d)
"""


def test_each_kind_of_request_is_recorded(traced_run: Callable[..., Run]) -> None:
    run = traced_run([sys.executable, "-c", MISSING])
    assert (run.returncode, run.stderr) == (0, "")
    (create,) = journal(run.recording, events.Create)
    wanted = os.O_RDWR | os.O_APPEND
    assert (create.path, create.mode, create.flags & wanted) == ("f", 0o640, wanted)
    sizes = [event.size for event in journal(run.recording, events.Setattr)]
    modes = [event.mode for event in journal(run.recording, events.Setattr)]
    assert 10 in sizes
    assert 0o600 in modes
    (attribute,) = journal(run.recording, events.Setxattr)
    assert (attribute.name, attribute.size) == ("user.x", 3)
    (sync,) = journal(run.recording, events.Fsyncdir)
    assert (sync.path, sync.datasync, sync.errno) == ("d", False, 0)


MANY_DIRECTORIES = """
import os
for number in range(200):
    os.makedirs(f"d{number}/e")
    with open(f"d{number}/f", "w") as file:
        file.write(str(number))
for number in range(200):
    with open(f"d{number}/f") as file:
        assert file.read() == str(number)
    os.rename(f"d{number}/e", f"d{number}/g")
for number in range(100):
    os.rename(f"d{number}/f", f"d{number + 100}/g/f{number}")
    os.link(f"d{number + 100}/g/f{number}", f"link{number}")
for number in range(100):
    os.unlink(f"d{number + 100}/g/f{number}")
    with open(f"link{number}") as file:
        assert file.read() == str(number)
"""


def test_more_files_are_known_than_may_be_open(traced_run: Callable[..., Run]) -> None:
    run = traced_run([sys.executable, "-c", MANY_DIRECTORIES], most_files=256)
    assert (run.returncode, run.stderr) == (0, "")
    links = [(event.old, event.path) for event in journal(run.recording, events.Link)]
    assert links[:2] == [("d100/g/f0", "link0"), ("d101/g/f1", "link1")]


def test_names_of_any_bytes_are_recorded(traced_run: Callable[..., Run]) -> None:
    program = "import os; os.close(os.open(b'caf\\xe9 \\\\ \\n', os.O_CREAT | os.O_WRONLY))"
    run = traced_run([sys.executable, "-c", program])
    (create,) = journal(run.recording, events.Create)
    assert create.path == "caf\\xe9 \\\\ \n"


LINKED = """
import os, threading
os.mkdir("d")
def touch(name, data):
    fd = os.open(name, os.O_RDWR)
    os.pwrite(fd, data, 0)
    os.close(fd)
os.close(os.open("pages", os.O_RDWR | os.O_CREAT, 0o644))
held = os.open("pages", os.O_RDWR)
os.link("pages", "d/copy")
touch("pages", b"1")
touch("d/copy", b"2")
os.listdir("d"), list(os.scandir("d"))
touch("pages", b"3")
os.truncate("d/copy", 0)
os.chmod("pages", 0o600)
touch("d/copy", b"4")
other = threading.Thread(target=touch, args=("pages", b"5"))
other.start()
other.join()
os.pwrite(held, b"6", 0)
os.link("pages", "third")
os.unlink("pages")
touch("third", b"7")
touch("d/copy", b"8")
"""


def test_of_several_names_the_one_that_was_used_is_told(traced_run: Callable[..., Run]) -> None:
    run = traced_run([sys.executable, "-c", LINKED])
    assert (run.returncode, run.stderr) == (0, "")
    only = ("write", "truncate", "attr", "link")
    assert Trace(run.recording).calls(only=only) == [
        link("pages", "d/copy"),
        pwrite("pages", 1, at=0),
        pwrite("d/copy", 1, at=0),
        pwrite("pages", 1, at=0),
        truncate("d/copy", 0),
        call("chmod", "pages"),
        pwrite("d/copy", 1, at=0),
        pwrite("pages", 1, at=0),
        pwrite("pages", 1, at=0),
        link("pages", "third"),
        pwrite("third", 1, at=0),
        pwrite("d/copy", 1, at=0),
    ]
