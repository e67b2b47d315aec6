"""What rules can be and are hardly meant: those that never strike, as data."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct

from tracefs.errors import RuleError
from tracefs.faults import able, asked
from tracefs.faults.contradictions import OUTCOMES
from tracefs.faults.model import ALWAYS, Rule, Shape
from tracefs.faults.names import calls_of
from tracefs.pathtext import quoted
from tracefs.syscalls import family_of, numbers

_INSTEAD: Final = {
    "lseek": "name read or write, which go where it has led",
    "mmap": "name msync, or open",
    "sync": "name fsync, fdatasync or syncdir",
    "syncfs": "name fsync, fdatasync or syncdir",
    "sync_file_range": "name fsync or fdatasync; it promises nothing",
}
"""For calls that no filesystem hears of."""
_LOST_ERRORS: Final = frozenset({"close_range", "exit", "exit_group"})
"""Calls that close and tell nobody what came of it."""


class Warned(Struct, frozen=True, kw_only=True):
    """A doubt about a rule."""

    rule: str
    """Its text."""
    message: str
    suggestion: str
    """What to do; empty: nobody knows."""

    def __str__(self) -> str:
        """Return it in one line."""
        said = f"rule {quoted(self.rule)}: {self.message}"
        return f"{said}; {self.suggestion}" if self.suggestion else said


def refuse_twins(rules: Sequence[Rule]) -> None:
    """Raise if a rule is there twice.

    Raises:
        RuleError: It is.
    """
    seen: set[str] = set()
    for rule in rules:
        if rule.text in seen:
            raise RuleError(f"rule {quoted(rule.text)}: expected it once, saw it again")
        seen.add(rule.text)


def lint(rules: Sequence[Rule], *, witnessed: bool, machine: str) -> tuple[Warned, ...]:
    """Return what is doubtful in *rules*, in their order.

    Args:
        rules: As they are heard, the first one first.
        witnessed: Somebody looks which call a request is of.
        machine: ``uname -m``.
    """
    return tuple(
        Warned(rule=rule.text, message=message, suggestion=suggestion)
        for index, rule in enumerate(rules)
        for message, suggestion in (
            *_of_calls(rule, witnessed, machine),
            *_of_glob(rule),
            *_of_chance(rule),
            *_of_others(rule, rules[:index]),
        )
    )


def _of_calls(rule: Rule, witnessed: bool, machine: str) -> Iterator[tuple[str, str]]:
    here = numbers(machine).keys() | asked.READS
    for name in rule.calls:
        if asked.is_family(name):
            continue
        heard = able.requests_of(name)
        exact = calls_of(name)
        family = _family(exact)
        if not heard:
            plain = name.removeprefix(asked.EXACTLY)
            yield (
                f"no filesystem hears of {plain}, so that it is never struck",
                _INSTEAD.get(plain, ""),
            )
        elif len(here) > len(asked.READS) and not exact & here:
            yield f"there is no call {name} on {machine}", f"name the family {family}"
        elif heard <= asked.UNWITNESSED:
            yield f"nobody looks who asks for a {family}: {name} stands for each", f"say {family}"
            if exact <= _LOST_ERRORS and rule.error is not None:
                yield f"{name} tells nobody what came of it", ""
        elif not witnessed:
            yield (
                f"with --witness none nobody sees which call it is, and {name} is never struck",
                f"name the family {family}, or take --witness proc",
            )


def _family(calls: AbstractSet[str]) -> str:
    """Return the family that *calls* are of, most of all."""
    requests = frozenset().union(*map(asked.of_call, calls))
    own = set(map(family_of, calls))
    return max(
        sorted(asked.FAMILIES),
        key=lambda name: (len(asked.FAMILIES[name] & requests), name in own),
    )


def _of_glob(rule: Rule) -> Iterator[tuple[str, str]]:
    glob = rule.glob
    if glob is None:
        return
    inside = "paths are relative to the traced directory"
    parts = glob.split("/")
    if glob.startswith("/"):
        yield f"no path is like {quoted(glob)}: {inside}", f"say {quoted(glob.lstrip('/') or '.')}"
    elif ".." in parts:
        yield f"no path is like {quoted(glob)}: {inside}, and no rule reaches outside it", ""
    elif glob != "." and ("." in parts or "" in parts):
        plain = "/".join(part for part in parts if part not in {"", "."}) or "."
        yield f"no path is like {quoted(glob)}: {inside}, and plain", f"say {quoted(plain)}"
    elif "\0" in glob:
        yield f"no path is like {quoted(glob)}: none has a NUL", ""


def _of_chance(rule: Rule) -> Iterator[tuple[str, str]]:
    if not rule.probability:
        yield "with probability=0 it never strikes", ""
    spread = any(
        delay is not None and delay.shape is not Shape.FIXED
        for delay in (rule.delay_enter, rule.delay_exit)
    )
    if rule.seed and rule.probability in {0.0, 1.0} and not spread and rule.rot is None:
        yield "nothing in it is left to chance, so that seed changes nothing", ""


def _of_others(rule: Rule, before: Sequence[Rule]) -> Iterator[tuple[str, str]]:
    if all(getattr(rule, key) is None for key in OUTCOMES):
        return
    for other in before:
        if _ends_all(other, rule):
            yield (
                f"it never strikes: rule {quoted(other.text)} ends all its calls first",
                "put the one that strikes less first",
            )
            return


def _ends_all(one: Rule, other: Rule) -> bool:
    """Return whether *one* ends each call that *other* could strike."""
    if (one.error is None and one.retval is None) or one.probability < 1.0:
        return False
    if not _matches_all(one, other):
        return False
    if one.when == ALWAYS and not one.after_bytes:
        return True
    # Both count the same calls.
    same = (one.when, one.after_bytes, one.glob) == (other.when, other.after_bytes, other.glob)
    return same and _matches_all(other, one)


def _matches_all(one: Rule, other: Rule) -> bool:
    if one.glob not in {None, "*", other.glob}:
        return False
    ones = able.struck(one)
    for request in able.struck(other):
        if request not in ones:
            return False
        any_call, names = able.callers(one, request)
        any_other, others = able.callers(other, request)
        if not any_call and (any_other or not others <= names):
            return False
    return True
