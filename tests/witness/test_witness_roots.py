"""Paths of a process whose mount namespace is rooted elsewhere than it is itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tracefs.witness.roots import inside, outer_prefix

# In a chroot onto a copy of the root: a child, and one that has a mount namespace of its own. What
# is told of each: the prefix, and what its paths are then.
_TOLD = """
import json, os, subprocess
from tracefs.witness.memory import Memory
from tracefs.witness.roots import outer_prefix
said = []
for command in (["cat"], ["unshare", "-m", "cat"]):
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    child.stdin.write(b"x")
    child.stdout.read(1)  # its code is mapped, which /proc/PID/exe alone does not tell
    memory = Memory(child.pid)
    paths = {mapping.path for mapping in memory.mappings if mapping.path.endswith("/cat")}
    memory.close()
    said.append([os.fsdecode(outer_prefix(child.pid)), sorted(paths)])
    child.communicate()
print(json.dumps(said))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot(2) is root's")
def test_paths_in_a_chroot_are_those_of_the_chroot(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    line = 'mount --rbind / "$0" && exec chroot "$@"'
    program = [sys.executable, "-P", "-c", _TOLD]
    command = ["unshare", "-m", "sh", "-c", line, str(copy), str(copy), *program]
    done = subprocess.run(
        command, cwd="/", capture_output=True, text=True, timeout=30, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    cat = os.path.realpath(shutil.which("cat") or "")
    plain, unshared = json.loads(done.stdout)
    assert plain == ["", [cat]]
    assert unshared == [str(copy), [cat]]


def test_only_a_whole_directory_is_taken_off() -> None:
    assert inside(b"/deb/usr/bin/cat", b"/deb") == b"/usr/bin/cat"
    assert inside(b"/debian/x", b"/deb") == b"/debian/x"
    assert inside(b"/x", b"") == b"/x"


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot(2) is root's")
def test_a_root_of_its_own_is_no_prefix(tmp_path: Path) -> None:
    program = "import os, sys; os.chroot(sys.argv[1]); os.write(1, b'x'); os.read(0, 1)"
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"x"
        assert outer_prefix(process.pid) == b""
        process.communicate()


def test_here_there_is_nothing_before_the_root() -> None:
    assert outer_prefix(os.getpid()) == b""
    assert outer_prefix(2**22 - 1) == b""
