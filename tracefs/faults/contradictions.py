"""What can't stand together in one rule."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tracefs.errornames import name_of
from tracefs.faults import able
from tracefs.faults.model import Rule
from tracefs.faults.refused import RefusedError

OUTCOMES: Final = ("error", "retval", "short", "full", "rot")
"""What a rule makes of a call: one of them at most."""


class _Need(NamedTuple):
    """What a key asks of each of a rule's calls."""

    key: str
    requests: frozenset[str]
    what: str
    """Such calls do."""
    families: str
    """Of which all or some calls do."""


def refuse_contradictions(rule: Rule) -> None:
    """Raise what *rule* says can't be done.

    Raises:
        RefusedError: With the option that is to blame.
    """
    ends = [key for key in OUTCOMES if getattr(rule, key) is not None]
    if len(ends) > 1:
        raise RefusedError(f"expected one of {' and '.join(ends)}: a call ends once", ends[1])
    if rule.mode is not None and rule.error is None:
        raise RefusedError(
            f"expected error= beside mode={rule.mode}: a mode is how a sync fails", "mode"
        )
    delays = rule.delay_enter is not None or rule.delay_exit is not None
    if not ends and not rule.stuck and not delays:
        raise RefusedError("expected what is to happen, as in error=EIO, short=1 or delay_enter=5")
    for need in _needs(rule):
        for name in rule.calls:
            heard = able.requests_of(name)
            if heard and not heard & need.requests:
                raise RefusedError(
                    f"expected calls that {need.what}, as {need.families}, "
                    f"beside {need.key}, saw {name}",
                    need.key.partition("=")[0],
                )
    if rule.after_bytes or (rule.delay_enter is not None and rule.delay_enter.per_mib):
        key = "after_bytes" if rule.after_bytes else "delay_per_mib"
        heard = able.struck(rule)
        if heard and not heard & able.MOVES:
            raise RefusedError(
                f"expected calls that move bytes, as read and write, beside {key}, "
                f"saw {','.join(rule.calls)}",
                key,
            )


def _needs(rule: Rule) -> Iterator[_Need]:
    if rule.error is not None and rule.error in able.KEPT_BACK:
        name = name_of(rule.error)
        what = f"the kernel passes {name} of on"
        yield _Need(f"error={name}", able.requests(rule), what, "write or sync")
    if rule.mode is not None:
        yield _Need(f"mode={rule.mode}", able.SYNCS_FILE, "sync a file", "sync or fdatasync")
    if rule.short is not None:
        yield _Need("short", able.SHORTENED, "write", "write or pwrite")
    if rule.full is not None:
        yield _Need("full", able.FILLS, "take room", "write or allocate")
    if rule.rot is not None:
        yield _Need("rot", able.READS, "read", "read")
    if rule.retval == 0:
        yield _Need("retval=0", able.DONE, "only say that they are done", "sync or close")
    elif rule.retval is not None:
        yield _Need(
            f"retval={rule.retval}", able.WRITES, "return how much they wrote", "write or pwrite"
        )
