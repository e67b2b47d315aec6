"""Whether the faults of a run struck the calls that they were meant for, by its recording."""

from collections.abc import Sequence

from msgspec import Struct

from tracefs.report.strace import spelled
from tracefs.torture.targets import family_of
from tracefs.tortures import Struck, Target, Trial
from tracefs.trace import Call


class Seen(Struct, frozen=True, kw_only=True):
    """What the recording shows of the faults."""

    struck: Struck
    reason: str | None
    """What it was instead; None: it was as meant."""
    last: int | None
    """Index of the call that was struck last."""


class Watch:
    """Looks at each call of a run in turn."""

    def __init__(self, trial: Trial) -> None:
        self._strikes = trial.strikes
        self._struck: dict[str, Call] = {}

    def feed(self, call: Call) -> None:
        """Take note of *call*, if a fault struck it."""
        for injected in call.injected:
            self._struck.setdefault(injected.rule, call)

    def seen(self) -> Seen:
        """Return what came of all faults, the first that went wrong before others."""
        last = max((call.index for call in self._struck.values()), default=None)
        for strike in self._strikes:
            call = self._struck.get(strike.rule.text)
            if call is None:
                reason = f"no call was struck, though {strike.target.shown} was to be"
                return Seen(struck=Struck.NOT_REACHED, reason=reason, last=last)
            if not _is_meant(call, strike.target):
                reason = f"{spelled(call)} was struck instead of {strike.target.shown}"
                return Seen(struck=Struck.MOVED, reason=reason, last=last)
        return Seen(struck=Struck.AS_MEANT, reason=None, last=last)


def after(found: Sequence[Target], last: int | None) -> tuple[Target, ...]:
    """Return those of *found* that come after the call *last*."""
    return () if last is None else tuple(one for one in found if one.index > last)


def _is_meant(call: Call, target: Target) -> bool:
    """Return whether *call* is *target*, as far as that is known to be the same each time."""
    unknown = "unknown" in {call.call, target.call}
    return (
        family_of(call) == target.family
        and (unknown or call.call == target.call)
        and target.path in {None, call.path}
        and target.offset in {None, call.offset}
        and target.length in {None, call.length}
    )
