"""Small programs that do right or wrong what a built-in contract is about, really run."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from judged_support import advice, errors, judge
from mounted_support import Run

from tracefs.findings import Verdict

Traced = Callable[..., Run]

HABITS: Final = Path(__file__).parent / "habits"


@dataclass(frozen=True)
class Habit:
    """A way to start one of the programs, and what its contract says of it."""

    contract: str
    program: str
    errors: frozenset[str] = frozenset()
    advice: frozenset[str] = frozenset()
    before: Mapping[str, bytes] = field(default_factory=dict)
    """Files that are there before."""

    def __str__(self) -> str:
        return self.program


def _replace(way: str, *errors: str) -> Habit:
    before = {"c.json": b"old contents\n"}
    return Habit("atomic-replace", f"replace.py {way} c.json", frozenset(errors), before=before)


def _log(way: str, *errors: str, advice: frozenset[str] = frozenset()) -> Habit:
    before = {"app.log": b"record\n"}
    return Habit("append-only-log", f"append_log.c {way}", frozenset(errors), advice, before)


def _map(way: str, *errors: str) -> Habit:
    before = {"a.db": bytes(4096)}
    return Habit("no-mmap-writes", f"map_and_store.c {way}", frozenset(errors), before=before)


def _plain(contract: str, program: str, *errors: str, advice: str = "") -> Habit:
    return Habit(contract, program, frozenset(errors), frozenset(advice.split()))


HABITS_OF_ALL: Final = (
    _plain("no-unsynced-close", "close.py synced"),
    _plain("no-unsynced-close", "close.py duplicate"),
    _plain("no-unsynced-close", "close.py unsynced", "synced-before-close pwrite64(a.db)"),
    _plain("no-unsynced-close", "close.py synced-between", "synced-before-close pwrite64(a.db)"),
    _plain("no-unsynced-close", "close.py synced-after", "synced-before-close pwrite64(a.db)"),
    _plain("wal-before-data", "log_then_data.py right"),
    _plain("wal-before-data", "log_then_data.py data-first", "log-first pwrite64(t.db)"),
    _plain("wal-before-data", "log_then_data.py log-unsynced", "log-first pwrite64(t.db)"),
    _plain(
        "wal-before-data", "log_then_data.py reset-early", "data-before-reset ftruncate(t.db-wal)"
    ),
    _replace("whole"),
    _replace("no-fsync", "synced-before-rename rename(c.json.tmp)"),
    _replace("rename-first", "synced-before-rename rename(c.json.tmp)"),
    _replace("no-directory", "directory-synced rename(c.json.tmp)"),
    _replace("in-place", "not-in-place openat(c.json)"),
    _replace("moved-away", "name-kept rename(c.json)"),
    _log("append"),
    _log("unsynced", advice=frozenset({"synced-at-end"})),
    _log("no-flag", advice=frozenset({"append-flag"})),
    _log("rewrite", "appended write(app.log)", advice=frozenset({"append-flag"})),
    _log("cut", "not-cut ftruncate(app.log)"),
    _log("emptied", "not-cut openat(app.log)"),
    _map("read-only"),
    _map("private"),
    _map("shared", "no-shared-mapping mmap(a.db)", "no-stores mmap(a.db)"),
    _plain("direct-io-aligned", "direct.c whole"),
    _plain("direct-io-aligned", "direct.c switched-off"),
    _plain("direct-io-aligned", "direct.c block", advice="aligned-to-page"),
    _plain("direct-io-aligned", "direct.c unsynced", advice="synced"),
    _plain(
        "direct-io-aligned", "direct.c short", "aligned pwrite64(a.db)", advice="aligned-to-page"
    ),
    _plain(
        "direct-io-aligned", "direct.c between", "aligned pwrite64(a.db)", advice="aligned-to-page"
    ),
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the programs in C are."""
    folder = tmp_path_factory.mktemp("habits")
    for source in sorted(HABITS.glob("*.c")):
        strict = ["-Wall", "-Wextra", "-Werror", "-O1"]
        subprocess.run(["cc", *strict, "-o", folder / source.stem, source], check=True)
    return folder


