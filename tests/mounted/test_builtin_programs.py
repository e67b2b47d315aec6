"""Other people's programs, judged by the built-in contracts as their own documents would have it.

Their pages in ``docs/reference/contract-*.md`` say which documents, and what was unexpected.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
from judged_support import advice, errors, judge
from lacking import lacking
from mounted_support import Run
from soak.programs import DPKG, GIT, LMDB, VIM, Program

from tracefs.findings import Verdict

Traced = Callable[..., Run]


def need(program: Program) -> None:
    """Skip the test where *program* isn't installed; where CI is set that is a failure."""
    if program.path is None:
        lacking(f"not installed: {program.name}; make setup-soak installs it")


def run_well(traced_run: Traced, command: Sequence[str], **more: object) -> Path:
    """Return the recording of *command*, which ends well."""
    run = traced_run(command, **more)
    assert (run.returncode, run.stderr) == (0, "")
    return run.recording


# SQLite, by its pages atomiccommit.html, wal.html and pragma.html

DATABASE: Final = """
import sqlite3, sys
mode, synchronous, cache = sys.argv[1:]
db = sqlite3.connect("a.db", isolation_level=None)
db.execute(f"PRAGMA journal_mode={mode}")
db.execute(f"PRAGMA synchronous={synchronous}")
db.execute(f"PRAGMA cache_size={cache}")
db.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, x BLOB)")
for n in range(3):
    db.execute("BEGIN")
    db.executemany("INSERT INTO t VALUES (?, zeroblob(900))", [(n * 100 + i,) for i in range(100)])
    db.execute("UPDATE t SET x = zeroblob(901)")
    db.execute("COMMIT")
db.execute("PRAGMA wal_checkpoint")
db.execute("DELETE FROM t WHERE n % 2")
db.close()
"""
DURABLE: Final = ("a.db", "a.db-wal", "a.db-journal")
"""All but ``a.db-shm``, which is made anew after a crash (walformat.html)."""


def sqlite(traced_run: Traced, mode: str, synchronous: str, cache: int = 2000) -> Path:
    return run_well(traced_run, [sys.executable, "-c", DATABASE, mode, synchronous, str(cache)])


@pytest.mark.parametrize(
    ("mode", "synchronous", "cache"),
    [
        ("wal", "full", 2000),
        ("wal", "normal", 5),
        ("delete", "full", 5),
        ("delete", "normal", 2000),
        ("truncate", "full", 2000),
        ("persist", "extra", 5),
    ],
)
def test_sqlite_syncs_its_log_first(
    traced_run: Traced, mode: str, synchronous: str, cache: int
) -> None:
    recording = sqlite(traced_run, mode, synchronous, cache)
    result = judge(recording, "wal-before-data")
    assert errors(recording, result) == set()
    assert result.verdict is Verdict.KEPT


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (
            "wal",
            {"log-first pwrite64(a.db)", "data-before-reset pwrite64(a.db-wal)"}
            | {"data-before-reset unlink(a.db-wal)"},
        ),
        ("delete", {"log-first pwrite64(a.db)", "data-before-reset unlink(a.db-journal)"}),
        ("truncate", {"log-first pwrite64(a.db)", "data-before-reset ftruncate(a.db-journal)"}),
        ("persist", {"log-first pwrite64(a.db)", "data-before-reset pwrite64(a.db-journal)"}),
    ],
)
def test_sqlite_without_syncs_does_not(traced_run: Traced, mode: str, expected: set[str]) -> None:
    recording = sqlite(traced_run, mode, "off")
    assert errors(recording, judge(recording, "wal-before-data")) == expected


@pytest.mark.parametrize("mode", ["memory", "off"])
def test_sqlite_without_a_log_shows_nothing(traced_run: Traced, mode: str) -> None:
    recording = sqlite(traced_run, mode, "full")
    assert errors(recording, judge(recording, "wal-before-data")) == {"some?"}


@pytest.mark.parametrize("mode", ["wal", "delete", "truncate", "persist"])
def test_sqlite_leaves_nothing_unsynced(traced_run: Traced, mode: str) -> None:
    recording = sqlite(traced_run, mode, "full")
    result = judge(recording, "no-unsynced-close", paths=DURABLE)
    assert errors(recording, result) == set()
    assert result.verdict is Verdict.KEPT


def test_sqlite_without_syncs_leaves_all(traced_run: Traced) -> None:
    recording = sqlite(traced_run, "delete", "off")
    result = judge(recording, "no-unsynced-close")
    assert errors(recording, result) == {
        "synced-before-close pwrite64(a.db)",
        "synced-before-close pwrite64(a.db-journal)",
    }


