"""The cases: what is traced, and what must be found where."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pagewriters
from soak.programs import GIT, LEVELDB, LMDB, Program

from crash_suite.building import BOLT, REDB, Built, faulty
from tracefs.crashes import Loss

CORRUPT: Final = Loss.CORRUPT
LOST: Final = Loss.ACKNOWLEDGED
WORST: Final = "linux"
"""The profiles that are the default: those of the Linux filesystems."""
STRICT: Final = "posix-strict"
ALL: Final = "all"
_ACKS: Final = '$(cat "$TRACEFS_ACKS")'


@dataclass(frozen=True)
class Expected:
    """What the exploration under a profile has to say."""

    profile: str
    must: frozenset[Loss] = frozenset()
    """Each of these is found; none: all is kept."""
    may: frozenset[Loss] = frozenset()
    """May be found beside them; what is in neither is a false alarm."""
    deep: bool = False
    """With ``--deep``, which tears pages into sectors, too."""


def kept(profile: str, *, deep: bool = False) -> Expected:
    return Expected(profile, deep=deep)


def found(profile: str, *losses: Loss, may: Sequence[Loss] = ()) -> Expected:
    return Expected(profile, frozenset(losses), frozenset(may))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One program, used in one way."""

    name: str
    title: str
    """What it does, for the table."""
    work: tuple[str, ...]
    """What is traced."""
    make: tuple[str, ...] = ()
    """What makes the files before; empty: there are none."""
    check: str
    """As for ``tracefs crash --check``."""
    expected: tuple[Expected, ...]
    needs: tuple[Program, ...] = ()
    built: tuple[Built, ...] = ()
    compiled: str | None = None
    """A page writer's name in ``tests/pagealloc/writers.toml`` that has to be built."""
    short: bool = field(default=False)
    """In the short form, too."""


def _program(name: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"crash_suite.programs.{name}", *words)


def _script(name: str) -> str:
    script = Path(__file__).parent / "checks" / name
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} {{dir}}"


def _sqlite(journal: str, synchronous: str, *expected: Expected, short: bool = False) -> Case:
    return Case(
        name=f"sqlite-{journal}-{synchronous}".lower(),
        title=f"SQLite, journal_mode={journal}, synchronous={synchronous}",
        make=_program("sqlite", "make", journal, "FULL"),
        work=_program("sqlite", "work", journal, synchronous),
        check="sqlite",
        expected=expected,
        short=short,
    )


def _json(name: str, title: str, *synced: str, expected: tuple[Expected, ...]) -> Case:
    return Case(
        name=f"json-{name}",
        title=f"`json.dump`, `os.replace`; {title}",
        make=_program("json_replace", "make", *synced),
        work=_program("json_replace", "work", *synced),
        check="json",
        expected=expected,
        short=True,
    )


def _lmdb(name: str, title: str, *flags: str, expected: tuple[Expected, ...]) -> Case:
    return Case(
        name=name,
        title=f"LMDB, {title}",
        make=_program("lmdb_rows", "make"),
        work=_program("lmdb_rows", "work", *flags),
        check="lmdb",
        expected=expected,
        needs=(LMDB,),
    )


def _git(name: str, title: str, *fsync: str, expected: tuple[Expected, ...]) -> Case:
    return Case(
        name=name,
        title=f"git, {title}",
        make=_program("git_commits", "make", *fsync),
        work=_program("git_commits", "work", *fsync),
        check="git",
        expected=expected,
        needs=(GIT,),
    )


def _store(
    name: str, title: str, program: Built, words: Sequence[str], *expected: Expected
) -> Case:
    """Return a case of `BOLT` or of `REDB`, which have the same command line."""
    binary, first = str(program.binary), "write" if program is REDB else "sync"
    return Case(
        name=name,
        title=title,
        make=(binary, first, "rows.db", "0", "12"),
        work=(binary, *words, "rows.db", "12", "4"),
        check=f"{shlex.quote(binary)} check {{dir}}/rows.db {_ACKS}",
        expected=expected,
        built=(program,),
    )


