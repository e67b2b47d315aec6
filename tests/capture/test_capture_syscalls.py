"""System calls made through ctypes, against what the standard library or the kernel says."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tracefs import filecalls
from tracefs.capture import syscalls

MISSING_ROOT = b"/nonexistent"


def test_rename_exchange_swaps_two_names(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("first")
    (tmp_path / "b").write_text("second")
    fd = os.open(tmp_path, os.O_PATH)
    filecalls.renameat2(fd, b"a", fd, b"b", filecalls.RENAME_EXCHANGE)
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("second", "first")
    os.close(fd)


def test_rename_noreplace_fails_with_the_error_of_the_call(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    fd = os.open(tmp_path, os.O_PATH)
    with pytest.raises(FileExistsError) as caught:
        filecalls.renameat2(fd, b"a", fd, b"b", 1)
    assert (caught.value.errno, caught.value.filename) == (errno.EEXIST, b"a")
    os.close(fd)


def test_birth_lies_between_before_and_after_and_never_changes(tmp_path: Path) -> None:
    (tmp_path / "before").touch()
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    born = syscalls.birth_time_ns(fd)
    assert born is not None, "the temporary directory's filesystem knows no birth times"
    (tmp_path / "after").touch()
    before, after = ((tmp_path / name).stat().st_mtime_ns for name in ("before", "after"))
    assert before <= born <= after
    os.write(fd, b"x")
    os.utime(fd, ns=(0, 0))
    assert syscalls.birth_time_ns(fd) == born
    os.close(fd)


def test_birth_is_read_through_a_path_descriptor_of_the_link_itself(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    fd = os.open(tmp_path / "link", os.O_PATH | os.O_NOFOLLOW)
    assert syscalls.birth_time_ns(fd) is not None
    os.close(fd)


def test_birth_is_unknown_where_the_filesystem_keeps_none_or_the_descriptor_is_bad() -> None:
    fd = os.open("/proc/self", os.O_PATH)
    assert syscalls.birth_time_ns(fd) is None
    os.close(fd)
    assert syscalls.birth_time_ns(-1) is None


def test_a_failed_mount_says_why_and_where() -> None:
    with pytest.raises(OSError, match="nonexistent") as caught:
        syscalls.mount("none", MISSING_ROOT, "tmpfs", 0, "")
    assert caught.value.errno in (errno.ENOENT, errno.EPERM)


def test_a_failed_unshare_says_why() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        syscalls.unshare(1)


_PRIVATE = """
import os
from tracefs.capture.syscalls import *
from tracefs.capture.namespace import _enter
_enter()
mount("none", os.fsencode({where!r}), "tmpfs", 0, "size=64k")
open({where!r} + "/inside", "x").close()
"""


def test_a_mount_in_a_private_namespace_reaches_nobody_else(tmp_path: Path) -> None:
    source = _PRIVATE.format(where=str(tmp_path))
    subprocess.run([sys.executable, "-c", source], check=True)
    assert list(tmp_path.iterdir()) == []


_ADOPT = """
import os
from tracefs.capture.syscalls import become_subreaper
become_subreaper()
if (child := os.fork()) == 0:
    if os.fork() == 0:
        os._exit(7)
    os._exit(0)
os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_a_subreaper_collects_its_grandchildren() -> None:
    done = subprocess.run([sys.executable, "-c", _ADOPT], capture_output=True, check=True)
    assert done.stdout == b"7\n"