def test_sqlite_maps_no_file_but_the_index_of_its_wal(traced_run: Traced) -> None:
    recording = sqlite(traced_run, "wal", "full")
    assert judge(recording, "no-mmap-writes", paths=DURABLE).verdict is Verdict.KEPT
    assert errors(recording, judge(recording, "no-mmap-writes")) == {
        "no-shared-mapping mmap(a.db-shm)",
        "no-stores mmap(a.db-shm)",
    }


def test_the_wal_is_no_log_that_only_grows(traced_run: Traced) -> None:
    """It begins again once it is all in the database."""
    recording = sqlite(traced_run, "wal", "full")
    result = judge(recording, "append-only-log", paths=("a.db-wal",))
    assert errors(recording, result) == {"appended pwrite64(a.db-wal)"}


# LMDB (lmdb.h: MDB_WRITEMAP, MDB_NOSYNC, MDB_NOMETASYNC)

STORE: Final = """
import lmdb, sys
env = lmdb.open("db", map_size=1 << 20, **{name: value == "1" for name, _, value in
    (word.partition("=") for word in sys.argv[1:])})
for n in range(5):
    with env.begin(write=True) as transaction:
        transaction.put(b"%d" % n, bytes(3000))
env.close()
"""


def lmdb(traced_run: Traced, *options: str) -> Path:
    need(LMDB)
    return run_well(traced_run, [sys.executable, "-c", STORE, *options])


def test_lmdb_writes_its_data_by_calls(traced_run: Traced) -> None:
    recording = lmdb(traced_run)
    data = judge(recording, "no-mmap-writes", paths=("data.mdb",))
    assert data.verdict is Verdict.KEPT
    # The table of readers is shared memory.
    assert errors(recording, judge(recording, "no-mmap-writes")) == {
        "no-shared-mapping mmap(db/lock.mdb)",
        "no-stores mmap(db/lock.mdb)",
    }


def test_lmdb_with_writemap_does_not(traced_run: Traced) -> None:
    recording = lmdb(traced_run, "writemap=1")
    result = judge(recording, "no-mmap-writes", paths=("data.mdb",))
    assert errors(recording, result) == {
        "no-shared-mapping mmap(db/data.mdb)",
        "no-stores mmap(db/data.mdb)",
    }


@pytest.mark.parametrize("options", [(), ("writemap=1",)], ids=["plain", "writemap"])
def test_lmdb_leaves_nothing_unsynced(traced_run: Traced, options: tuple[str, ...]) -> None:
    recording = lmdb(traced_run, *options)
    result = judge(recording, "no-unsynced-close", paths=("data.mdb",))
    assert errors(recording, result) == set()
    assert result.verdict is Verdict.KEPT


@pytest.mark.parametrize("option", ["sync=0", "metasync=0"])
def test_lmdb_told_not_to_sync_leaves_something(traced_run: Traced, option: str) -> None:
    recording = lmdb(traced_run, option)
    result = judge(recording, "no-unsynced-close", paths=("data.mdb",))
    assert errors(recording, result) == {"synced-before-close pwrite64(db/data.mdb)"}


# Logs

LOGGING: Final = """
import logging, logging.handlers
{handler}
logging.basicConfig(handlers=[handler], level=logging.INFO)
for n in range(5):
    logging.info("record %d", n)
"""


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ('handler = logging.FileHandler("app.log")', set()),
        (
            'handler = logging.handlers.RotatingFileHandler("app.log", maxBytes=40, backupCount=2)',
            set(),
        ),
        ('handler = logging.FileHandler("app.log", mode="w")', {"not-cut openat(app.log)"}),
    ],
    ids=["plain", "rotating", "emptied"],
)
def test_logs_of_python_grow_unless_they_are_emptied(
    traced_run: Traced, tmp_path: Path, handler: str, expected: set[str]
) -> None:
    (tmp_path / "src" / "app.log").write_bytes(b"earlier\n")
    script = LOGGING.format(handler=handler)
    recording = run_well(traced_run, [sys.executable, "-c", script])
    result = judge(recording, "append-only-log")
    assert errors(recording, result) == expected
    # Flushed to the kernel after each record (logging.StreamHandler), and no further.
    assert "synced-at-end" in advice(result)


# Saves

VIM_SAVES: Final = (
    "-Nu", "NONE", "-i", "NONE", "-n", "-es",
    # In /tmp it makes no backup (:help 'backupskip'), and so writes over the file.
    "--cmd", "set backupskip= {settings}", "-c", "normal ccnew", "-c", "wq", "f.txt",
)  # fmt: skip


