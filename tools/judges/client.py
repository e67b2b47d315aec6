"""The program under faults: commits rows, and tells of each what it was told; or reads all back.

``python -m judges.client ENGINE --variant V --sockets DIR make|work|check``. Each line that it
prints is a `Did`, or at ``check`` a `Found`, as JSON.

It is as stubborn as a service: after one failure it goes on with the same store, after two in a row
it opens the store anew, and reads what is there, as one that was restarted would.
"""

import argparse
import importlib
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from soak.databases import rows
from soak.databases.client import Engine, Setting

T = TypeVar("T")

# Rows that share a slot have the same length, and so small numbers have many lengths.
_STEP: Final = 15
BASE: Final = tuple(range(0, 8 * _STEP, _STEP))
"""Rows that are there before anything fails."""
WORK: Final = tuple(range(8 * _STEP, 14 * _STEP, _STEP))
"""Rows that are committed under faults; the last one after the store was opened anew."""
_LIVES: Final = 4
ENGINES: Final = {
    "git": "judges.stores.git_store:Git",
    "leveldb": "judges.stores.leveldb_store:LevelDB",
    "lmdb": "soak.databases.lmdb_store:LMDB",
    "postgres": "soak.databases.postgres_store:PostgreSQL",
    "redis": "soak.databases.redis_store:Redis",
    "rocksdb": "soak.databases.rocksdb_store:RocksDB",
    "sqlite": "soak.databases.sqlite_store:SQLite",
}


class Did(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was asked of the store, and the answer."""

    what: str
    """``serve`` (a server starts), ``open``, ``commit``, ``rows``, ``close``, ``end`` (of a life:
    a server is stopped)."""
    began_ns: int
    """CLOCK_MONOTONIC, as in the journal."""
    ended_ns: int
    number: int | None = None
    """Row that was committed."""
    error: str | None = None
    """What was said; None: it succeeded."""
    rows: tuple[int, ...] | None = None
    """Rows that were read."""


class RefusedError(Exception):
    """What was asked for failed, and that was told."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a store has, opened afterwards."""

    rows: tuple[int, ...]
    damage: tuple[str, ...]


def main() -> int:
    """Do what the command line tells; return the exit status."""
    args = _parser().parse_args()
    module, _, name = ENGINES[args.engine].partition(":")
    factory: Callable[[Setting], Engine] = getattr(importlib.import_module(module), name)

    def engine() -> Engine:
        return factory(Setting(args.variant, args.sockets))

    if args.do == "check":
        _print(_check(engine()))
        return 0
    if args.do == "make":
        with engine().serving(busy=False):
            store = engine().store()
            for number in BASE:
                store.commit(number, rows.contents(number), rows.slot(number))
            store.close()
        return 0
    return _work(engine, args.sockets / "log")


def _work(engine: Callable[[], Engine], log: Path) -> int:
    """Commit all rows, in as many lives of the store as that takes; return the exit status."""
    pending = deque(WORK)
    clean = True
    for life in range(_LIVES):
        if not pending:
            break
        # The last row is for a store that was opened anew.
        clean &= _live(engine(), pending, keep=1 if life == 0 else 0, reads=life > 0)
        with suppress(FileNotFoundError):
            log.rename(log.with_name(f"log{life}"))
    return 0 if clean else 1


def _live(engine: Engine, pending: deque[int], *, keep: int, reads: bool) -> bool:
    """Open the store and commit until two commits in a row fail; return whether nothing failed."""
    failures = in_a_row = 0
    stack = ExitStack()
    try:
        _ask("serve", lambda: stack.enter_context(engine.serving(busy=False)))
        store = _ask("open", engine.store)
        try:
            if reads:
                _ask("rows", store.rows)
            while len(pending) > keep and in_a_row < 2:
                number = pending.popleft()
                contents, slot = rows.contents(number), rows.slot(number)
                try:
                    _ask("commit", partial(store.commit, number, contents, slot), number)
                    in_a_row = 0
                except RefusedError:
                    failures, in_a_row = failures + 1, in_a_row + 1
        finally:
            _ask("close", store.close)
        _ask("end", stack.close)
    except RefusedError:
        failures += 1
        with suppress(Exception):
            stack.close()
    return not failures


def _ask(what: str, do: Callable[[], T], number: int | None = None) -> T:
    began = time.monotonic_ns()
    error: str | None = None
    found: tuple[int, ...] | None = None
    try:
        answer = do()
    except Exception as caught:
        error = f"{type(caught).__name__}: {caught}"
        raise RefusedError from caught
    else:
        if isinstance(answer, dict):
            found = tuple(sorted(answer))
        return answer
    finally:
        ended = time.monotonic_ns()
        _print(
            Did(what=what, number=number, began_ns=began, ended_ns=ended, error=error, rows=found)
        )


def _check(engine: Engine) -> Found:
    with engine.serving(busy=False):
        store = engine.store()
        found = store.rows()
        damage = rows.wrong(found, store.slots()) + store.damage()
        store.close()
    return Found(rows=tuple(sorted(found)), damage=(*damage, *engine.damage_at_rest()))


def _print(item: msgspec.Struct) -> None:
    os.write(1, msgspec.json.encode(item) + b"\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add = parser.add_argument
    add("engine", choices=ENGINES)
    add("--variant", default="")
    add("--sockets", type=Path, required=True)
    add("do", choices=("make", "work", "check"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
