"""What can be read in a contract and yet is hardly meant: as data."""

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from tracefs.contracts.language.bindings import paths_of, used_by
from tracefs.contracts.language.doubts import (
    Doubt,
    alike,
    of_condition,
    of_failures,
    of_files,
    of_pattern,
)
from tracefs.contracts.language.model import (
    AtMost,
    Before,
    Clause,
    ContractSpec,
    Must,
    Never,
    Next,
    Pattern,
    Rule,
    Sequence,
)
from tracefs.findings import Severity
from tracefs.placed.place import Place


class Warned(Struct, frozen=True, kw_only=True):
    """One doubt about a contract."""

    place: Place
    contract: str
    message: str
    suggestion: str


def lint(spec: ContractSpec) -> tuple[Warned, ...]:
    """Return what is doubtful in *spec*, in the order of its places."""
    doubts = [doubt for rule in spec.rules for doubt in _of_rule(spec, rule)]
    if spec.some is not None:
        doubts.extend(of_pattern(spec.some))
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


def _of_rule(spec: ContractSpec, rule: Rule) -> Iterator[Doubt]:
    clause = rule.clause
    for pattern in patterns_of(clause):
        yield from of_pattern(pattern)
    for pattern in clause.patterns if isinstance(clause, Never) else patterns_of(clause)[:1]:
        yield from of_files(spec, pattern)
    for pattern in _successes(clause):
        yield from of_failures(pattern)
    yield from _of_variables(clause)
    if isinstance(clause, Must):
        yield from of_condition(clause.must, "must", rule.place, clause.every.calls)
    if isinstance(clause, Sequence) and not any(
        alike(call, other)
        for call in clause.when.calls
        for step in clause.steps
        for other in step.calls
    ):
        yield (
            clause.when.place,
            f"no call like {clause.when.text} is a step of the sequence: it can never be kept",
            "Put what when has into sequence, too.",
        )


def _successes(clause: Clause) -> tuple[Pattern, ...]:
    """Return the patterns of *clause* that only calls that succeeded are compared with."""
    match clause:
        case Next(next=following):
            return (following,)
        case Before() | Sequence():
            return patterns_of(clause)
    return ()


def _of_variables(clause: Clause) -> Iterator[Doubt]:
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


def _of_grading(spec: ContractSpec) -> Iterator[Doubt]:
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
