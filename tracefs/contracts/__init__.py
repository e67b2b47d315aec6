"""What must hold of a trace: the contracts that come with tracefs, and those in files.

A contract reads a trace once and answers with a `tracefs.findings.ContractResult`. `base` says what
a contract is, `log` keeps findings in bounded memory; `page_write` is one in Python, `builtin` has
those that are contract files, and `language` reads and runs such files.
"""

import os
from collections.abc import Mapping
from glob import escape, glob
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tracefs.contracts.base import Contract
from tracefs.contracts.page_write import PageWrite
from tracefs.errors import UsageError

if TYPE_CHECKING:
    from tracefs.contracts.language.model import ContractSpec

BUILT_IN: Final[Mapping[str, Contract]] = MappingProxyType(
    {contract.id: contract for contract in (PageWrite(),)}
)
"""Contracts in Python, by id."""

_FOLDER: Final = os.path.join(os.path.dirname(__file__), "builtin")
_SUFFIX: Final = ".toml"
_KNOWN: Final = (
    "`tracefs contracts list` shows those that come with tracefs; a file's name ends in .toml."
)


def names() -> tuple[str, ...]:
    """Return the names of all contracts that come with tracefs."""
    files = glob(os.path.join(escape(_FOLDER), f"*{_SUFFIX}"))
    return tuple(sorted({*BUILT_IN, *(os.path.basename(each)[: -len(_SUFFIX)] for each in files)}))


def is_file(name: str) -> bool:
    """Return whether *name* is the path of a file: it has a slash, or ends in ``.toml``."""
    return "/" in name or name.endswith(_SUFFIX)


def file_of(name: str) -> str | None:
    """Return the contract file that *name* stands for; None: it is one in Python alone.

    Raises:
        UsageError: There is no such contract.
    """
    if is_file(name):
        return name
    known = names()
    if name not in known:
        from tracefs.pathtext import quoted  # noqa: PLC0415
        from tracefs.suggestion import suggestion  # noqa: PLC0415

        instead = suggestion(name, known) or f"; known: {', '.join(known)}."
        raise UsageError(f"There is no contract {quoted(name)}{instead}", repair=_KNOWN)
    path = os.path.join(_FOLDER, name + _SUFFIX)
    return path if os.path.exists(path) else None


def find_all(name: str) -> tuple[Contract, ...]:
    """Return the built-in contract called *name*, or all that the file *name* has.

    Raises:
        UsageError: There is no such contract or file, or the file can't be understood.
    """
    if name in BUILT_IN:
        return (BUILT_IN[name],)
    # Most checks are by a contract in Python, and what reads files takes longer to import.
    from tracefs.contracts.language.engine import LanguageContract  # noqa: PLC0415

    return tuple(map(LanguageContract, specs(name)))


def specs(name: str) -> "tuple[ContractSpec, ...]":
    """Return what the file says that *name* stands for, as `file_of` takes it.

    Raises:
        UsageError: There is no such contract or file, or the file can't be understood.
    """
    from tracefs.contracts.language.reading import load  # noqa: PLC0415

    path = file_of(name)
    if path is None:
        raise UsageError(f"{name} is written in Python and has no file.", repair=_KNOWN)
    return load(path, None if path == name else os.path.basename(path))


def find(name: str) -> Contract:
    """Return the one contract that *name* stands for, as `find_all` takes it.

    Raises:
        UsageError: There is none, or the file has several.
    """
    contracts = find_all(name)
    if len(contracts) > 1:
        ids = ", ".join(contract.id for contract in contracts)
        raise UsageError(f"{name} has several contracts, and one is wanted: {ids}.")
    return contracts[0]
