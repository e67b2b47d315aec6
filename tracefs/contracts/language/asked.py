"""Which fields a contract's conditions ask for."""

from collections.abc import Iterator

from tracefs.contracts.language.evaluate import uses
from tracefs.contracts.language.lint import patterns_of
from tracefs.contracts.language.model import ContractSpec, Must, Pattern


def fields_asked(spec: ContractSpec) -> frozenset[str]:
    """Return the names of the fields that any condition of *spec* asks for."""
    return frozenset(name for asked in _asked(spec) for name in asked)


def _asked(spec: ContractSpec) -> Iterator[frozenset[str]]:
    patterns: list[Pattern] = [] if spec.some is None else [spec.some]
    for rule in spec.rules:
        patterns.extend(patterns_of(rule.clause))
        if isinstance(rule.clause, Must):
            yield uses(rule.clause.must)
    for pattern in patterns:
        yield from (uses(call.where) for call in pattern.calls if call.where is not None)
