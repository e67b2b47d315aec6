"""Calls in the snapshots of other tools."""

from pathlib import Path

from plugin_support import run_tests

SOURCE = """
from inline_snapshot import snapshot

def test_inline(traced_dir, trace):
    save(traced_dir / "a.db")
    os.rename(traced_dir / "a.db", traced_dir / "b.db")
    os.truncate(traced_dir / "b.db", 100)
    assert trace.calls() == snapshot()

def test_one(traced_dir, trace):
    save(traced_dir / "a.db")
    assert trace.calls(only="sync")[0] == snapshot()
"""


def test_inline_snapshot(tmp_path: Path) -> None:
    made = run_tests(tmp_path, SOURCE, "--inline-snapshot=create", plugins=("inline_snapshot",))
    written = (tmp_path / "test_it.py").read_text("utf-8")
    assert (
        'snapshot([openat("a.db", "O_RDWR|O_CREAT|O_CLOEXEC", created=True), '
        'pwrite("a.db", 4096, at=0), fdatasync("a.db"), close("a.db"), rename("a.db", "b.db"), '
        'truncate("b.db", 100)])'
    ) in written, made.text
    assert 'snapshot(fdatasync("a.db"))' in written
    again = run_tests(tmp_path, written, head="", plugins=("inline_snapshot",))
    again.counts(passed=2)


def test_syrupy(tmp_path: Path) -> None:
    source = """
def test_snapshot(traced_dir, trace, snapshot):
    save(traced_dir / "a.db")
    assert trace.calls(only=("write", "sync")) == snapshot
    assert str(trace.calls()[0]) == snapshot
"""
    made = run_tests(tmp_path, source, "--snapshot-update", plugins=("syrupy",))
    assert "2 snapshots generated" in made.text
    written = (tmp_path / "__snapshots__" / "test_it.ambr").read_text("utf-8")
    assert '    pwrite("a.db", 4096, at=0),\n    fdatasync("a.db"),\n' in written
    again = run_tests(tmp_path, source, plugins=("syrupy",))
    again.counts(passed=1)