def _writers() -> list[Case]:
    """Return the cases of the page writers: each as it is, and without its sync."""
    unsynced: dict[str, Built | tuple[str, ...]] = {
        "python": _faulty_python("synced.py"),
        "rust": faulty("rust/flush_is_no_sync.rs"),
        "go": faulty("go/unsynced.go"),
        "cpp": faulty("cpp/unsynced.cc"),
    }
    cases = []
    for writer in pagewriters.listed():
        whole = Case(
            name=f"pages-{writer.name}",
            title=f"page writer in {writer.language}, `--sync-dir`",
            work=_program("pages", "work", writer.command, "write", "--sync-dir"),
            check="page-file",
            expected=(kept(ALL),),
            compiled=writer.name,
            short=writer.name == "python",
        )
        without = unsynced[writer.name]
        command = without if isinstance(without, tuple) else (str(without.binary),)
        cases += [
            whole,
            Case(
                name=f"pages-{writer.name}-unsynced",
                title=f"page writer in {writer.language}, its sync taken out",
                work=_program("pages", "work", *command),
                check="page-file",
                expected=(kept("prefix"), found(WORST, LOST)),
                built=() if isinstance(without, tuple) else (without,),
                short=writer.name == "python",
            ),
            Case(
                name=f"pages-{writer.name}-name",
                title=f"page writer in {writer.language}, new file, directory not synced",
                work=_program("pages", "work", writer.command, "write"),
                check="page-file",
                expected=(kept(WORST), found(STRICT, LOST)),
                compiled=writer.name,
                short=writer.name == "python",
            ),
        ]
    return cases


def _faulty_python(file: str) -> tuple[str, ...]:
    return (sys.executable, str(pagewriters.ROOT / "tools" / "pagealloc" / "faulty" / file))


CASES: Final = (
    _json("unsynced", "nothing synced", expected=(found(WORST, CORRUPT, may=[LOST]),)),
    _json(
        "file", "file synced, directory not", "file",
        expected=(found(WORST, LOST), found(STRICT, LOST)),
    ),
    _json("both", "file and directory synced", "file", "directory", expected=(kept(ALL),)),
    _sqlite("DELETE", "FULL", found(WORST, LOST), short=True),
    _sqlite("DELETE", "NORMAL", found(WORST, CORRUPT, may=[LOST])),
    _sqlite("DELETE", "OFF", found(WORST, CORRUPT, may=[LOST])),
    _sqlite("MEMORY", "FULL", found(WORST, CORRUPT, may=[LOST])),
    _sqlite("WAL", "OFF", found(WORST, CORRUPT, may=[LOST])),
    _sqlite("WAL", "NORMAL", found(WORST, LOST), short=True),
    _sqlite("DELETE", "EXTRA", kept(WORST), kept(STRICT), short=True),
    _sqlite("WAL", "FULL", kept(WORST), kept(STRICT), short=True),
    _sqlite("TRUNCATE", "FULL", kept(WORST), kept(STRICT)),
    _sqlite("PERSIST", "FULL", kept(WORST), kept(STRICT)),
    _lmdb("lmdb", "as it is", expected=(kept(WORST), kept(STRICT), kept(WORST, deep=True))),
    _lmdb("lmdb-nosync", "`sync=False`", "nosync", expected=(found(WORST, CORRUPT, may=[LOST]),)),
    _lmdb(
        "lmdb-writemap", "`writemap=True`, `sync=False`", "nosync", "writemap",
        expected=(found(WORST, CORRUPT, may=[LOST]),),
    ),
    Case(
        name="leveldb-new",
        title="LevelDB (plyvel), new database, `sync=True`",
        work=_program("leveldb_rows"),
        check=_script("leveldb.py"),
        expected=(found("ext4-ordered", Loss.CREATION), found(STRICT, CORRUPT, may=[LOST])),
        needs=(LEVELDB,),
    ),
    _git("git", "as it is", expected=(found(WORST, CORRUPT, may=[LOST]),)),
    _git("git-all", "`core.fsync=all`", "all", expected=(found("ext4-ordered,xfs", LOST),)),
    Case(
        name="dbm-dumb",
        title="`dbm.dumb`, `sync()` after each row",
        make=_program("dbm_rows", "make"),
        work=_program("dbm_rows", "work"),
        check=_script("dumb.py"),
        expected=(found(WORST, CORRUPT, may=[LOST]),),
    ),
    _store("bbolt", "bbolt, as it is", BOLT, ["sync"], kept(WORST), kept(STRICT)),
    _store("bbolt-nosync", "bbolt, `NoSync`", BOLT, ["no-sync"],
           found(WORST, CORRUPT, may=[LOST])),
    _store("redb", "redb, as it is", REDB, ["write"], kept(WORST), kept(STRICT)),
    *_writers(),
)  # fmt: skip