def command(program: str, built: Path) -> list[str]:
    file, *arguments = program.split()
    if file.endswith(".py"):
        return [sys.executable, str(HABITS / file), *arguments]
    return [str(built / Path(file).stem), *arguments]


@pytest.mark.parametrize("habit", HABITS_OF_ALL, ids=str)
def test_each_habit_breaks_its_rule_and_no_other(
    traced_run: Traced, tmp_path: Path, built: Path, habit: Habit
) -> None:
    for name, contents in habit.before.items():
        (tmp_path / "src" / name).write_bytes(contents)

    run = traced_run(command(habit.program, built))

    assert (run.returncode, run.stderr) == (0, "")
    result = judge(run.recording, habit.contract)
    assert errors(run.recording, result) == habit.errors
    assert advice(result) == habit.advice
    assert result.verdict is (Verdict.BROKEN if habit.errors else Verdict.KEPT)


@pytest.mark.parametrize("way", ["whole", "block", "short", "between"])
def test_what_is_called_misaligned_fails_on_the_bare_directory(
    tmp_path: Path, built: Path, way: str
) -> None:
    """The kernel's own word for it. Not all filesystems mind: tmpfs does not."""
    done = subprocess.run(
        command(f"direct.c {way}", built), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    broken = way in {"short", "between"}
    assert done.stderr in {"", "pwrite: Invalid argument\n"}
    # A disk with blocks of 4096 bytes minds smaller ones, too, which is what the advice is about.
    assert broken or done.returncode == 0 or way == "block"


@pytest.mark.parametrize(
    ("contract", "program", "expected"),
    [
        # Mappings are heard of by a notice alone.
        ("no-mmap-writes", "map_and_store.c read-only", {"no-shared-mapping?"}),
        # A flag could have been taken away: what is misaligned need not be direct.
        ("direct-io-aligned", "direct.c short", {"aligned? pwrite64(a.db)"}),
        ("direct-io-aligned", "direct.c whole", set()),
        # By the requests themselves.
        ("no-unsynced-close", "close.py unsynced", {"synced-before-close pwrite64(a.db)"}),
        ("wal-before-data", "log_then_data.py data-first", {"log-first pwrite64(t.db)"}),
    ],
)
def test_what_can_be_told_by_looks_into_proc_alone(
    traced_run: Traced,
    tmp_path: Path,
    built: Path,
    contract: str,
    program: str,
    expected: set[str],
) -> None:
    if program.startswith("map"):
        (tmp_path / "src" / "a.db").write_bytes(bytes(4096))

    run = traced_run(command(program, built), "--witness=proc")

    assert (run.returncode, run.stderr) == (0, "")
    assert errors(run.recording, judge(run.recording, contract)) == expected


KILLED = """
import os, signal
fd = os.open("c.json.tmp", os.O_WRONLY | os.O_CREAT)
os.write(fd, b"new")
os.fsync(fd)
os.rename("c.json.tmp", "c.json")
os.write(fd, b"more")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_program_that_is_killed_has_done_what_it_did(traced_run: Traced) -> None:
    run = traced_run([sys.executable, "-c", KILLED])

    replaced = judge(run.recording, "atomic-replace")
    assert errors(run.recording, replaced) == {"directory-synced rename(c.json.tmp)"}
    closed = judge(run.recording, "no-unsynced-close")
    assert errors(run.recording, closed) == {"synced-before-close write(c.json)"}


def test_a_recording_without_its_end_leaves_open_what_was_to_come(
    traced_run: Traced, tmp_path: Path
) -> None:
    run = traced_run([sys.executable, "-c", KILLED])
    lines = (run.recording / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (at,) = (number for number, line in enumerate(lines) if b'"type":"rename"' in line)
    cut = tmp_path / "cut.trace"
    cut.mkdir()
    (cut / "journal.jsonl").write_bytes(b"".join(lines[: at + 1]))

    replaced = judge(cut, "atomic-replace")

    assert errors(cut, replaced) == {"directory-synced? rename(c.json.tmp)", "complete-trace?"}
    closed = judge(cut, "no-unsynced-close")
    assert errors(cut, closed) == {"complete-trace?"}
