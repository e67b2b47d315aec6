"""Contracts written as text, and judged on scripts of calls."""

from collections.abc import Iterable

from page_write_calls import header

from tracefs.contracts.base import Settings
from tracefs.contracts.language.engine import LanguageContract
from tracefs.contracts.language.reading import read_contracts
from tracefs.findings import ContractResult, Verdict
from tracefs.trace.call import TraceItem


def contract(clauses: str, **keys: str) -> LanguageContract:
    """Return the contract with these *clauses* (TOML) and other *keys*."""
    more = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    text = f'version = 1\n[[contract]]\nid = "tried"\n{more}{clauses}\n'
    (spec,) = read_contracts(text, "tried.toml")
    return LanguageContract(spec)


def judged(
    tried: LanguageContract,
    items: Iterable[TraceItem],
    *,
    complete: bool = True,
    witness: str = "seccomp",
    paths: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
) -> ContractResult:
    """Return what *tried* says of *items*."""
    judge = tried.start(header(witness=witness), Settings(paths=paths, without=without))
    for item in items:
        judge.feed(item)
    return judge.finish(complete=complete, why=None)


def found(result: ContractResult) -> list[tuple[str, str, int | None]]:
    """Return rule, verdict and call of each finding."""
    return [(each.rule, str(each.verdict), each.call) for each in result.findings]


def assert_kept(result: ContractResult) -> None:
    """Hold that nothing is wrong or uncertain."""
    assert found(result) == []
    assert result.verdict is Verdict.KEPT
