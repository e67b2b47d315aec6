"""What can be read in a contract and yet is hardly meant: as data."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from tracefs.contracts.language.bindings import paths_of, used_by
from tracefs.contracts.language.evaluate import compiled, uses
from tracefs.contracts.language.globs import can_meet
from tracefs.contracts.language.matching import families_of
from tracefs.contracts.language.model import (
    AtMost,
    Before,
    CallPattern,
    Clause,
    ContractSpec,
    Expression,
    Must,
    Never,
    Next,
    PathPattern,
    Pattern,
    Place,
    Rule,
    Sequence,
)
from tracefs.findings import Severity
from tracefs.trace.call import Call


class Warned(Struct, frozen=True, kw_only=True):
    """One doubt about a contract."""

    place: Place
    contract: str
    message: str
    suggestion: str


_Doubt = tuple[Place, str, str]

_ON_FILES: Final = frozenset({"write", "truncate", "seek", "allocate", "map", "range"})
"""Families of calls that no directory takes."""
_TARGETED: Final = frozenset({"rename", "link", "symlink"})


def lint(spec: ContractSpec) -> tuple[Warned, ...]:
    """Return what is doubtful in *spec*, in the order of its places."""
    doubts = [doubt for rule in spec.rules for doubt in _of_rule(spec, rule)]
    if spec.some is not None:
        doubts.extend(_of_pattern(spec.some))
    doubts.extend(_of_grading(spec))
    unique = dict.fromkeys(sorted(doubts, key=lambda doubt: (doubt[0].line, doubt[0].column)))
    return tuple(
        Warned(place=place, contract=spec.id, message=message, suggestion=suggestion)
        for place, message, suggestion in unique
    )


def patterns_of(clause: Clause) -> tuple[Pattern, ...]:
    """Return the patterns of *clause* as they are written, the one it begins with first."""
    match clause:
        case Must(every=every) | AtMost(every=every):
            return (every,)
        case Next(every=every, next=following, until=until, provided=provided):
            # The default until is every once more.
            own = () if until.calls == every.calls else (until,)
            return (every, following, *own, *(() if provided is None else (provided,)))
        case Never(patterns=patterns):
            return patterns
        case Before(before=before, need=need, since=since):
            return (before, need) if since is None else (before, need, since)
        case Sequence(when=when, steps=steps):
            return (when, *steps)


def _of_rule(spec: ContractSpec, rule: Rule) -> Iterator[_Doubt]:
    clause = rule.clause
    for pattern in patterns_of(clause):
        yield from _of_pattern(pattern)
    for pattern in clause.patterns if isinstance(clause, Never) else patterns_of(clause)[:1]:
        yield from _of_files(spec, pattern)
    for pattern in _successes(clause):
        yield from _of_failures(pattern)
    yield from _of_variables(clause)
    if isinstance(clause, Must) and not uses(clause.must):
        yield (
            rule.place,
            "must is the same for all calls: it asks for no field",
            "Compare a field of the call, as in length == 4096.",
        )
    if isinstance(clause, Sequence) and not any(
        _alike(call, other)
        for call in clause.when.calls
        for step in clause.steps
        for other in step.calls
    ):
        yield (
            clause.when.place,
            f"no call like {clause.when.text} is a step of the sequence: it can never be kept",
            "Put what when has into sequence, too.",
        )


def _of_pattern(pattern: Pattern) -> Iterator[_Doubt]:
    for call in pattern.calls:
        for path in paths_of(call):
            yield from _of_path(call, path)
        if call.target is not None and not _has_target(call):
            yield (
                call.place,
                f"{call.text}: a call like this has no second path, so it never matches",
                "Leave the second path out.",
            )
        if call.where is not None and not uses(call.where):
            yield (
                call.place,
                f"the condition of {call.text} is the same for all calls: it asks for no field",
                "Compare a field of the call, as in length == 4096.",
            )


def _of_files(spec: ContractSpec, first: Pattern) -> Iterator[_Doubt]:
    """What a clause begins with must be one of the files; what else it asks for need not."""
    for call in first.calls:
        glob = None if call.path is None else call.path.glob
        # Of a rename or link either name will do.
        if glob is None or call.target is not None or not spec.files:
            continue
        if not any(can_meet(glob, each) for each in spec.files):
            yield (
                call.place,
                f"no path is like {glob} and like one of files, so it never matches",
                "Change the path or files.",
            )


def _of_path(call: CallPattern, path: PathPattern) -> Iterator[_Doubt]:
    families = _families(call)
    directory = path.parent or path.glob == "." or (path.glob or "").endswith("/")
    if path is call.path and directory and families and families <= _ON_FILES:
        yield (
            call.place,
            f"{path.text} is a directory, and no call like {call.text} is done to one",
            "Name a file; a directory is synced by fsyncdir.",
        )
    text = path.glob or path.before
    if path is call.path and text.startswith("/"):
        yield (
            call.place,
            f"{path.text} begins with a slash: paths are relative to the traced directory",
            "Leave out what leads to the traced directory.",
        )
    if len(text) > 1 and text.startswith("./"):
        yield (
            call.place,
            f"{path.text} begins with ./, and no recorded path does",
            "Leave the ./ out.",
        )


def _successes(clause: Clause) -> tuple[Pattern, ...]:
    """Return the patterns of *clause* that only calls that succeeded are compared with."""
    match clause:
        case Next(next=following):
            return (following,)
        case Before() | Sequence():
            return patterns_of(clause)
    return ()


class _Nothing:
    """A view that knows nothing."""

    page_size = 1

    def __getattr__(self, name: str) -> None:
        return None


_SUCCESS: Final = Call(0, "unknown", "", None, None, 0, 0, None)
_UNASKED: Final = frozenset({"note", "synced_by", "emulated", "fragments", "family", "page_size"})
"""Fields that have a value even of a call of which nothing is known."""


def _of_failures(pattern: Pattern) -> Iterator[_Doubt]:
    for call in pattern.calls:
        if call.where is not None and _is_false_of_success(call.where):
            yield (
                call.place,
                f"only calls that succeed count here, and {call.text} asks for one that failed",
                "Leave the condition out, or say never with it.",
            )


def _is_false_of_success(condition: Expression) -> bool:
    asked = uses(condition)
    if "errno" not in asked or asked & _UNASKED:
        return False
    holds: Callable[..., bool | None] = compiled(condition)
    return holds(_SUCCESS, _Nothing()) is False


def _of_variables(clause: Clause) -> Iterator[_Doubt]:
    patterns = patterns_of(clause)
    times: Counter[str] = Counter()
    for pattern in patterns:
        times.update(used_by(pattern))
    for pattern in patterns:
        for call in pattern.calls:
            for path in paths_of(call):
                if path.variable is not None and times[path.variable] == 1:
                    yield (
                        call.place,
                        f"${path.variable} stands here alone: it means any file",
                        'Leave it out, or use it again; per = "file" judges each file by itself.',
                    )


def _of_grading(spec: ContractSpec) -> Iterator[_Doubt]:
    advice = {rule.id for rule in spec.rules if rule.severity is Severity.ADVICE}
    graded = advice - {rule.id for rule in spec.rules if rule.severity is Severity.ERROR}
    for rule in spec.rules:
        if rule.id in graded and spec.rule_points.get(rule.id):
            yield (
                rule.place,
                f"{rule.id} is advice and has points, which nobody can lose",
                'Leave the points out, or severity = "advice".',
            )
    if spec.points and all(rule.severity is Severity.ADVICE for rule in spec.rules):
        yield (
            spec.place,
            f"{spec.id} has points, which nobody can lose: all of its rules are advice",
            "Make a rule an error.",
        )


def _alike(call: CallPattern, other: CallPattern) -> bool:
    """Return whether some call may be like both."""
    return bool(
        call.names & other.names
        or call.families & _families(other)
        or other.families & _families(call)
    )


def _families(call: CallPattern) -> frozenset[str]:
    return call.families | families_of(call.names)


def _has_target(call: CallPattern) -> bool:
    families = _families(call)
    return not families or bool(families & _TARGETED) or "copy_file_range" in call.names