def vim(traced_run: Traced, tmp_path: Path, settings: str) -> Path:
    need(VIM)
    (tmp_path / "src" / "f.txt").write_text("old\n")
    words = [word.format(settings=settings) for word in VIM_SAVES]
    recording = run_well(traced_run, [str(VIM), *words])
    assert (tmp_path / "src" / "f.txt").read_text() == "new\n"
    return recording


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("backupcopy=no", {"name-kept rename(f.txt)"}),
        ("backupcopy=yes", {"not-in-place ftruncate(f.txt)"}),
    ],
)
def test_vim_keeps_a_backup_and_replaces_nothing_atomically(
    traced_run: Traced, tmp_path: Path, settings: str, expected: set[str]
) -> None:
    recording = vim(traced_run, tmp_path, settings)
    result = judge(recording, "atomic-replace", paths=("f.txt",))
    assert errors(recording, result) - {"directory-synced rename(f.txt)"} == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [("fsync", set()), ("nofsync", {"synced-before-close write(f.txt)"})],
)
def test_vim_syncs_what_it_saves_unless_told_not_to(
    traced_run: Traced, tmp_path: Path, settings: str, expected: set[str]
) -> None:
    recording = vim(traced_run, tmp_path, settings)
    result = judge(recording, "no-unsynced-close", paths=("f.txt",))
    assert errors(recording, result) == expected


def test_sed_renames_what_it_did_not_sync(traced_run: Traced, tmp_path: Path) -> None:
    (tmp_path / "src" / "f.txt").write_text("old\n")
    recording = run_well(traced_run, ["sed", "-i", "s/old/new/", "f.txt"])
    found = errors(recording, judge(recording, "atomic-replace"))
    assert {name.partition("(")[0] for name in found} == {
        "synced-before-rename rename",
        "directory-synced rename",
    }


ARCHITECTURES: Final = """
mkdir -p db/updates db/info
touch db/status db/available
dpkg --admindir=db --force-not-root --add-architecture arm64
dpkg --admindir=db --force-not-root --add-architecture armhf
"""


def test_dpkg_replaces_its_lists_as_it_should(traced_run: Traced) -> None:
    need(DPKG)
    recording = run_well(traced_run, ["sh", "-euc", ARCHITECTURES])
    result = judge(recording, "atomic-replace")
    assert errors(recording, result) == set()
    assert result.verdict is Verdict.KEPT


COMMITS: Final = """
git init -q -b main .
git config core.fsync "$1"
for n in 1 2; do echo "$n" >f; git add f; git commit -q -m "$n"; done
"""
GIT_ALONE: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{
        f"GIT_{role}_{what}": "a@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    },
}


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        # git-config(1) has "reference", which is among "all"; of directories it says nothing.
        ("all", {"directory-synced"}),
        ("none", {"synced-before-rename", "directory-synced"}),
    ],
)
def test_git_syncs_its_references_where_told_to(
    traced_run: Traced, components: str, expected: set[str]
) -> None:
    need(GIT)
    command = ["sh", "-euc", COMMITS, "sh", components]
    recording = run_well(traced_run, command, env=GIT_ALONE)
    result = judge(recording, "atomic-replace", paths=(".git/refs/heads/main",))
    rename = " rename(.git/refs/heads/main.lock)"
    assert errors(recording, result) == {rule + rename for rule in expected}
    reflogs = judge(recording, "append-only-log", paths=(".git/logs/*",))
    assert reflogs.verdict is Verdict.KEPT


# Direct I/O


@pytest.mark.parametrize(
    ("size", "count", "expected"),
    [
        (4096, 4, set()),
        # dd(1) takes the flag away for a last block that is not whole.
        (4096, 5000, set()),
        (1000, 3, {"aligned write(out)"}),
    ],
    ids=["whole", "last one not whole", "misaligned"],
)
def test_dd_by_direct_io(
    traced_run: Traced, tmp_path: Path, size: int, count: int, expected: set[str]
) -> None:
    (tmp_path / "in").write_bytes(bytes(count if count > 100 else size * count))
    command = ["dd", f"if={tmp_path / 'in'}", "of=out", f"bs={size}", "oflag=direct"]
    recording = run_well(traced_run, [*command, "conv=fdatasync", "status=none"])
    result = judge(recording, "direct-io-aligned")
    assert errors(recording, result) == expected
    assert result.verdict is (Verdict.BROKEN if expected else Verdict.KEPT)
