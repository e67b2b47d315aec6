"""Programs that deal well or badly with calls that fail, made to fail, and judged for that."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from faulty_support import programs
from judged_support import errors, judge
from lacking import lacking
from mounted_support import Run
from pagewriters import Writer
from writers_support import command, each_writer

from tracefs.findings import Verdict

Traced = Callable[..., Run]

HANDLERS: Final = Path(__file__).parent / "handlers"
OLD: Final = b"o" * 9000
SYNC, SHORT, SPACE, SIGNAL = (
    "sync-failure-handled", "short-write-handled", "no-space-handled", "interrupted-retried",
)  # fmt: skip
_KEPT, _BROKEN = 0, 1


@dataclass(frozen=True)
class Case:
    """A program, what is made to fail in it, and what comes of it."""

    contract: str
    rule: str
    program: str
    status: int
    """Exit status of the program."""
    errors: frozenset[str]

    def __str__(self) -> str:
        return f"{self.program} {self.rule}"


def case(contract: str, rule: str, program: str, status: int, *errors: str) -> Case:
    return Case(contract, rule, program, status, frozenset(errors))


FSYNC, TMP = "fsync=EIO:when=1", "c.json.tmp"
FIRST_SHORT: Final = "write:short=1000:when=1"
CASES: Final = (
    # A file saved by a rename
    case(SYNC, FSYNC, "save.c right", 1),
    case(SYNC, FSYNC, "save.c writes-anew", 0),
    case(SYNC, FSYNC, "save.c says-nothing", 0, f"reported fsync({TMP})"),
    case(SYNC, FSYNC, "save.c acknowledges-anyway", 1, f"no-acknowledgement fsync({TMP})"),
    case(
        SYNC, FSYNC, "save.c syncs-again", 0, "no-acknowledgement fsync(c.json)",
        "no-silent-retry fsync(c.json)", f"not-over-good-data rename({TMP})",
    ),
    case(
        SYNC, FSYNC, "save.c goes-on", 0, "no-acknowledgement fsync(c.json)",
        "reported fsync(c.json)", f"not-over-good-data rename({TMP})",
    ),
    case(SYNC, FSYNC, "save.py right", 1),
    case(SYNC, FSYNC, "save.py logged", 0, f"reported fsync({TMP})"),
    case(
        SYNC, FSYNC, "save.py suppressed", 0, "no-acknowledgement fsync(c.json)",
        "reported fsync(c.json)", f"not-over-good-data rename({TMP})",
    ),
    case(SHORT, FIRST_SHORT, "save.c right", 0),
    case(SHORT, "write:short=1000:when=1..2", "save.c right", 0),
    case(SHORT, FIRST_SHORT, "save.c takes-for-whole", 0, f"rest-written write({TMP})"),
    case(SHORT, FIRST_SHORT, "save.c repeats-shifted", 0, f"rest-written write({TMP})"),
    case(SHORT, FIRST_SHORT, "save.py right", 0),
    case(SHORT, FIRST_SHORT, "save.py count-ignored", 0, f"rest-written write({TMP})"),
    case(SPACE, "write=ENOSPC:when=1", "save.c right", 1),
    case(SPACE, "write=EDQUOT:when=1", "save.c right", 1),
    case(SPACE, "open=ENOSPC:when=1", "save.c right", 1),
    case(SPACE, "write=ENOSPC:when=1", "save.c in-place", 1, "old-contents-whole write(c.json)"),
    case(SPACE, "write=ENOSPC:when=1", "save.c says-nothing", 0, f"reported write({TMP})"),
    case(
        SPACE, "write=ENOSPC:when=1", "save.c renames-anyway", 0,
        f"not-over-good-data write({TMP})", "reported write(c.json)",
    ),
    case(SPACE, "write=ENOSPC:when=1", "save.py right", 1),
    case(SPACE, "write=ENOSPC:when=1", "save.py logged", 0, f"reported write({TMP})"),
    case(SPACE, "write=ENOSPC:when=1", "save.py in-place", 1, "old-contents-whole write(c.json)"),
    case(SIGNAL, "write,fsync=EINTR:when=1..2", "save.c right", 0),
    case(SIGNAL, "write=EINTR:when=1", "save.c gives-up", 0, f"retried write({TMP})"),
    case(SIGNAL, "fsync=EINTR:when=1", "save.c gives-up", 0, f"retried fsync({TMP})"),
    case(SIGNAL, "open,write,fsync=EINTR:when=1:per=file", "save.py right", 0),
    case(SIGNAL, "close=EINTR:when=1", "save.c right", 0, f"close-not-repeated? close({TMP})"),
    # A log
    case(SYNC, "fsync=EIO:when=2", "log.go right", 1),
    case(
        SYNC, "fsync=EIO:when=2", "log.go skips", 0, "no-acknowledgement fsync(app.log)",
        "no-silent-retry fsync(app.log)",
    ),
    case(
        SYNC, "fsync=EIO:when=2", "log.go syncs-again", 0, "no-acknowledgement fsync(app.log)",
        "no-silent-retry fsync(app.log)",
    ),
    case(SHORT, "write:short=10:when=2", "log.go right", 0),
    case(SPACE, "write=ENOSPC:when=2", "log.go right", 1),
    case(SPACE, "write=ENOSPC:when=2", "log.go skips", 0, "reported write(app.log)"),
    case(SIGNAL, "write,fsync=EINTR:when=2", "log.go right", 0),
    # Pages
    case(SYNC, "sync=EIO:when=2", "pages.rs right", 1),
    case(SYNC, "write=EIO:when=2", "pages.rs dsync", 1),
    case(SYNC, "write=EIO:when=2", "pages.rs unwatched-dsync", 0, "reported pwrite64(a.db)"),
    case(SHORT, "write:short=1000:when=2", "pages.rs right", 0),
    case(
        SHORT, "write:short=1000:when=2", "pages.rs count-ignored", 0,
        "rest-written pwrite64(a.db)",
    ),
    case(SPACE, "write=ENOSPC:when=2", "pages.rs right", 1),
    case(SIGNAL, "write,sync=EINTR:when=2", "pages.rs right", 0),
    case(SIGNAL, "write=EINTR:when=2", "pages.rs interrupted", 0, "retried pwrite64(a.db)"),
)  # fmt: skip

BUILDS: Final = {
    ".c": ["cc", "-Wall", "-Wextra", "-Werror", "-O1", "-o"],
    ".go": ["go", "build", "-o"],
    ".rs": ["rustc", "-D", "warnings", "-o"],
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """Return how to start one of the programs."""
    folder = tmp_path_factory.mktemp("handlers")

    def command(program: str) -> list[str]:
        name, way = program.split()
        source = HANDLERS / name
        if source.suffix == ".py":
            return [sys.executable, str(source), way]
        binary = folder / source.stem
        build = BUILDS[source.suffix]
        if shutil.which(build[0]) is None:
            lacking(f"{name} can't be built: no {build[0]}")
        if not binary.exists():
            subprocess.run([*build, binary, source], check=True, cwd=folder)
        return [str(binary), way]

    return command


@pytest.mark.parametrize("each", CASES, ids=str)
def test_each_program_breaks_what_it_should(
    traced_run: Traced, tmp_path: Path, built: Callable[[str], list[str]], each: Case
) -> None:
    (tmp_path / "src" / "c.json").write_bytes(OLD)

    run = traced_run(built(each.program), "--inject", each.rule, "--contract", each.contract)

    result = judge(run.recording, each.contract)
    assert errors(run.recording, result) == each.errors
    doubtful = any("?" in error for error in each.errors)
    verdict = Verdict.UNKNOWN if doubtful else Verdict.BROKEN if each.errors else Verdict.KEPT
    assert result.verdict is verdict
    # The command's own failure comes first.
    assert (run.returncode == each.status) is (each.status != 0 or verdict is Verdict.KEPT)


def test_old_contents_are_there_where_the_contract_is_kept(
    traced_run: Traced, tmp_path: Path, built: Callable[[str], list[str]]
) -> None:
    old = tmp_path / "src" / "c.json"
    old.write_bytes(OLD)

    run = traced_run(built("save.c right"), "--inject", "write=ENOSPC:when=1")

    assert judge(run.recording, SPACE).verdict is Verdict.KEPT
    assert old.read_bytes() == OLD


def test_without_a_fault_nothing_was_shown(
    traced_run: Traced, built: Callable[[str], list[str]]
) -> None:
    run = traced_run(built("save.c right"))

    for contract in (SYNC, SHORT, SPACE, SIGNAL):
        result = judge(run.recording, contract)
        assert (result.verdict, [each.rule for each in result.findings]) == (
            Verdict.UNKNOWN,
            ["some"],
        )


def test_how_a_child_ended_is_not_known(
    traced_run: Traced, built: Callable[[str], list[str]]
) -> None:
    words = " ".join(built("save.c says-nothing"))

    run = traced_run(["sh", "-c", f"{words}; true"], "--inject", FSYNC)

    result = judge(run.recording, SYNC)
    assert errors(run.recording, result) == {f"reported? fsync({TMP})"}


@each_writer
@pytest.mark.parametrize(
    ("contract", "rule"),
    [
        (SYNC, "sync=EIO:when=2"),
        (SHORT, "write:short=1000:when=2"),
        (SPACE, "write=ENOSPC:when=2"),
        (SIGNAL, "write,sync=EINTR:when=2"),
    ],
)
def test_the_page_writers_keep_them_all(
    traced_run: Traced, writer: Writer, contract: str, rule: str
) -> None:
    run = traced_run(command(writer, "fill", "pages.db", "3"), "--inject", rule)

    result = judge(run.recording, contract)
    assert (errors(run.recording, result), result.verdict) == (set(), Verdict.KEPT)


@pytest.mark.parametrize(
    ("file", "contract", "rule", "found"),
    [
        ("complete.py", SHORT, FIRST_SHORT, {"rest-written pwrite64(pages.db)"}),
        ("complete.py", SPACE, "write=ENOSPC:when=1", set()),
        ("python/seek_write_fsync.py", SYNC, "sync=EIO:when=1", set()),
        ("rust/count_ignored.rs", SHORT, FIRST_SHORT, {"rest-written pwrite64(pages.db)"}),
        (
            "rust/buf_writer_dropped.rs",
            SPACE,
            "write=ENOSPC:when=1",
            {"reported write(pages.db)"},
        ),
        ("go/deferred_sync.go", SIGNAL, "write,sync=EINTR:when=1", set()),
    ],
)
def test_the_faulty_page_writers_break_some(
    traced_run: Traced, file: str, contract: str, rule: str, found: set[str]
) -> None:
    (program,) = (each for each in programs() if each.file == file)
    words = [*program.command(), "pages.db", str(program.page)]

    run = traced_run(words, "--inject", rule)

    assert errors(run.recording, judge(run.recording, contract)) == found
