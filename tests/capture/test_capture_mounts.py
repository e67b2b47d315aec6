"""Which tracefs mounts there are, by real ones that nobody serves, in a namespace of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tracefs.capture import mounts
from tracefs.capture.mounts import Mount, require_free
from tracefs.errors import MountError

_PROBE = """
import errno, json, os, sys
from tracefs.capture import mounts, namespace, syscalls

directory = os.fsencode(sys.argv[1])
namespace._enter()
found = [mounts.find(directory) is not None]
device = namespace._mount_over(directory)
tracefs = mounts.find(directory)
found.append(tracefs is not None)
found.append(mounts.find(os.path.dirname(directory)) is not None)
connections = "/sys/fs/fuse/connections"
if os.geteuid() == 0 and not os.listdir(connections):
    syscalls.mount("fusectl", connections.encode(), "fusectl", 0, "")
alive = os.path.exists(f"{connections}/{tracefs.device[1]}/abort")
mounts.abort(tracefs)
try:
    os.listdir(directory) if alive else os.close(device) or os.listdir(directory)
except OSError as error:
    ended = errno.errorcode[error.errno]
try:
    mounts.require_free("/", sys.argv[1])
except Exception as error:
    refusal = [str(error), error.repair]
mounts.abort(tracefs)
listed = [os.fsdecode(mount.mountpoint) for mount in mounts.mounts()]
print(json.dumps([found, ended, refusal, listed[-1 if listed[-1] == sys.argv[1] else -2]]))
"""


def test_a_mount_is_found_without_touching_it_and_can_be_ended(tmp_path: Path) -> None:
    directory = tmp_path / "mnt"
    directory.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, str(directory)], capture_output=True, check=True
    )
    found, ended, refusal, listed = json.loads(done.stdout)
    assert found == [False, True, False]
    assert ended == "ENOTCONN"
    assert refusal == [
        f"{directory}: a tracefs is mounted there already",
        f"tracefs umount {directory}",
    ]
    assert listed == str(directory)


_COVERED = """
import os, sys
from tracefs.capture import mounts, namespace, syscalls
directory = os.fsencode(sys.argv[1])
namespace._enter()
syscalls.mount("none", directory, "tmpfs", 0, "size=64k")
below = directory + b"/below"
os.mkdir(below)
namespace._mount_over(below)
print(mounts.find(below) is not None)
syscalls.mount("none", directory, "tmpfs", 0, "size=64k")
os.mkdir(below)
syscalls.mount("none", below, "tmpfs", 0, "size=64k")
print(mounts.find(below) is not None)
syscalls.mount("none", directory, "tmpfs", 0, "size=64k")
os.mkdir(below)
namespace._mount_over(below)
print(mounts.find(below) == mounts.mounts()[-1])
"""


def test_what_was_mounted_last_counts(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _COVERED, str(tmp_path)], capture_output=True, check=True
    )
    assert done.stdout.split() == [b"True", b"False", b"True"]


_AWKWARD = b"a b\tc\nd\\e\rf\vg\x0ch\xff - i"
_NAMED = """
import os, sys
from tracefs.capture import mounts, namespace
namespace._enter()
directory = os.fsencode(sys.argv[1])
namespace._mount_over(directory)
found = mounts.find(directory)
print(found.mountpoint == directory, found.kind.decode())
"""


def test_any_name_can_be_a_mount_point(tmp_path: Path) -> None:
    directory = os.fsencode(tmp_path) + b"/" + _AWKWARD
    os.mkdir(directory)
    done = subprocess.run(
        [os.fsencode(sys.executable), b"-c", _NAMED.encode(), directory],
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout.split() == [b"True", b"fuse.tracefs"]


def test_the_root_is_always_mounted_and_no_tracefs() -> None:
    assert b"/" in [mount.mountpoint for mount in mounts.mounts()]
    assert mounts.find(b"/") is None


@pytest.mark.parametrize(
    ("line", "mount"),
    [
        (
            b"36 35 98:5 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n",
            Mount(b"/mnt2", b"ext3", 36, (98, 5)),
        ),
        (
            b"36 35 0:255 / /a\\040b\\011c\\012d\\134e rw shared:2 master:1 - fuse.x x rw\n",
            Mount(b"/a b\tc\nd\\e", b"fuse.x", 36, (0, 255)),
        ),
        (b"36 35 0:7 / - rw - tmpfs - rw\n", Mount(b"-", b"tmpfs", 36, (0, 7))),
        (
            b"36 35 0:7 / /m rw - fuse.tracefs tracefs rw,user_id=1000,group_id=0,allow_other\n",
            Mount(b"/m", b"fuse.tracefs", 36, (0, 7), 1000),
        ),
    ],
    ids=["as in proc(5)", "escaped, two optional fields", "dashes", "of a user"],
)  # fmt: skip
def test_a_line_of_mountinfo(line: bytes, mount: Mount) -> None:
    assert mounts._parse(line) == mount


def test_an_empty_directory_is_free(tmp_path: Path) -> None:
    (tmp_path / "mnt").mkdir()
    require_free(str(tmp_path), str(tmp_path / "mnt"))


def test_the_source_itself_is_free_whatever_is_in_it_and_whatever_it_is_called(
    tmp_path: Path,
) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "file").touch()
    (tmp_path / "link").symlink_to(source)
    require_free(str(source), str(source))
    require_free(str(source), str(tmp_path / "link"))


@pytest.mark.parametrize(
    ("name", "message", "repair"),
    [
        ("absent", "no such directory", "mkdir {}"),
        ("file", "not a directory", None),
        (
            "full",
            "not empty; what is there would be hidden",
            "mount on an empty directory, or on the source itself",
        ),
        ("loop", "Too many levels of symbolic links", None),
    ],
)  # fmt: skip
def test_what_cannot_be_mounted_on_is_refused_with_a_repair(
    tmp_path: Path, name: str, message: str, repair: str | None
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "full" / "below").mkdir(parents=True)
    (tmp_path / "loop").symlink_to("loop")
    target = str(tmp_path / name)
    with pytest.raises(MountError) as caught:
        require_free(str(tmp_path), target)
    assert str(caught.value) == f"{target}: {message}"
    assert caught.value.repair == (repair and repair.format(target))
