"""What can't stand together in one rule."""

from typing import Final

from tracefs.faults.model import Rule
from tracefs.faults.refused import RefusedError

OUTCOMES: Final = ("error", "retval", "short", "full")
"""How a call ends: a rule says one of them at most."""


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
    if not ends and rule.rot is None and not rule.stuck and not delays:
        raise RefusedError("expected what is to happen, as in error=EIO, short=1 or delay_enter=5")
