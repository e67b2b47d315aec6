"""Contracts in plain English, made of what their files say."""

from collections.abc import Sequence as Several
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tracefs.callnames import ALIASES, FAMILY_OF_ALIAS
from tracefs.contracts.language.bindings import PATH
from tracefs.contracts.language.model import (
    AnyOf,
    AtMost,
    Before,
    CallPattern,
    Clause,
    ContractSpec,
    Expression,
    InTurn,
    Logic,
    Must,
    Never,
    Next,
    Node,
    Opens,
    PathPattern,
    Pattern,
    Per,
    Repeated,
    Rule,
    Sequence,
    Step,
)
from tracefs.contracts.language.printing import printed
from tracefs.contracts.language.text import repair
from tracefs.findings import Severity


class RuleWords(Struct, frozen=True, kw_only=True):
    """One rule in words."""

    id: str
    severity: Severity
    says: str
    repair: str
    expected: str | None = None
    """What findings say was expected, in its author's words."""
    points: float | None = None


class ContractWords(Struct, frozen=True, kw_only=True):
    """A contract in words."""

    id: str
    title: str
    scope: str
    rules: tuple[RuleWords, ...]
    help: str | None = None
    points: float | None = None


_ENDS: Final = {
    Per.OPEN: "the end of the open",
    Per.FILE: "the last close of the file",
    Per.PROCESS: "the end of the process",
    Per.THREAD: "the end of the thread",
    Per.TRACE: "the end of the recording",
}
_FAMILIES: Final = {
    "allocate": "allocation",
    "attr": "change of attributes",
    "dup": "duplication of a descriptor",
    "flags": "change of an open's flags",
    "map": "mapping",
    "none": "call that does nothing",
    "range": "sync_file_range",
    "read": "fetching of pages",
    "ring": "io_uring or AIO call",
    "sync": "sync by any call",
    "syncdir": "fsync of a directory",
    "syncfs": "sync of the whole filesystem",
    "truncate": "truncation",
    "write": "write by any call",
    "xattr": "change of an extended attribute",
}
"""Others are called as they are."""
_GROUPS: Final = {calls: name for name, calls in ALIASES.items() if len(calls) > 1}


def explained(spec: ContractSpec) -> ContractWords:
    """Return *spec* in words."""
    return ContractWords(
        id=spec.id,
        title=spec.title,
        scope=_scope(spec),
        rules=tuple(_rule(spec, rule) for rule in spec.rules),
        help=spec.help,
        points=spec.points,
    )


def _scope(spec: ContractSpec) -> str:
    files = f"files like {_or(spec.files)}" if spec.files else "all files"
    opens = " for writing" if spec.opens is Opens.WRITABLE else ""
    each = {
        Per.OPEN: f"Each open{opens} of {files} is judged by itself.",
        Per.FILE: f"Each of {files} is judged by itself.",
        Per.THREAD: f"Each thread is judged by itself, on {files}.",
        Per.PROCESS: f"Each process is judged by itself, on {files}.",
        Per.TRACE: f"The whole recording is judged at once, on {files}.",
    }[spec.per]
    if spec.some is None:
        return each
    return f"{each} Without any {_pattern(spec.some)} the verdict is unknown."


def _rule(spec: ContractSpec, rule: Rule) -> RuleWords:
    per = rule.per or spec.per
    says = _clause(rule.clause, per)
    if rule.per is not None and rule.per is not spec.per:
        says += f" This is judged for each {per.value} by itself." if per is not Per.TRACE else ""
    return RuleWords(
        id=rule.id,
        severity=rule.severity,
        says=says,
        repair=rule.repair or repair(rule.clause),
        expected=rule.expected,
        points=spec.rule_points.get(rule.id),
    )


def _clause(clause: Clause, per: Per) -> str:
    match clause:
        case Must(every=every, text=text):
            return f"For each {_first(every)} it must be true that {text}."
        case Next():
            return _next(clause, per)
        case AtMost(every=every, most=most):
            where = "" if per is Per.TRACE else f" in each {per.value}"
            return f"There may be no more than {most} {_first(every)}{where}."
        case Never(patterns=patterns):
            return f"There must be no {_or([_pattern(each) for each in patterns], 'and no')}."
        case Before(before=before, need=need, since=since):
            last = "" if since is None else f" since the last {_pattern(since)}"
            return (
                f"Before each {_first(before)}, a successful {_pattern(need)} must have come{last}."
            )
        case Sequence(when=when, node=node):
            return f"Each {_first(when)} must be part of this sequence: {_node(node)}."


