"""The marker and the settings: what makes a test fail, and what becomes of its recording."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from plugin_support import run_tests
from syrupy.assertion import SnapshotAssertion

JUDGED = """
RULES = ["directory-synced"]

@pytest.mark.tracefs(contracts=["page-write"], without=RULES)
def test_kept(traced_dir):
    save(traced_dir / "a.db")

@pytest.mark.tracefs(contracts=["page-write"])
def test_broken(traced_dir):
    save(traced_dir / "a.db", sync=None)

@pytest.mark.tracefs(contracts="page-write")
def test_unknown(traced_dir):
    pass

@pytest.mark.tracefs(contracts="page-write", paths="*.db")
def test_other_files_are_not_judged(traced_dir):
    save(traced_dir / "a.db")
    save(traced_dir / "log", sync=None)

@pytest.mark.tracefs(contracts="page-write", page_size=512)
def test_page_size(traced_dir):
    save(traced_dir / "a.db")

@pytest.mark.tracefs(contracts="page-write")
def test_that_fails_anyway_is_not_judged(traced_dir):
    save(traced_dir / "a.db", sync=None)
    assert not "the test's own words"

@pytest.mark.tracefs(contracts="page-write")
@pytest.mark.xfail
def test_expected(traced_dir):
    save(traced_dir / "a.db", sync=None)

@pytest.mark.tracefs(contracts="page-write")
def test_skipped(traced_dir):
    save(traced_dir / "a.db", sync=None)
    pytest.skip("not today")
"""

USED_BY_A_FIXTURE = """
@pytest.fixture
def database(traced_dir):
    fd = os.open(traced_dir / "a.db", os.O_RDWR | os.O_CREAT)
    yield fd
    if SYNCED:
        os.fdatasync(fd)
    os.close(fd)

@pytest.mark.tracefs(contracts="page-write")
def test_closed_at_its_end(database):
    os.pwrite(database, bytes(4096), 0)
"""

MISTAKEN = """
@pytest.mark.tracefs(contract="page-write")
def test_argument(traced_dir): pass

@pytest.mark.tracefs("page-write")
def test_position(traced_dir): pass

@pytest.mark.tracefs(contracts="page-wrote")
def test_contract(traced_dir): pass

@pytest.mark.tracefs(contracts="page-write")
def test_unused(): pass

@pytest.mark.tracefs(witness="none")
def test_other_witness(traced_dir): pass

@pytest.mark.tracefs(witness="ebpf")
def test_no_witness(traced_dir): pass
"""

BY_COMMAND = """
PROGRAM = '''
import os
fd = os.open("a.db", os.O_RDWR | os.O_CREAT)
os.lseek(fd, 4096, 0)
os.write(fd, bytes(4096))
os.close(fd)
'''

@pytest.mark.tracefs(witness="seccomp")
def test_seen(traced_dir, trace):
    with pytest.raises(Exception, match="nothing was recorded"):
        trace.calls()
    with pytest.raises(Exception, match="no mark"):
        traced_dir.mark("load")
    traced_dir.run([sys.executable, "-c", PROGRAM])
    assert trace.calls("*.db", only=("seek", "write")) == [
        lseek("a.db", 4096), write("a.db", 4096, at=4096)
    ]
    words = ["sh", "-c", "cat a.db | wc -c; kill -9 $$"]
    done = traced_dir.run(words, capture_output=True, check=False)
    assert (done.stdout, done.returncode) == ("8192\\n", 137)
    assert trace.calls("*.db", only="write") == []

@pytest.mark.tracefs(witness="full", contracts="page-write")
def test_each_is_judged(traced_dir):
    traced_dir.run([sys.executable, "-c", PROGRAM])
    traced_dir.run(["true"])

@pytest.mark.tracefs(witness="seccomp", contracts="page-write")
def test_nothing_run(traced_dir):
    save(traced_dir / "a.db")

GOOD = (
    "import os; fd = os.open('g.db', os.O_RDWR | os.O_CREAT);"
    "os.pwrite(fd, bytes(4096), 0); os.fdatasync(fd)"
)

@pytest.mark.tracefs(witness="seccomp", contracts="page-write")
def test_one_is_killed(traced_dir):
    traced_dir.run([sys.executable, "-c", GOOD])
    with pytest.raises(subprocess.TimeoutExpired):
        traced_dir.run(["sh", "-c", "echo > a.db; exec tail -f /dev/null"], timeout=2)
"""


def names(text: str) -> dict[str, str]:
    """Return what became of each test, by -rA's summary."""
    found = re.findall(r"^(PASSED|FAILED|ERROR|XFAIL|XPASS) .*::(\w+)", text, re.MULTILINE)
    return {name: outcome for outcome, name in found}


