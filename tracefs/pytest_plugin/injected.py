"""What becomes of the faults of one directory of a test."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from tracefs.api.faults import Faults
from tracefs.capture.messages import Change, Holding, Standing
from tracefs.errors import TracefsError
from tracefs.faults.model import Rule


class ForRuns:
    """Rules for commands that are recorded each by itself: they hold from a command's start."""

    def __init__(self) -> None:
        self.holding: tuple[Rule, ...] = ()
        self._standing: tuple[Standing, ...] = ()

    def inject(self, rules: Sequence[Rule], change: Change) -> Holding:
        """Change the rules for the next command."""
        kept = list(zip(self.holding, self._standing, strict=True))
        ended = [] if change is not Change.SET else kept
        if change is Change.SET:
            kept = []
        if change is Change.REMOVE:
            for rule in reversed(rules):
                last = next((one for one in reversed(kept) if one[0] == rule), None)
                if last is not None:
                    kept.remove(last)
                    ended.append(last)
        else:
            kept += [(rule, Standing(rule=rule.text)) for rule in rules]
        self.holding = tuple(rule for rule, _ in kept)
        self._standing = tuple(standing for _, standing in kept)
        return Holding(
            number=0, rules=self._standing, ended=tuple(standing for _, standing in ended)
        )

    def rules(self) -> Holding:
        """Return the rules, with what they have struck in the commands so far."""
        return Holding(number=0, rules=self._standing)

    def release(self) -> int:
        """Return 0: a command has ended before anybody can ask."""
        return 0

    def take(self, met: Sequence[int], struck: Sequence[int]) -> None:
        """Add what came of the rules in one command."""
        if len(struck) != len(self._standing):
            return  # somebody has changed the rules meanwhile, from outside
        self._standing = tuple(
            Standing(rule=one.rule, met=one.met + more, struck=one.struck + hit)
            for one, more, hit in zip(self._standing, met, struck, strict=True)
        )


class Injected:
    """The faults of one directory, and how its test ends them.

    Args:
        faults: What the test has of them.
    """

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._last: tuple[Standing, ...] | None = None

    def pause(self) -> None:
        """Let no rule hold, and nothing be stuck."""
        with suppress(TracefsError):  # they went with the server
            self.faults.clear()
            self.faults.release()

    def end(self) -> tuple[Standing, ...]:
        """Let no rule hold any more, and nothing be stuck; return those that struck nothing."""
        if self._last is None:
            self.pause()
            self._last = self.faults.gone
        return tuple(one for one in self._last if not one.struck)

    def lines(self) -> Iterator[str]:
        """Yield a line for each rule so far, for a report."""
        standing = self._last
        if standing is None:
            try:
                standing = self.faults.injected
            except TracefsError:
                standing = self.faults.gone
        for one in standing:
            yield f"injected: {one.rule} ({one.outcome})"
