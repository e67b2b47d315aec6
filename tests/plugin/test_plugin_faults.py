"""Faults in a test: they hold in its directory alone, and none outlives it."""

from pathlib import Path

from plugin_support import run_tests

HOLDS = """
def fails(traced_dir, name="a.db", sync=os.fsync):
    try:
        save(traced_dir / name, sync=sync)
    except OSError as error:
        return error.errno
    return None

def test_until_the_block_ends(traced_dir, trace, faults):
    with faults.inject("fsync=EIO"):
        assert fails(traced_dir) == 5
    assert fails(traced_dir) is None
    assert trace.calls(only="sync") == [fsync("a.db", errno="EIO"), fsync("a.db")]

def test_one_beside_the_other(traced_dir, faults):
    with faults.inject("fsync=EIO"):
        with faults.inject("pwrite(*.wal)=ENOSPC", "mkdir=EDQUOT"):
            assert (fails(traced_dir), fails(traced_dir, "a.wal")) == (5, 28)
            with pytest.raises(OSError, match="quota"):
                (traced_dir / "d").mkdir()
        assert (fails(traced_dir), fails(traced_dir, "a.wal")) == (5, 5)
    assert fails(traced_dir, "a.wal") is None

def test_counts_go_on(traced_dir, faults):
    faults.inject("fsync=EIO:when=3")
    assert fails(traced_dir) is None
    with faults.inject("fdatasync=EIO"):
        assert fails(traced_dir) is None
        assert fails(traced_dir, sync=os.fdatasync) == 5
    assert fails(traced_dir) == 5
    assert [(one.rule, one.met, one.struck) for one in faults.injected] == [
        ("fdatasync:error=EIO", 1, 1), ("fsync:error=EIO:when=3", 3, 1),
    ]

def test_until_it_is_cleared(traced_dir, faults):
    faults.inject("fsync=EIO")
    assert fails(traced_dir) == 5
    faults.clear()
    assert fails(traced_dir) is None
    assert faults.release() == 0

def test_not_beyond_the_test_before(traced_dir, trace):
    assert fails(traced_dir) is None
    assert not any(call.errno for call in trace)

@pytest.mark.tracefs(inject=["fsync(d/*)=EIO", "rename=EACCES:when=2"])
def test_by_the_marker(traced_dir, trace):
    (traced_dir / "d").mkdir()
    assert fails(traced_dir, "d/a") == 5
    assert fails(traced_dir, "a") is None
    os.rename(traced_dir / "a", traced_dir / "b")
    with pytest.raises(PermissionError):
        os.rename(traced_dir / "b", traced_dir / "a")

@pytest.mark.tracefs(inject="syncdir=EIO")
def test_the_directory_itself(traced_dir):
    with pytest.raises(OSError):
        fd = os.open(traced_dir, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

def test_others_are_spared(traced_dir, faults):
    faults.inject("fsync=EIO")
    other = next(traced_dir.parent.glob("test_by_the_marker*"))
    save(other / "a", sync=os.fsync)
    assert fails(traced_dir) == 5

def test_by_a_program(traced_dir, faults):
    faults.inject("fsync=EIO:when=2")
    dd = ["dd", "if=/dev/zero", "of=a", "bs=4096", "count=1", "conv=fsync"]
    assert traced_dir.run(dd, check=False).returncode == 0
    assert traced_dir.run(dd, check=False).returncode == 1

def test_in_each_directory_of_a_session(traced_session):
    for _ in range(3):
        with traced_session.fresh() as traced_dir:
            traced_dir.faults.inject("fsync=EIO:when=1")
            assert (fails(traced_dir), fails(traced_dir)) == (5, None)
    with pytest.raises(Exception, match="its test has ended"):
        traced_dir.faults.inject("fsync=EIO")

def test_a_rule_as_data(traced_dir, faults):
    from tracefs.faults.model import Rule
    with faults.inject(Rule(text="mine", calls=("fsync",), error=5)):
        assert fails(traced_dir) == 5
"""

ENDS = """
kept = []

def test_that_fails(traced_dir, faults):
    faults.inject("write=EIO")
    kept.append(faults)
    save(traced_dir / "a.db")

def test_after_one_that_failed(traced_dir):
    save(traced_dir / "a.db", sync=os.fsync)
    with pytest.raises(Exception, match="its test has ended"):
        kept[0].inject("write=EIO")

def test_that_is_skipped(traced_dir, faults):
    faults.inject("write=EIO")
    pytest.skip("for a reason")

def test_that_exits(traced_dir, faults):
    faults.inject("write=EIO", "unlink=EIO")
    raise SystemExit

def test_at_last(traced_dir):
    save(traced_dir / "a.db", sync=os.fsync)
    os.unlink(traced_dir / "a.db")

@pytest.fixture(scope="class")
def wide(traced_session):
    with traced_session.fresh() as directory:
        yield directory

class TestOfAClass:
    def test_one(self, wide):
        wide.faults.inject("fsync=EIO")
        with pytest.raises(OSError):
            save(wide / "a", sync=os.fsync)

    def test_two(self, wide):
        save(wide / "a", sync=os.fsync)
        with wide.faults.inject("fsync=EIO"), pytest.raises(OSError):
            save(wide / "a", sync=os.fsync)
"""

