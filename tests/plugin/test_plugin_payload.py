"""``payload=True`` in the marker: a test's recording has the bytes, and the tree that there was."""

from pathlib import Path

from plugin_support import run_tests

TESTS = """
from tracefs.journal.start import StartTree

def paths(trace):
    with StartTree.open(trace.recording) as tree:
        return [entry.path for entry in tree.entries]

@pytest.mark.tracefs(payload=True)
def test_one(traced_dir, trace):
    (traced_dir / "a").write_bytes(b"one")
    assert paths(trace) == [".", traced_dir.name]
    assert (trace.recording / "payload.bin").exists()

def test_without(traced_dir, trace):
    (traced_dir / "a").write_bytes(b"none")
    assert not (trace.recording / "payload.bin").exists()

@pytest.mark.tracefs(payload=True)
def test_each_has_its_own(traced_dir, trace):
    assert traced_dir.name in paths(trace)

@pytest.mark.tracefs(payload=True, witness="seccomp")
def test_commands(traced_dir, trace):
    (traced_dir / "a").write_bytes(b"before")
    traced_dir.run(["truncate", "-s", "1", "a"])
    with StartTree.open(trace.recording) as tree:
        assert tree.read(tree.entries[1].ino, 0, 9) == b"before"
"""


def test_of_one_test_or_another(tmp_path: Path) -> None:
    run_tests(tmp_path, TESTS, "-rA").counts(passed=4)
