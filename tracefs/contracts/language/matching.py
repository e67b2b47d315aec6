"""Whether a call is like a pattern, and what the pattern's variables then stand for."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from tracefs.contracts.language.evaluate import View, compiled
from tracefs.contracts.language.globs import can_meet
from tracefs.contracts.language.model import CallPattern, PathPattern, Pattern
from tracefs.pathtext import fits, parent
from tracefs.trace.call import Call
from tracefs.trace.families import families_of
from tracefs.trace.guesses import alike, is_guessed

Bindings = Mapping[str, str]
"""What each variable stands for, path text."""

NOTHING: Final[Bindings] = {}


class Match(NamedTuple):
    """The answer."""

    truth: bool | None
    """None: it can't be told."""
    bound: Bindings
    """What was bound before, and what is bound now."""


_NO: Final = Match(truth=False, bound=NOTHING)
_BY_NAME: Final = frozenset({"rename", "link", "unlink", "rmdir"})


def variables(pattern: Pattern) -> frozenset[str]:
    """Return the variables in *pattern*."""
    return frozenset(
        path.variable
        for call in pattern.calls
        for path in (call.path, call.target)
        if path is not None and path.variable is not None
    )


def needs_no_open(pattern: Pattern) -> bool:
    """Return whether calls like *pattern* go by names alone, and may come after each close."""
    families = [call.families | families_of(call.names) for call in pattern.calls]
    return all(each and each <= _BY_NAME for each in families)


def elsewhere(pattern: Pattern, first: Pattern) -> bool:
    """Return whether a call like *pattern* is surely on another file than one like *first*."""
    return any(
        "syncdir" in call.families or all(_is_other(call.path, each.path) for each in first.calls)
        for call in pattern.calls
    )


def _is_other(path: PathPattern | None, first: PathPattern | None) -> bool:
    if path is None:
        return False
    if path.parent:
        return True
    if path.variable is not None:
        known = None if first is None else (first.variable, first.before, first.after)
        return known != (path.variable, path.before, path.after)
    if path.glob is None or first is None or first.glob is None:
        return False
    return not can_meet(path.glob, first.glob)


class Matcher:
    """A pattern at work."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern
        self.text = pattern.text
        self.variables = variables(pattern)
        self._calls = tuple(_CallMatcher(call) for call in pattern.calls)

    def concerns(self, name: str, family: str) -> bool:
        """Return whether a call of this *name* and *family* can be like the pattern."""
        return any(call.concerns(name, family) for call in self._calls)

    def match(self, call: Call, view: View, bound: Bindings = NOTHING) -> Match:
        """Return whether *call* is like the pattern, where its variables are *bound*."""
        perhaps: Match | None = None
        for each in self._calls:
            found = each.match(call, view, bound)
            if found.truth:
                return found
            if found.truth is None and perhaps is None:
                perhaps = found
        return perhaps or _NO


class _CallMatcher:
    def __init__(self, pattern: CallPattern) -> None:
        self._names, self._families = pattern.names, pattern.families
        self._possible = families_of(pattern.names)
        self._path, self._target = pattern.path, pattern.target
        self._where: Callable[[Call, View], object] | None = (
            None if pattern.where is None else compiled(pattern.where)
        )

    def concerns(self, name: str, family: str) -> bool:
        if family in self._families or not self._names.isdisjoint(alike(name)):
            return True
        return name == "unknown" and family in self._possible

    def _named(self, call: Call) -> bool | None:
        if call.family in self._families:
            return True
        if call.call == "unknown":
            return None if call.family in self._possible else False
        if not is_guessed(call):
            return call.call in self._names
        names = alike(call.call)
        return None if names & self._names and names - self._names else names <= self._names

    def match(self, call: Call, view: View, bound: Bindings) -> Match:
        truth = self._named(call)
        if truth is False:
            return _NO
        for pattern, path in ((self._path, call.path), (self._target, call.target)):
            if pattern is None:
                continue
            if path is None:
                truth = None
                continue
            fits = bind(pattern, path, bound)
            if fits is None:
                return _NO
            bound = fits
        if self._where is not None:
            held = self._where(call, view)
            if held is False:
                return _NO
            truth = None if held is None else truth
        return Match(truth=truth, bound=bound)


def bind(pattern: PathPattern, path: str, bound: Bindings) -> Bindings | None:
    """Return *bound* with what *pattern* binds in *path*; None: the path is another."""
    if pattern.glob is not None and not fits(path, pattern.glob):
        return None
    if pattern.variable is None:
        return bound
    name = pattern.variable
    known = bound.get(name)
    if pattern.parent:
        return bound if known is not None and parent(known) == path else None
    value = path if pattern.glob is not None else _within(pattern, path)
    if value is None or (known is not None and known != value):
        return None
    return bound if known is not None else {**bound, name: value}


def _within(pattern: PathPattern, path: str) -> str | None:
    """Return the part of *path* that stands for the variable."""
    end = len(path) - len(pattern.after)
    fits = path.startswith(pattern.before) and path.endswith(pattern.after)
    return path[len(pattern.before) : end] if fits and end > len(pattern.before) else None