STUCK = """
import threading

ended = []
threads = []

def waiting(traced_dir, faults):
    thread = threading.Thread(
        target=lambda: (save(traced_dir / "a", sync=os.fsync), ended.append(traced_dir.name))
    )
    thread.start()
    threads.append(thread)
    while not faults.injected[-1].struck:
        pass
    return thread

def test_released(traced_dir, faults):
    faults.inject("fsync:stuck")
    thread = waiting(traced_dir, faults)
    assert faults.release() == 1
    thread.join()

def test_until_the_block_ends(traced_dir, faults):
    with faults.inject("fsync:stuck"):
        thread = waiting(traced_dir, faults)
    thread.join()

def test_left_behind(traced_dir, faults):
    faults.inject("fsync:stuck")
    waiting(traced_dir, faults)
    assert len(ended) == 2

def test_that_fails(traced_dir, faults):
    faults.inject("fsync:stuck")
    waiting(traced_dir, faults)
    raise ValueError

def test_at_last(traced_dir):
    save(traced_dir / "a", sync=os.fsync)
    for thread in threads:
        thread.join()
    assert len(ended) == 4
"""

IN_VAIN = """
def test_no_call(traced_dir, faults):
    faults.inject("fsync=EIO")
    save(traced_dir / "a.db")

@pytest.mark.tracefs(inject=["pwrite=EIO:when=3"])
def test_too_few(traced_dir):
    save(traced_dir / "a.db")

def test_struck(traced_dir, faults):
    with faults.inject("fdatasync=EIO"), pytest.raises(OSError):
        save(traced_dir / "a.db")

def test_fails_anyhow(traced_dir, faults):
    faults.inject("fsync=EIO")
    assert not traced_dir
"""

FAILS = """
def test_fails(traced_dir, faults):
    with faults.inject("fsync(*.db)=EIO:when=2"):
        save(traced_dir / "a.db", sync=os.fsync)
        save(traced_dir / "a.db", sync=os.fsync)
"""

WRONG = """
@pytest.mark.tracefs(inject=["fsnc=EIO"])
def test_unknown(traced_dir):
    pass

def test_unknown_too(traced_dir, faults):
    faults.inject("fsync=EOI")

def test_none(traced_dir, faults):
    faults.inject()

@pytest.mark.tracefs(inject=["fsync=EIO"])
def test_in_vain():
    pass
"""

BY_RUN = """
DD = "dd if=/dev/zero of=a bs=4096 count=1 conv=fsync"

@pytest.mark.tracefs(witness="seccomp", inject="fsync=EIO:when=2")
def test_by_itself(traced_dir, trace, faults):
    assert traced_dir.run(["sh", "-c", DD], check=False).returncode == 0
    assert traced_dir.run(["sh", "-c", f"{DD}; {DD}"], check=False).returncode == 1
    assert trace.calls(only="sync") == [fsync("a"), fsync("a", errno="EIO")]
    assert [(one.met, one.struck) for one in faults.injected] == [(3, 1)]
    faults.clear()
    assert traced_dir.run(["sh", "-c", f"{DD}; {DD}"], check=False).returncode == 0
    with faults.inject("lseek,openat=EACCES"):
        assert traced_dir.run(["sh", "-c", DD], check=False).returncode == 1
    assert traced_dir.run(["sh", "-c", DD], check=False).returncode == 0
    assert faults.release() == 0

@pytest.mark.tracefs(witness="seccomp", inject="fsync=EIO:when=9")
def test_in_vain(traced_dir):
    traced_dir.run(["sh", "-c", DD])
"""


def test_where_and_how_long_faults_hold(tmp_path: Path) -> None:
    run_tests(tmp_path, HOLDS, "-q").counts(passed=11)


def test_however_a_test_ends_no_rule_is_left(tmp_path: Path) -> None:
    result = run_tests(tmp_path, ENDS, "-q")
    result.counts(failed=2, passed=4, skipped=1)
    result.says("FAILED test_it.py::test_that_fails", "FAILED test_it.py::test_that_exits")


def test_what_is_stuck_goes_on_when_the_test_ends(tmp_path: Path) -> None:
    run_tests(tmp_path, STUCK, "-q").counts(passed=4, failed=1)


def test_a_rule_that_struck_nothing_is_warned_of(tmp_path: Path) -> None:
    result = run_tests(tmp_path, IN_VAIN, "-q", "-W", "default")
    result.counts(failed=1, passed=3, warnings=2)
    result.says(
        "UnstruckFaultWarning: fsync:error=EIO struck nothing: no call was like it",
        "UnstruckFaultWarning: pwrite64:error=EIO:when=3 struck nothing: 1 call was like it",
    )
    result = run_tests(tmp_path, IN_VAIN, "-q", "-W", "error")
    result.counts(failed=1, passed=3, error=2)


def test_a_report_says_what_was_injected(tmp_path: Path) -> None:
    result = run_tests(tmp_path, FAILS, "-q")
    result.counts(failed=1)
    result.says(
        "recording: tracefs show",
        "injected: fsync(*.db):error=EIO:when=2 (struck 1 of 2 calls)",
        "EIO",
        "(INJECTED)",
    )


def test_what_can_not_be_meant_is_said(tmp_path: Path) -> None:
    result = run_tests(tmp_path, WRONG, "-q")
    result.counts(failed=2, error=2)
    result.says("did you mean fsync?")
    result.says("did you mean EIO?")
    result.says("there is no rule to inject")
    result.says("nothing of it would be recorded")


def test_a_command_that_is_recorded_by_itself_meets_them(tmp_path: Path) -> None:
    result = run_tests(tmp_path, BY_RUN, "-q", "-W", "default")
    result.counts(passed=2, warning=1)
    result.says("struck nothing: 1 call was like it")
