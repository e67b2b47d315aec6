"""What a test gets: a directory of its own that is recorded, in every kind of test and of run."""

from pathlib import Path

import pytest
from plugin_support import run_tests

ISOLATED = """
import pathlib

def test_path(traced_dir):
    assert isinstance(traced_dir, pathlib.Path)
    assert traced_dir == pathlib.Path(os.fspath(traced_dir))
    assert type(traced_dir.parent) in {pathlib.PosixPath, type(traced_dir)}
    with pytest.raises(Exception, match="ask traced_dir itself|has no attribute 'mark'"):
        (traced_dir / "sub").mark("load")
    assert os.path.ismount(traced_dir.parent)

@pytest.mark.parametrize("page", range(3))
def test_empty(traced_dir, trace, page):
    assert os.listdir(traced_dir) == []
    assert trace.calls() == []
    save(traced_dir / "a.db", page)
    assert trace.calls() == [
        openat("a.db", created=True), pwrite("a.db", 4096, at=page * 4096), fdatasync("a.db"),
        close("a.db"),
    ]

left = []

def test_leaves_a_file_open(traced_dir):
    left.append(open(traced_dir / "old", "wb", buffering=0))

def test_is_told_nothing_of_it(traced_dir, trace):
    with left.pop() as file:
        file.write(b"late")
    assert trace.calls() == []
    assert trace.outside == 2

def test_is_told_nothing_of_another_directory(traced_dir, trace):
    save(next(traced_dir.parent.glob("test_empty*")) / "b.db")
    assert trace.calls() == []
    assert trace.outside == 4
"""

KINDS = """
import multiprocessing, pickle, shutil, threading
import trio

def test_subprocess(traced_dir, trace):
    program = "import os; open('a.txt', 'w').write('hello')"
    subprocess.run([sys.executable, "-c", program], cwd=traced_dir, check=True)
    assert trace.calls("a.txt", only="write") == [write("a.txt", 5)]
    done = traced_dir.run(["sh", "-c", "echo more >> a.txt; echo said"], capture_output=True)
    assert (done.returncode, done.stdout) == (0, "said\\n")
    assert trace.calls("a.txt", only="write") == [write("a.txt", 5), write("a.txt", 5, at=5)]
    with pytest.raises(subprocess.CalledProcessError):
        traced_dir.run(["false"])
    assert traced_dir.run(["sh", "-c", "kill -9 $$"], check=False).returncode == 137

def test_thread(traced_dir, trace):
    thread = threading.Thread(target=save, args=(traced_dir / "a.db",))
    thread.start()
    thread.join()
    assert trace.calls(only="pwrite") == [pwrite("a.db", 4096, at=0)]
    assert trace.calls()[0].tid != threading.get_native_id()

def test_fork(traced_dir, trace):
    process = multiprocessing.get_context("fork").Process(target=save, args=(traced_dir / "a",))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert [call.pid for call in trace.calls(only="write")] == [process.pid]

def test_spawned_processes_get_a_plain_path(traced_dir):
    assert pickle.loads(pickle.dumps(traced_dir)) == traced_dir
    assert "TracedDir" not in repr(traced_dir)

def test_trio(traced_dir, trace):
    async def main():
        async with await trio.open_file(traced_dir / "a.db", "wb", buffering=0) as file:
            await file.write(b"x" * 4096)
    trio.run(main)
    assert trace.calls(only="write") == [write("a.db", 4096)]

def test_sections(traced_dir, trace):
    save(traced_dir / "a.db")
    traced_dir.mark("load")
    save(traced_dir / "a.db", 1)
    traced_dir.mark("rest")
    assert trace.marks == ("load", "rest")
    assert trace.section("load").calls(only="write") == [pwrite("a.db", 4096, at=4096)]
    assert trace.section("rest").calls() == []
    assert len(trace.calls(only="write")) == 2

def test_working_directory(traced_dir, trace, monkeypatch):
    monkeypatch.chdir(traced_dir)
    save("a.db")
    assert trace.calls(only="sync") == [fdatasync("a.db")]

def test_mapping(traced_dir, trace):
    import mmap as maps
    with open(traced_dir / "a.db", "w+b", buffering=0) as file:
        file.truncate(4096)
        with maps.mmap(file.fileno(), 4096) as mapped:
            mapped[:5] = b"hello"
            mapped.flush()
    assert store("a.db", 4096, at=0) in trace.calls()
    assert trace.complete

def test_removed(traced_dir, trace):
    (traced_dir / "d").mkdir()
    shutil.rmtree(traced_dir / "d")
    assert trace.calls() == [mkdir("d"), rmdir("d")]
"""

