"""``tracefs crash --recover``: a crash while an earlier one's damage is being repaired."""

import shlex
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from mounted_support import TRACEFS, Guard

from tracefs.crashes import Checked, CrashReport, Loss
from tracefs.findings import Verdict
from tracefs.report.crash_words import show

COMMON = """
import os, sys
d = sys.argv[1]
def put(name, data, sync=True):
    fd = os.open(f"{d}/{name}", os.O_WRONLY | os.O_CREAT, 0o644)
    os.pwrite(fd, data, 0)
    if sync:
        os.fsync(fd)
    os.close(fd)
def sync_directory():
    fd = os.open(d, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
"""
PROGRAM = """
put("new", b"1" * 6000)
os.rename(f"{d}/new", f"{d}/journal")
sync_directory()
try:
    os.mkdir(f"{d}/.ack:1")
except FileExistsError:
    pass
put("data", b"1" * 6000)
os.unlink(f"{d}/journal")
sync_directory()
"""
RECOVERY = """
if os.path.exists(f"{d}/journal"):
    with open(f"{d}/journal", "rb") as file:
        value = file.read()
    put("data", value, sync=sys.argv[2] == "right")
    os.unlink(f"{d}/journal")
    sync_directory()
"""
CHECK = """
import os, sys
with open(f"{sys.argv[1]}/data", "rb") as file:
    data = file.read()
with open(os.environ["TRACEFS_ACKS"]) as file:
    wanted = file.read().split()[-1:] or ["0"]
if len(set(data)) != 1 or data[:1] < wanted[0].encode():
    sys.exit(f"it has {sorted(set(data))}, {wanted[0]} was acknowledged")
"""


ONE = ("--recover-states", "1")
FEW = ("--recover-states", "3")
ALL = ("--recover-states", "8")
"""As many as there are good states."""


@pytest.fixture
def recording(tmp_path: Path, guard: Guard) -> Path:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/data").write_bytes(b"0" * 6000)
    (tmp_path / "program.py").write_text(COMMON + PROGRAM)
    (tmp_path / "recover.py").write_text(COMMON + RECOVERY)
    (tmp_path / "check.py").write_text(CHECK)
    run = [*TRACEFS, "run", "-q", "--payload", "--dir", "d", "-o", "r.trace", "--"]
    subprocess.run([*run, sys.executable, "program.py", "d"], cwd=tmp_path, timeout=50, check=True)
    return tmp_path / "r.trace"


def explore(recording: Path, recovery: str, *options: str) -> CrashReport:
    done = subprocess.run(
        [
            *TRACEFS, "crash", "r.trace", "--profile", "ext4-ordered", "--format", "json",
            "--check", f"{sys.executable} check.py {{dir}}", "--recover", recovery,
            *options,
        ],
        cwd=recording.parent, capture_output=True, timeout=170, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return msgspec.json.decode(done.stdout, type=CrashReport)


def test_a_recovery_that_syncs_can_be_crashed(recording: Path) -> None:
    found = explore(recording, f"{sys.executable} recover.py {{dir}} right", *FEW)

    assert (found.verdict, found.failures) == (Verdict.KEPT, ())
    assert found.recovered > 0


@pytest.mark.timeout(180)  # twenty recordings, each with its states
def test_one_that_does_not_loses_what_was_acknowledged(recording: Path) -> None:
    found = explore(recording, f"{sys.executable} recover.py {{dir}} wrong", *ALL)

    assert found.verdict is Verdict.BROKEN
    assert {one.loss for one in found.failures} <= {Loss.ACKNOWLEDGED, Loss.CORRUPT}
    assert all(one.within for one in found.failures)
    assert max(len(one.within) for one in found.failures) <= 2
    first = min(found.failures, key=lambda one: len(one.within))
    assert [each.path for each in first.dropped] == ["data"]
    assert [each.path for each in first.kept][-1:] == ["journal"]
    tool, *words, _ = shlex.split(show(found, first))
    assert tool == "tracefs"
    shown = subprocess.run(
        [*TRACEFS, *words, "shown"],
        cwd=recording.parent, capture_output=True, text=True, timeout=55, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert not (recording.parent / "shown/journal").exists()
    assert (recording.parent / "shown/data").read_bytes() != b"1" * 6000


@pytest.mark.parametrize(
    ("recovery", "checked", "said"),
    [
        ("test -n '' {dir}; exit 3", {Checked.BAD}, "the recovery ended with 3"),
        ("test -n {dir}; sh -c 'kill -SEGV $$'", {Checked.BAD}, "the recovery ended with"),
        ("/no/such {dir}", {Checked.NOT_STARTED, Checked.CRASHED}, "no"),
        ("sleep 60; true {dir}", {Checked.LATE}, "not end within"),
    ],
    ids=["fails", "killed", "missing", "hangs"],
)
@pytest.mark.parametrize("check", ["true {dir}", "json"])
def test_one_that_ends_badly_before_the_checker(
    recording: Path, check: str, recovery: str, checked: set[Checked], said: str
) -> None:
    found = explore(recording, recovery, "--max-states", "2", "--timeout", "1", "--check", check)

    assert found.verdict is not Verdict.KEPT
    assert found.recovered == 0
    answers = [one.answer for one in found.failures]
    assert {one.checked for one in answers} <= checked, answers
    assert all(said in (one.said or "") for one in answers), answers


ONLY_RECORDED = 'test -n "$TRACEFS_ACKS" || '
"""Checkers have that variable."""


@pytest.mark.parametrize(
    ("recovery", "reason"),
    [
        (ONLY_RECORDED + "sleep 60; true {dir}", "did not end within 1 s"),
        (ONLY_RECORDED + "{{ setsid sleep 60 & }}; true {dir}", "did not end within 1 s"),
        (ONLY_RECORDED + "{{ setsid sleep 60 & sleep 60; }}; true {dir}", "did not end within 1 s"),
        (ONLY_RECORDED + "exit 7; true {dir}", "ended with 7: no word"),
        (ONLY_RECORDED + "{{ echo why; exit 7; }}; true {dir}", "ended with 7: why"),
    ],
    ids=["hangs", "leaves one", "leaves one and hangs", "fails", "fails with a word"],
)
def test_one_that_ends_badly_when_it_is_recorded(
    recording: Path, recovery: str, reason: str
) -> None:
    recovery = recovery.replace("{{", "{").replace("}}", "}")

    found = explore(recording, recovery, "--check", "true {dir}", "--timeout", "1", *ONE)

    assert found.verdict is Verdict.UNKNOWN
    assert found.recovered == 0
    assert any(reason in why for why in found.reasons), found.reasons


def test_it_is_nothing_without_a_checker(recording: Path) -> None:
    done = subprocess.run(
        [*TRACEFS, "crash", "r.trace", "--recover", "true {dir}"],
        cwd=recording.parent, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--check" in done.stderr