def test_a_test_fails_that_does_not_keep_its_contracts(tmp_path: Path) -> None:
    done = run_tests(tmp_path, JUDGED, "-rA")
    assert names(done.text) == {
        "test_kept": "PASSED",
        "test_broken": "FAILED",
        "test_unknown": "FAILED",
        "test_other_files_are_not_judged": "PASSED",
        "test_page_size": "FAILED",
        "test_that_fails_anyway_is_not_judged": "FAILED",
        "test_expected": "XFAIL",
    }
    assert "1 skipped" in done.text
    done.says(
        "_ test_broken _",
        "page-write: broken (1 error, 1 advice)",
        "error synced, a.db, page 0, call 1",
        "repair:",
        "rests on: 3 calls (none unknown), recording complete",
        "recording: tracefs show ",
        "pwrite64(",
        "_ test_unknown _",
        "page-write: unknown",
        "_ test_page_size _",
        "full-page",
        "_ test_that_fails_anyway_is_not_judged _",
        "the test's own words",
    )
    assert done.text.count("rests on: ") == 3
    assert [name.rpartition("-")[0] for name in done.recordings()] == [
        "test_broken", "test_page_size", "test_that_fails_anyway_is_not_judged", "test_unknown",
    ]  # fmt: skip


def test_the_recording_that_was_kept_can_be_shown_and_judged(tmp_path: Path) -> None:
    done = run_tests(tmp_path, JUDGED, "-k", "broken")
    (words,) = re.findall(r"recording: tracefs (show .*)", done.text)
    command = [sys.executable, "-m", "tracefs", *words.split()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert "# complete; 3 calls (none unknown)" in shown.stdout
    command[-2] = "check"
    judged = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert judged.returncode == 1
    assert "error synced" in judged.stdout


ASKING = (
    USED_BY_A_FIXTURE.replace("database(traced_dir)", "database(request)")
    .replace("os.open(traced_dir", 'os.open(request.getfixturevalue("traced_dir")')
    .replace("end(database)", "end(database, traced_dir)")
)


@pytest.mark.parametrize("source", [USED_BY_A_FIXTURE, ASKING], ids=["argument", "getfixturevalue"])
@pytest.mark.parametrize(("synced", "outcome"), [(True, "PASSED"), (False, "ERROR")])
def test_what_a_fixture_does_at_its_end_is_judged_too(
    tmp_path: Path, synced: bool, outcome: str, source: str
) -> None:
    source = f"SYNCED = {synced}\n{source}"
    done = run_tests(tmp_path, source, "-rA")
    assert names(done.text)["test_closed_at_its_end"] == outcome
    if not synced:
        done.says("page-write: broken", "recording: tracefs show ", "close(")
    assert len(done.recordings()) == (not synced)


def test_a_marker_that_can_not_be_obeyed_is_an_error(tmp_path: Path) -> None:
    done = run_tests(tmp_path, MISTAKEN)
    done.counts(error=6)
    done.says(
        "the marker tracefs has no contract; it has contracts, witness, paths, without, page_size",
        "the marker tracefs takes keywords alone",
        "There is no contract 'page-wrote'; did you mean page-write?",
        "test_unused, which uses neither traced_dir nor traced_session",
        "witness 'none' for one test: all tests of a run share a mount",
        "there is no witness 'ebpf'; known: none, proc, seccomp, full",
    )
    assert "Traceback" not in done.text
    assert "During handling" not in done.text


CONTRACT = """
version = 1

[[contract]]
id = "synced-pages"
per = "open"
every = "pwrite"
next = "fdatasync|fsync($path)"

[[contract]]
id = "no-rename"
never = ["rename"]
some = "pwrite"
"""


@pytest.mark.parametrize(
    ("marker", "ini"),
    [
        ('contracts="rules/pages.toml"', ""),
        ('contracts=[pathlib.Path("rules/pages.toml")]', ""),
        ("", "tracefs_contracts = rules/pages.toml page-write"),
    ],
)
def test_contracts_of_a_file_are_held_wherever_the_test_works(
    tmp_path: Path, marker: str, ini: str
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "pages.toml").write_text(CONTRACT, "utf-8")
    source = f"""
import pathlib
pytestmark = pytest.mark.tracefs({marker})

def test_kept(traced_dir, monkeypatch):
    monkeypatch.chdir(traced_dir)
    save("a.db")

def test_broken(traced_dir):
    save(traced_dir / "a.db", sync=None)
    os.rename(traced_dir / "a.db", traced_dir / "b.db")
"""
    done = run_tests(tmp_path, source, "-rA", ini=ini)
    assert names(done.text) == {"test_kept": "PASSED", "test_broken": "FAILED"}
    done.says("synced-pages: broken", "no-rename: broken")


def test_settings_hold_for_all_tests(tmp_path: Path) -> None:
    source = """
def test_judged(traced_dir):
    save(traced_dir / "a.db", sync=None)

@pytest.mark.tracefs(contracts=())
def test_not_judged(traced_dir):
    save(traced_dir / "a.db", sync=None)

def test_unnamed(traced_dir, trace):
    save(traced_dir / "a.db")
    assert unknown("a.db", family="sync") in trace.calls()
"""
    done = run_tests(
        tmp_path, source, "-rA", ini="tracefs_contracts = page-write\ntracefs_witness = none"
    )
    outcomes = {"test_judged": "FAILED", "test_not_judged": "PASSED", "test_unnamed": "FAILED"}
    assert names(done.text) == outcomes


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        ("tracefs_witness = seccomp", "the tests' own calls can be seen by none or proc"),
        ("tracefs_keep = some", "tracefs_keep = some: there is failed, all, none"),
        ("tracefs_contracts = page-wrote", "There is no contract 'page-wrote'"),
    ],
)
def test_a_setting_that_is_none_is_an_error(tmp_path: Path, ini: str, message: str) -> None:
    done = run_tests(tmp_path, "def test_it(traced_dir): pass", ini=ini)
    done.counts(error=1)
    done.says(message)


