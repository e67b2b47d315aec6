"""The marker's ``crash=``: a test fails unless what it wrote survives a power failure."""

from pathlib import Path

import pytest
from plugin_support import run_tests

from tracefs import record

HEAD = """
import json

def save(directory, value, sync=True):
    with open(directory / "s.tmp", "w") as file:
        json.dump({"v": value}, file)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    os.rename(directory / "s.tmp", directory / "s.json")
    if sync:
        fd = os.open(directory, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
    with pytest.raises(FileExistsError):
        os.mkdir(directory / f".ack:s.json v>={value}")

def good(directory, acks):
    assert directory.is_dir()
    if acks:
        found = json.loads((directory / "s.json").read_text())["v"]
        assert found >= int(acks[-1].rpartition("=")[2]), "an acknowledged value is lost"
"""
JUDGED = (
    HEAD
    + """
@pytest.mark.tracefs(crash="all", check=good)
def test_synced(traced_dir):
    for value in range(2):
        save(traced_dir, value)

@pytest.mark.tracefs(crash=["xfs", "btrfs"], check=good)
def test_unsynced(traced_dir):
    save(traced_dir, 1, sync=False)

@pytest.mark.tracefs(crash="linux", check="json")
def test_ready_checker(traced_dir):
    save(traced_dir, 1)

@pytest.mark.tracefs(crash="linux", check="grep -q 7 {dir}/s.json")
def test_command(traced_dir):
    save(traced_dir, 1)

@pytest.mark.tracefs(crash="ext4-ordered")
def test_as_killed(traced_dir):
    (traced_dir / "a").write_bytes(b"a" * 5000)
    with pytest.raises(FileExistsError):
        os.mkdir(traced_dir / ".ack:a")

@pytest.mark.tracefs(crash="posix-strict", witness="seccomp")
def test_commands_too(traced_dir):
    traced_dir.run(["sh", "-c", "echo a > a; sync a; mkdir .ack:a 2> /dev/null; true"])

@pytest.mark.tracefs(crash="posix-strict", check=good)
def test_that_fails_anyway(traced_dir):
    save(traced_dir, 1, sync=False)
    assert not "its own words"
"""
)


def test_states_that_a_crash_may_leave_decide(tmp_path: Path) -> None:
    ran = run_tests(tmp_path, JUDGED)
    ran.counts(failed=5, passed=2)
    ran.says("test_unsynced", "acknowledgement lost", "coverage")
    ran.says("test_command", "check: grep -q 7 {dir}/s.json")
    ran.says("test_as_killed", "as a kill -9 could leave it", "acknowledgement lost")
    ran.says("test_commands_too", "posix-strict")
    ran.says("its own words")
    assert not any(name.startswith(("test_synced", "test_ready")) for name in ran.recordings())


ASKED = """
@pytest.mark.tracefs(crash="ext5")
def test_no_such_profile(traced_dir):
    pass

@pytest.mark.tracefs(crash="xfs", check="true")
def test_command_without_a_place(traced_dir):
    pass

@pytest.mark.tracefs(check="json")
def test_nothing_to_check(traced_dir):
    pass
"""


def test_what_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    ran = run_tests(tmp_path, ASKED)
    ran.counts(error=3)
    ran.says("there is no profile 'ext5'")
    ran.says("has no {dir}")
    ran.says("check= is for crash states")


STATES = """
import json
from tracefs import crash_states

STATES = crash_states(os.environ["RECORDING"], profile="ext4-ordered")

@pytest.mark.parametrize("state", STATES)
def test_state(state):
    if state.acks:
        assert (state.directory / "a").read_bytes() == b"a"
"""


def test_states_make_tests_of_a_function(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    with record(tmp_path / "d", keep=tmp_path / "r.trace", payload=True) as recorded:
        (recorded.directory / "a").write_bytes(b"a")
        with pytest.raises(FileExistsError):
            (recorded.directory / ".ack:a").mkdir()
    ran = run_tests(tmp_path, STATES, env={"RECORDING": str(recorded.recording)})
    ran.says("test_state[")
    assert " failed" in ran.text
    assert " passed" in ran.text
