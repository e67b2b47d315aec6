"""Variables of a clause: each is bound by the call that the clause begins with, or refused.

That keeps what has to be remembered bounded: one thing for each call of that kind, not one for each
combination of files.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from tracefs.contracts.language.model import (
    Before,
    CallPattern,
    Clause,
    Never,
    Next,
    PathPattern,
    Pattern,
    Sequence,
)
from tracefs.placed.snippet import error_at
from tracefs.suggestion import suggestion

PATH: Final = "path"
"""``$path``: the file of the call that the clause begins with."""


def with_bindings(clause: Clause, origin: str) -> Clause:
    """Return *clause* with ``$path`` bound where it is used.

    Raises:
        TextFileError: A variable is used that nothing binds, or bound in vain.
    """
    match clause:
        case Next(every=every, next=then, until=until, provided=provided):
            others = tuple(each for each in (then, until, provided) if each is not None)
            bound = _bound(every, others, origin, "every")
            # The default until is every, so on the same file.
            same = until.calls is every.calls
            until = replace(until, calls=bound.calls) if same else until
            return replace(clause, every=bound, until=until)
        case Before(before=before, need=need, since=since):
            _check_inside(since, origin)
            more = frozenset() if since is None else bound_by(since) - {PATH}
            others = tuple(each for each in (need, since) if each is not None)
            bound = _bound(before, others, origin, "before", more)
            if since is not None:
                # A sync of any file would do for what since does not name.
                _check_known(need, bound_by(since), origin, "since")
            return replace(clause, before=bound)
        case Sequence(when=when, steps=steps):
            return replace(clause, when=_bound(when, steps, origin, "when"))
        case Never(patterns=patterns):
            for pattern in patterns:
                _check_never(pattern, origin)
            return clause
    _check_inside(clause.every, origin)
    return clause


def bound_by(pattern: Pattern) -> frozenset[str]:
    """Return the variables that every call like *pattern* binds."""
    sets = [frozenset(_binding(call)) for call in pattern.calls]
    return frozenset.intersection(*sets) if sets else frozenset()


def used_by(pattern: Pattern) -> Counter[str]:
    """Return how often *pattern* has each variable."""
    return Counter(
        path.variable
        for call in pattern.calls
        for path in paths_of(call)
        if path.variable is not None
    )


def paths_of(call: CallPattern) -> Iterator[PathPattern]:
    """Yield the path and the target that *call* has."""
    if call.path is not None:
        yield call.path
    if call.target is not None:
        yield call.target


def _binding(call: CallPattern) -> Iterator[str]:
    for path in paths_of(call):
        if path.variable is not None and not path.parent:
            yield path.variable


def _bound(
    first: Pattern,
    others: Iterable[Pattern],
    origin: str,
    key: str,
    more: frozenset[str] = frozenset(),
) -> Pattern:
    """Return *first*, which is to bind what *others* use, with ``$path`` bound if they do."""
    _check_inside(first, origin)
    known = bound_by(first)
    if PATH not in known and any(PATH in used_by(other) for other in others):
        first = replace(first, calls=tuple(_naming_path(call, origin) for call in first.calls))
        known = bound_by(first)
    for other in others:
        _check_known(other, known | more, origin, key)
    return first


def _check_known(pattern: Pattern, known: frozenset[str], origin: str, key: str) -> None:
    for call in pattern.calls:
        for path in paths_of(call):
            if path.variable is not None and path.variable not in known:
                _refuse(call, path.variable, known, origin, key)


def _refuse(call: CallPattern, variable: str, known: frozenset[str], origin: str, key: str) -> None:
    instead = suggestion(variable, sorted(known)).replace("did you mean ", "did you mean $")
    raise error_at(
        origin, call.place, f"expected ${variable} to be bound by all that {key} names{instead}"
    )


def _check_inside(pattern: Pattern | None, origin: str) -> None:
    """Refuse ``dir($x)`` in *pattern* where the same call does not bind ``$x``."""
    for call in () if pattern is None else pattern.calls:
        bound = set(_binding(call))
        for path in paths_of(call):
            if path.parent and path.variable not in bound:
                raise error_at(
                    origin, call.place, f"expected ${path.variable} to be bound by the same call"
                )


def _check_never(pattern: Pattern, origin: str) -> None:
    """Refuse a variable that stands in *pattern* alone: it would mean any file, and nothing."""
    _check_inside(pattern, origin)
    for call in pattern.calls:
        names = Counter(path.variable for path in paths_of(call))
        for name, times in names.items():
            if name is not None and times == 1:
                raise error_at(
                    origin,
                    call.place,
                    f"expected a glob, saw ${name}, which never alone has: nothing else uses it",
                )


def _naming_path(call: CallPattern, origin: str) -> CallPattern:
    """Return *call* so that it binds ``$path``."""
    path = call.path
    if path is None:
        return replace(call, path=PathPattern(text=f"${PATH}", variable=PATH))
    if path.variable is not None:
        raise error_at(
            origin,
            call.place,
            f"expected {path.text} alone: this clause has ${PATH} for the same file, too",
        )
    return replace(call, path=replace(path, variable=PATH))
