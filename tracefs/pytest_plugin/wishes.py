"""What a test asks of tracefs: its marker, and the settings for all tests."""

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from msgspec import Struct

from tracefs.api.faults import parsed
from tracefs.contracts import find_all
from tracefs.contracts.base import Contract
from tracefs.errors import UsageError
from tracefs.faults.model import Rule
from tracefs.witness.level_names import FULL, NONE, PROC, SECCOMP

if TYPE_CHECKING:
    from tracefs.pytest_plugin.crashed import Crash

FIXTURES: Final = frozenset({"traced_dir", "traced_session"})
IN_PROCESS: Final = (NONE, PROC)
"""Who can look at calls of the tests' own process, which a filter could not be taken off again."""
BY_RUN: Final = (SECCOMP, FULL)
"""Who can look at what ``traced_dir.run`` starts, and at nothing else."""
KEEP: Final = ("failed", "all", "none")


class Wishes(Struct, frozen=True, kw_only=True):
    """What holds for one test."""

    contracts: tuple[Contract, ...] = ()
    witness: str = PROC
    paths: tuple[str, ...] = ()
    """Globs of the files that the contracts judge; empty: all."""
    without: tuple[str, ...] = ()
    """Rules that are left out."""
    page_size: int | None = None
    inject: tuple[Rule, ...] = ()
    """Faults that are made from the start."""
    payload: bool = False
    """Keep the bytes written, and the tree that there was."""
    crash: "Crash | None" = None
    """What is asked about power failures; the bytes are kept then."""

    @property
    def judged(self) -> bool:
        """Whether the test is judged by anything but itself."""
        return bool(self.contracts) or self.crash is not None


_ARGUMENTS: Final = (*Wishes.__struct_fields__, "check")


def of_test(item: pytest.Item | None, config: pytest.Config) -> Wishes:
    """Return what *item* asks for; a marker's contracts stand in place of the settings'.

    Raises:
        UsageError: It asks for what there is not.
    """
    marker = None if item is None else item.get_closest_marker("tracefs")
    given: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
    if marker is not None and marker.args:
        raise UsageError(f"the marker tracefs takes keywords alone: {', '.join(_ARGUMENTS)}")
    for name in given:
        if name not in _ARGUMENTS:
            raise UsageError(f"the marker tracefs has no {name}; it has {', '.join(_ARGUMENTS)}")
    wishes = Wishes(
        contracts=tuple(
            contract
            for each in _several(given.get("contracts", config.getini("tracefs_contracts")))
            for contract in _contracts(each, config.rootpath)
        ),
        witness=given.get("witness") or config.getini("tracefs_witness"),
        paths=_several(given.get("paths", ())),
        without=_several(given.get("without", ())),
        page_size=given.get("page_size"),
        inject=parsed(_several(given.get("inject", ()))),
        crash=_crash(given),
        payload=bool(given.get("payload", False)),
    )
    known = (*IN_PROCESS, *BY_RUN)
    if wishes.witness not in known:
        raise UsageError(f"there is no witness {wishes.witness!r}; known: {', '.join(known)}")
    if wishes.witness in IN_PROCESS and wishes.witness != in_process(config):
        raise UsageError(
            f"witness {wishes.witness!r} for one test: all tests of a run share a mount, whose "
            f"witness the setting tracefs_witness names ({in_process(config)})"
        )
    return wishes


def _crash(given: dict[str, Any]) -> "Crash | None":
    if given.keys().isdisjoint({"crash", "check"}):
        return None
    from tracefs.pytest_plugin.crashed import asked  # noqa: PLC0415  # most tests don't ask

    profiles = given.get("crash")
    return asked(None if profiles is None else ",".join(_several(profiles)), given.get("check"))


def in_process(config: pytest.Config) -> str:
    """Return who looks at calls of the tests' own process.

    Raises:
        UsageError: Nobody can whom the settings name.
    """
    witness: str = config.getini("tracefs_witness")
    if witness not in IN_PROCESS:
        raise UsageError(
            f"tracefs_witness = {witness}: the tests' own calls can be seen by "
            f"{' or '.join(IN_PROCESS)}; @pytest.mark.tracefs(witness={witness!r}) is for what "
            "traced_dir.run starts"
        )
    return witness


def keep(config: pytest.Config) -> str:
    """Return which recordings are to be kept.

    Raises:
        UsageError: There is no such choice.
    """
    chosen: str = config.getoption("tracefs_keep") or config.getini("tracefs_keep")
    if chosen not in KEEP:
        raise UsageError(f"tracefs_keep = {chosen}: there is {', '.join(KEEP)}")
    return chosen


def require_possible(item: pytest.Item) -> None:
    """Fail a test whose marker asks for what can't be."""
    if FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        pytest.fail(
            f"@pytest.mark.tracefs on {item.name}, which uses neither traced_dir nor "
            "traced_session: nothing of it would be recorded",
            pytrace=False,
        )
    fault = None
    try:
        of_test(item, item.config)
    except UsageError as error:
        fault = error
    if fault is not None:
        pytest.fail(f"@pytest.mark.tracefs on {item.name}: {fault}", pytrace=False)


def _contracts(asked: Any, folder: Path) -> tuple[Contract, ...]:
    """Return the contracts of one word, path or object; a path is relative to *folder*."""
    if not isinstance(asked, str | os.PathLike):
        return (asked,)
    name = os.fspath(asked)
    is_path = name != asked or "/" in name or name.endswith(".toml")
    return _found(os.fspath(folder / name) if is_path else name)


@lru_cache
def _found(name: str) -> tuple[Contract, ...]:
    return find_all(name)  # a file takes milliseconds, for each test


def _several(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, str | os.PathLike) else tuple(value)
