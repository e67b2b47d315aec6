"""What a contract forbids and asks for at once: it could only be broken."""

from collections.abc import Iterator

from tracefs.contracts.language.model import (
    Before,
    CallPattern,
    ContractSpec,
    Must,
    Never,
    Next,
    PathPattern,
    Pattern,
    Sequence,
)
from tracefs.errors import TextFileError
from tracefs.findings import Severity
from tracefs.placed.snippet import error_at


def contradiction(spec: ContractSpec) -> TextFileError | None:
    """Return an error where a `never` of *spec* has all that another clause asks for."""
    errors = [rule for rule in spec.rules if rule.severity is Severity.ERROR]
    forbidden = [
        call
        for rule in errors
        if isinstance(rule.clause, Never)
        for pattern in rule.clause.patterns
        for call in pattern.calls
    ]
    for key, pattern in _wanted(spec):
        if not pattern.calls or pattern.failure:
            continue
        covers = [_covering(call, forbidden) for call in pattern.calls]
        first = covers[0]
        if first is not None and None not in covers:
            return error_at(
                spec.origin,
                first.place,
                f"expected no call that {key} in line {pattern.place.line} asks for, saw "
                f"{first.text}: the contract could only be broken",
            )
    return None


def _wanted(spec: ContractSpec) -> Iterator[tuple[str, Pattern]]:
    if spec.some is not None:
        yield "some", spec.some
    for rule in spec.rules:
        match rule.clause:
            case Must(every=every):
                yield "every", every
            case Next(every=every, next=pattern):
                yield "every", every
                yield "next", pattern
            case Before(need=pattern):
                yield "need", pattern
            case Sequence(when=when):
                yield "when", when
            case _:
                pass


def _covering(call: CallPattern, forbidden: list[CallPattern]) -> CallPattern | None:
    return next((each for each in forbidden if _covers(each, call)), None)


def _covers(wide: CallPattern, narrow: CallPattern) -> bool:
    """Return whether every call like *narrow* is surely like *wide*."""
    return (
        narrow.names <= wide.names
        and narrow.families <= wide.families
        and wide.where in {None, narrow.where}
        and _covers_path(wide.path, narrow.path)
        and _covers_path(wide.target, narrow.target)
    )


def _covers_path(wide: PathPattern | None, narrow: PathPattern | None) -> bool:
    if wide is None:
        return True
    return wide.variable is None and (
        wide.glob == "*" or (narrow is not None and narrow.glob == wide.glob)
    )