@pytest.mark.parametrize(
    ("options", "ini", "kept"),
    [
        ((), "", 1),
        (("--tracefs-keep=all",), "", 2),
        (("--tracefs-keep=none",), "", 0),
        ((), "tracefs_keep = all", 2),
        (("--tracefs-keep=failed",), "tracefs_keep = none", 1),
    ],
)
def test_which_recordings_are_kept(
    tmp_path: Path, options: tuple[str, ...], ini: str, kept: int
) -> None:
    source = """
def test_good(traced_dir): save(traced_dir / "a.db")
def test_bad(traced_dir):
    save(traced_dir / "a.db")
    assert False
"""
    done = run_tests(tmp_path, source, *options, ini=ini)
    done.counts(failed=1, passed=1)
    done.says(f"recording: {'tracefs show' if kept else 'not kept (tracefs_keep)'}", "fdatasync")
    assert len(done.recordings()) == kept


def test_commands_are_recorded_by_the_witness_that_the_marker_asks_for(tmp_path: Path) -> None:
    done = run_tests(tmp_path, BY_COMMAND, "-rA")
    outcomes = {
        "test_seen": "PASSED",
        "test_each_is_judged": "FAILED",
        "test_nothing_run": "FAILED",
        "test_one_is_killed": "FAILED",
    }
    assert names(done.text) == outcomes
    done.says(
        "error no-seek, a.db", "decided by: every lseek, seen by the seccomp witness",
        "unknown: nothing was recorded: with witness='seccomp' only what traced_dir.run starts is",
    )  # fmt: skip


HIDDEN = ("unshare", "-m", "sh", "-c", 'mount --bind /dev/null /dev/fuse && exec "$@"', "sh")


@pytest.mark.parametrize(
    ("required", "counts"), [("", {"skipped": 3}), ("0", {"skipped": 3}), ("1", {"error": 3})]
)
def test_without_fuse(tmp_path: Path, as_root: None, required: str, counts: dict[str, int]) -> None:
    source = """
def test_one(traced_dir): save(traced_dir / "a.db")
def test_two(traced_dir, trace): assert not trace.calls()
def test_three(traced_session):
    with traced_session.fresh(): pass
"""
    done = run_tests(tmp_path, source, "-rs", before=HIDDEN, env={"TRACEFS_REQUIRE_FUSE": required})
    done.counts(**counts)
    done.says("tracefs cannot mount: device: /dev/fuse is device 1:3, not character device 10:229")


def test_without_fuse_other_tests_run(tmp_path: Path, as_root: None) -> None:
    done = run_tests(tmp_path, "def test_plain(tmp_path): pass", before=HIDDEN, head="")
    done.counts(passed=1)


SEEN = """
def test_pages(traced_dir, trace):
    save(traced_dir / "a.db")
    with open(traced_dir / "a.db", "r+b", buffering=0) as file:
        file.seek(4096)
        file.write(bytes(2048))
        file.write(bytes(2048))
    save(traced_dir / "a.db", 2)
    assert trace.calls("*.db", only=("write", "sync")) == [
        call for page in range(3) for call in (
            pwrite("a.db", 4096, at=page * 4096), fdatasync("a.db")
        )
    ]

@pytest.mark.tracefs(contracts=["page-write"])
def test_contract(traced_dir):
    save(traced_dir / "a.db", sync=None)
"""


def tamed(text: str, folder: Path) -> str:
    """Return what a run printed without what differs from run to run."""
    text = text[text.index("= FAILURES") :]
    for pattern, stands in (
        (re.escape(os.fspath(folder)), "FOLDER"),
        (r"<\d+\.\d+>", "<SECONDS>"),
        (r"^( +\d+  )\d+ +\d+\.\d+", r"\1TID SECONDS"),
        (r"# started: \S+;", "# started: TIME;"),
        (r"# kernel: .*", "# kernel: KERNEL"),
        (r"\((\d+)<", "(FD<"),
        (r" in \d+\.\d+s =+", " in TIME ="),
    ):
        text = re.sub(pattern, stands, text, flags=re.MULTILINE)
    return text


@pytest.mark.parametrize("options", [(), ("-vv",)], ids=["short", "whole"])
def test_what_a_person_sees(
    tmp_path: Path, options: tuple[str, ...], snapshot: SnapshotAssertion
) -> None:
    done = run_tests(tmp_path, SEEN, *options)
    done.counts(failed=2)
    assert tamed(done.text, tmp_path) == snapshot