HYPOTHESIS = """
from hypothesis import given, settings, strategies as st

seen = set()

@settings(max_examples=25, deadline=None, database=None)
@given(st.lists(st.integers(0, 9), max_size=4))
def test_each_is_fresh(traced_session, pages):
    with traced_session.fresh() as traced_dir:
        assert traced_dir not in seen
        seen.add(traced_dir)
        assert os.listdir(traced_dir) == []
        for page in pages:
            save(traced_dir / "a.db", page, None)
        assert traced_dir.trace.calls(only="write") == [
            pwrite("a.db", 4096, at=page * 4096) for page in pages
        ]
    assert not traced_dir.exists()

@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.integers(0, 100))
def test_fails(traced_session, page):
    with traced_session.fresh() as traced_dir:
        save(traced_dir / "a.db", page, None)
        assert traced_dir.trace.calls(only="write")[0].page < 7

@pytest.mark.tracefs(contracts="page-write")
@settings(max_examples=20, deadline=None, database=None, derandomize=True)
@given(st.booleans())
def test_marked(traced_session, synced):
    with traced_session.fresh() as traced_dir:
        save(traced_dir / "a.db", 0, os.fdatasync if synced else None)

def test_one_at_a_time(traced_session):
    with traced_session.fresh():
        with pytest.raises(pytest.fail.Exception, match="only one directory can be at a time"):
            with traced_session.fresh():
                pass

def test_one_at_a_time_beside(traced_dir, traced_session):
    with pytest.raises(pytest.fail.Exception, match="only one directory can be at a time"):
        with traced_session.fresh():
            pass
"""


def test_each_test_has_an_empty_directory_and_its_own_calls(tmp_path: Path) -> None:
    done = run_tests(tmp_path, ISOLATED)
    done.counts(passed=7)
    assert done.recordings() == []


def test_every_kind_of_code_is_recorded(tmp_path: Path) -> None:
    run_tests(tmp_path, KINDS).counts(passed=9)


@pytest.mark.parametrize("options", [("-n2",), ("-p", "no:randomly"), ("-p", "no:xdist")])
def test_in_every_kind_of_run(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run_tests(
        tmp_path, ISOLATED.replace("range(3)", "range(8)"), *options, "-k", "empty", plugins=None
    )
    assert " 8 passed" in done.text


OF_A_CLASS = """
@pytest.fixture(scope="class")
def shared(traced_session):
    with traced_session.fresh() as directory:
        yield directory

class TestTwo:
    def test_first(self, shared):
        save(shared / "a.db")
        assert FIRST

    def test_second(self, shared):
        save(shared / "a.db", 1)
        assert len(shared.trace.calls(only="write")) == 2

def test_another(traced_dir, trace):
    save(traced_dir / "a.db")
    assert len(trace.calls(only="write")) == 1
"""


@pytest.mark.parametrize("first", [True, False])
def test_what_tests_of_a_class_share_is_recorded_over_all_of_them(
    tmp_path: Path, first: bool
) -> None:
    done = run_tests(tmp_path, OF_A_CLASS.replace("FIRST", str(first)))
    done.counts(**({"passed": 3} if first else {"failed": 1, "passed": 2}))
    assert len(done.recordings()) == (not first)


def test_hypothesis_gets_as_many_as_it_asks_for(tmp_path: Path) -> None:
    done = run_tests(tmp_path, HYPOTHESIS)
    done.counts(passed=3, failed=2)
    done.says("page=7", "recording: tracefs show ", "pwrite64(", "28672")
    done.says("test_marked", "page-write: broken", "error synced, a.db, page 0")
    # Of each failing test only the example that is reported.
    assert len(done.recordings()) == 2


def test_installed_and_unused_it_mounts_and_imports_nothing(tmp_path: Path) -> None:
    source = """
import pathlib, sys

def test_plain(tmp_path):
    assert "TMP" not in pathlib.Path("/proc/self/mountinfo").read_text()
    loaded = [name for name in sys.modules if name.partition(".")[0] == "tracefs"]
    assert sorted(loaded) == ["tracefs", "tracefs.pytest_plugin"]
    assert [1] == [1]
"""
    done = run_tests(tmp_path, source.replace('"tracefs" not in', '"fuse.tracefs" not in'), head="")
    done.counts(passed=1)
    assert not list(tmp_path.glob("base/tracefs*"))


def test_a_server_that_dies_fails_one_test(tmp_path: Path) -> None:
    source = """
import pathlib, signal

def server():
    children = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    words = {int(pid): pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    (found,) = [pid for pid in words if b"tracefs.capture.server" in words[pid]]
    return found

def test_killed(traced_dir, trace):
    save(traced_dir / "a.db")
    os.kill(server(), signal.SIGKILL)
    trace.calls()

def test_next(traced_dir, trace):
    save(traced_dir / "a.db")
    assert len(trace.calls()) == 4
"""
    done = run_tests(tmp_path, source)
    done.says("is traced no longer: the server ended unexpectedly (signal 9)")
    assert "1 passed" in done.text


def test_nothing_is_left_of_a_run_that_is_killed(tmp_path: Path) -> None:
    source = """
def test_kill(traced_dir):
    save(traced_dir / "a.db")
    os.kill(os.getpid(), 9)
"""
    done = run_tests(tmp_path, source)
    assert done.code == -9
