"""The program on the traced directory: commits rows and acknowledges each, or reads all back."""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from soak.databases import rows


class Store(Protocol):
    """One connection to a database."""

    def commit(self, number: int, contents: bytes, slot: int) -> None:
        """Add a row and replace a slot in one transaction; return when it is durable."""
        ...

    def rows(self) -> dict[int, bytes]:
        """Return all rows."""
        ...

    def slots(self) -> dict[int, bytes]:
        """Return all slots."""
        ...

    def damage(self) -> list[str]:
        """Return what the database's own check finds."""
        ...

    def close(self) -> None: ...


class Engine(Protocol):
    """A database in ``db`` of the working directory."""

    def serving(self, *, busy: bool) -> AbstractContextManager[None]:
        """Run what serves the database, if anything does; *busy*: with work of its own beside."""
        ...

    def store(self) -> Store:
        """Open a connection; make the database if there is none."""
        ...

    def damage_at_rest(self) -> list[str]:
        """Return what the database's own check of its files finds, with nothing serving them."""
        ...


@dataclass(frozen=True)
class Setting:
    """What an engine is told."""

    variant: str
    """What to vary, in the engine's own words."""
    sockets: Path
    """A directory for sockets, not traced."""


def main(engine_of: Callable[[Setting], Engine], arguments: Sequence[str] | None = None) -> int:
    """Do what the command line tells; return the exit status."""
    args = _parser().parse_args(arguments)
    engine = engine_of(Setting(args.variant, args.sockets))
    if args.do == "check":
        print(json.dumps(_check(engine)))
        return 0
    with engine.serving(busy=True):
        children = []
        for writer in range(args.writers):
            own = args.first + (writer - args.first) % args.writers
            numbers = range(own, args.first + args.count, args.writers)
            child = os.fork()
            if child == 0:
                os._exit(_writer(engine, numbers, linger=args.linger))
            children.append(child)
        statuses = [os.waitpid(child, 0)[1] for child in children]
    return int(any(statuses))


def _writer(engine: Engine, numbers: range, *, linger: bool) -> int:
    try:
        store = engine.store()
        for number in numbers:
            store.commit(number, rows.contents(number), rows.slot(number))
            os.write(1, b"%d\n" % number)  # the acknowledgement
        if linger:
            sys.stdin.read()
        store.close()
    except BaseException:  # noqa: BLE001  # a forked process must end here
        traceback.print_exc()
        return 1
    return 0


def _check(engine: Engine) -> dict[str, list[int] | list[str]]:
    with engine.serving(busy=False):
        store = engine.store()
        found = store.rows()
        damage = rows.wrong(found, store.slots()) + store.damage()
        store.close()
    return {"rows": sorted(found), "damage": damage + engine.damage_at_rest()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    add = parser.add_argument
    add("--variant", default="")
    add("--sockets", type=Path, default=Path())
    add("do", choices=("write", "check"))
    add("--first", type=int, default=0, help="number of the first row")
    add("--count", type=int, default=1, help="how many rows to commit")
    add("--writers", type=int, default=1, help="how many processes commit them")
    add("--linger", action="store_true", help="stay until the input ends")
    return parser
