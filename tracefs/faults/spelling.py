"""Rules as text, ``SET[(GLOB)][=ERROR][:KEY=VALUE]…``, and back in one way.

As ``strace --inject`` has it (strace(1)), as far as that goes: plain times are milliseconds here,
and ``when`` counts by rule, where strace counts by call and thread.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from msgspec.structs import replace

from tracefs.errornames import name_of
from tracefs.errors import RuleError
from tracefs.faults import delay_text, glob_text, names, when_text
from tracefs.faults.amounts import spelled_number, spelled_size
from tracefs.faults.asked import ALL
from tracefs.faults.contradictions import refuse_contradictions
from tracefs.faults.model import ALWAYS, Delay, Per, Rule
from tracefs.faults.options import Options
from tracefs.faults.refused import RefusedError
from tracefs.faults.unknown_names import expected
from tracefs.pathtext import quoted

MAX_LENGTH: Final = 4096
"""Characters of a rule."""

_Value = TypeVar("_Value")
_CALLS: Final = re.compile(r"=?[^(:=,]*(?:,=?[^(:=,]*)*")


def parse(text: str) -> Rule:
    """Return the rule that *text* is.

    >>> parse("pwrite,fsync=EIO:when=3").text
    'fsync,pwrite64:error=EIO:when=3'

    Raises:
        RuleError: It is none, or contradicts itself; one line that names it.
    """
    try:
        return _parse(text)
    except RefusedError as refused:
        raise RuleError(f"rule {quoted(text)}: {refused.what}") from None


def spell(rule: Rule) -> str:
    """Return the one spelling of *rule*, whatever its *text* is."""
    enter = rule.delay_enter
    spread = None if enter is None else replace(enter, per_mib=0.0)
    options = {
        "error": _known(rule.error, name_of),
        "retval": _known(rule.retval, str),
        "short": _known(rule.short, spelled_size),
        "full": _known(rule.full, spelled_size),
        "rot": _known(rule.rot, str),
        "stuck": "" if rule.stuck else None,
        "mode": rule.mode,
        "delay_enter": None if spread == Delay() else _known(spread, delay_text.spelled),
        "delay_exit": _known(rule.delay_exit, delay_text.spelled),
        "delay_per_mib": None if enter is None else _known(enter.per_mib or None, spelled_number),
        "when": None if rule.when == ALWAYS else when_text.spelled(rule.when),
        "per": None if rule.when.per is Per.RULE else rule.when.per,
        "after_bytes": _known(rule.after_bytes or None, spelled_size),
        "probability": None if rule.probability == 1.0 else spelled_number(rule.probability),
        "seed": _known(rule.seed or None, str),
    }
    glob = "" if rule.glob is None else f"({rule.glob})"
    parts = (f"{key}={text}" if text else key for key, text in options.items() if text is not None)
    return ":".join([f"{','.join(rule.calls)}{glob}", *parts])


def make(calls: Iterable[str], glob: str | None, options: Options) -> Rule:
    """Return the rule that these parts make, in one way for all that mean the same.

    Raises:
        RefusedError: A call or a family is not known, or the parts contradict each other.
    """
    per = Per.RULE if options.per is None else options.per
    if options.per is not None and options.when is None:
        raise RefusedError(f"expected when= beside per={per}, which says what it counts by", "per")
    when = ALWAYS if options.when is None or options.when == ALWAYS else options.when
    enter = options.delay_enter
    if options.delay_per_mib:
        enter = replace(enter or Delay(), per_mib=options.delay_per_mib)
    rule = Rule(
        text="",
        calls=_named(calls),
        glob=None if glob is None else glob_text.paired(glob),
        error=options.error,
        retval=options.retval,
        short=options.short,
        full=options.full,
        rot=options.rot,
        stuck=options.stuck,
        mode=options.mode,
        delay_enter=enter,
        delay_exit=options.delay_exit,
        when=when if when is ALWAYS else replace(when, per=per),
        after_bytes=options.after_bytes,
        probability=options.probability,
        seed=options.seed,
    )
    refuse_contradictions(rule)
    return replace(rule, text=spell(rule))


def canonical(name: str) -> str:
    """Return the one spelling of the name of a call or family.

    Raises:
        RefusedError: It is none.
    """
    found = names.canonical(name)
    if found is None:
        raise RefusedError(expected(name))
    return found


def _parse(text: str) -> Rule:
    if not text:
        raise RefusedError("expected CALL:KEY=VALUE, as in fsync:error=EIO, saw nothing")
    if len(text) > MAX_LENGTH:
        raise RefusedError(f"expected at most {MAX_LENGTH} characters, saw {len(text)}")
    found = _CALLS.match(text)
    at = 0 if found is None else found.end()
    calls = text[:at].split(",")
    glob: str | None = None
    if text.startswith("(", at):
        end = glob_text.end_of(text, at + 1)
        glob = text[at + 1 : end]
        at = end + 1
    for name in calls:  # before what follows: a word amiss here is why that is
        canonical(name)
    options = Options()
    rest = text[at:]
    if rest and rest[0] not in ":=":
        raise RefusedError(f"expected : or = behind the calls, saw {quoted(rest)}")
    first, *parts = rest.split(":")
    seen: set[str] = set()
    for part in (*([f"error{first}"] if first else []), *parts):
        key, equals, value = part.partition("=")
        if not part:
            raise RefusedError("expected KEY=VALUE behind a colon, saw nothing")
        if key in seen:
            raise RefusedError(f"expected {key} once, saw it again")
        seen.add(key)
        options.take(key, value if equals else None)
    return make(calls, glob, options)


def _known(value: _Value | None, text: Callable[[_Value], str]) -> str | None:
    return None if value is None else text(value)


def _named(calls: Iterable[str]) -> tuple[str, ...]:
    found = {canonical(name) for name in calls}
    return (ALL,) if ALL in found else tuple(sorted(found))