def _next(clause: Next, per: Per) -> str:
    every, until = clause.every, clause.until
    ends = []
    if until.calls == every.calls:
        ends.append("before the next one")
    elif until.calls:
        ends.append(f"before any {_calls(until.calls)}")
    if until.end:
        ends.append(f"before {_ENDS[per]}")
    provided = "" if clause.provided is None else f", if {_pattern(clause.provided)} came too,"
    return (
        f"After each {_first(every)}{provided or ','} a successful {_pattern(clause.next)} must "
        f"come {' and '.join(ends)}."
    )


# Patterns


def _pattern(pattern: Pattern) -> str:
    calls = _calls(pattern.calls)
    if pattern.end:
        return f"{calls} or the end"
    return f"{calls}, or the end of the process with a failure," if pattern.failure else calls


def _first(pattern: Pattern) -> str:
    """Name what a clause begins with: a file that was not named before is not the same as any."""
    return _calls([_without_path(call) for call in pattern.calls])


def _without_path(call: CallPattern) -> CallPattern:
    path = call.path
    named = path is None or path.variable != PATH or path.glob is not None or path.parent
    return call if named else replace(call, path=None)


def _calls(calls: Several[CallPattern]) -> str:
    """Name *calls*, those that have the same paths and condition together."""
    groups: dict[str, list[str]] = {}
    for call in calls:
        groups.setdefault(_about(call), []).append(_name(call))
    parts = [f"{_or(names)}{about}" for about, names in groups.items()]
    conditions = any(call.where is not None for call in calls)
    return ", or ".join(parts) if conditions else _or(parts)


def _name(call: CallPattern) -> str:
    if call.families:
        family = min(call.families)
        if family == "syncdir" and call.path is not None:
            return f"fsync of {_directory(call.path)}"
        return _FAMILIES.get(family, family)
    return _GROUPS.get(call.names) or _or(sorted(call.names))


def _about(call: CallPattern) -> str:
    named = call.path is None or "syncdir" in call.families
    path = "" if named or call.path is None else f" on {_path(call.path)}"
    target = "" if call.target is None else f" to {_path(call.target)}"
    where = _own_condition(call)
    condition = "" if where is None else f" where {printed(where)}"
    return f"{path}{target}{condition}"


def _own_condition(call: CallPattern) -> Expression | None:
    """Return what a file's author wrote: unlink and rmdir have a family of their own besides."""
    family = FAMILY_OF_ALIAS.get(_GROUPS.get(call.names, ""))
    if family is None:
        return call.where
    match call.where:
        case Logic("and", _, own):
            return own
    return None


def _path(path: PathPattern) -> str:
    if path.parent:
        of = "the same file" if path.variable == PATH else f"${path.variable}"
        return f"the directory of {of}"
    if path.glob == ".":
        return "the traced directory"
    if path.glob is not None:
        named = path.variable is not None and path.variable != PATH
        return f"{path.glob} (${path.variable})" if named else path.glob
    if path.variable == PATH and not path.before and not path.after:
        return "the same file"
    return f"{path.before}${path.variable}{path.after}"


def _directory(path: PathPattern) -> str:
    text = _path(path)
    return text if path.parent or path.glob == "." else f"the directory {text}"


def _node(node: Node) -> str:
    match node:
        case Step(pattern=pattern):
            return _pattern(pattern)
        case InTurn(nodes=nodes):
            return ", then ".join(map(_node, nodes))
        case AnyOf(nodes=nodes):
            return f"({') or ('.join(map(_node, nodes))})"
        case Repeated(node=inner, least=least, most=most):
            text = _node(inner)
            grouped = f"({text})" if isinstance(inner, InTurn | Repeated) else text
            return f"{grouped} {_times(least, most)}"


def _times(least: int, most: int | None) -> str:
    if most is None:
        return {0: "any number of times", 1: "at least once"}.get(least, f"at least {least} times")
    if (least, most) == (0, 1):
        return "at most once"
    return f"{least} times" if least == most else f"{least} to {most} times"


def _or(words: Several[str], last: str = "or") -> str:
    if len(words) == 1:
        return words[0]
    if last != "or":
        return f", {last} ".join(words)
    return f"{', '.join(words[:-1])} or {words[-1]}"
