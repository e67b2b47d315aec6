"""What must hold of a trace: the contracts that come with tracefs.

A contract reads a trace once and answers with a `tracefs.findings.ContractResult`. `base` says what
a contract is, `log` keeps findings in bounded memory; each contract has a module of its own.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tracefs.contracts.base import Contract
from tracefs.contracts.page_write import PageWrite
from tracefs.errors import UsageError

BUILT_IN: Final[Mapping[str, Contract]] = MappingProxyType(
    {contract.id: contract for contract in (PageWrite(),)}
)
"""Contracts by id."""


def find(name: str) -> Contract:
    """Return the built-in contract called *name*.

    Raises:
        UsageError: There is none; the message lists those that exist.
    """
    try:
        return BUILT_IN[name]
    except KeyError:
        known = ", ".join(sorted(BUILT_IN))
        raise UsageError(f"There is no contract {name!r}; known: {known}.") from None
