"""``never = "lseek"`` where nobody was notified of seeks: by the file position, as page-write."""

from typing import Final

from tracefs.contracts.language.ledger import is_own
from tracefs.contracts.language.model import Pattern
from tracefs.contracts.language.reports import RuleReport
from tracefs.contracts.page_write.position import Positions
from tracefs.contracts.page_write.state import NOT_KNOWN, Open
from tracefs.events import Header
from tracefs.trace.call import Call
from tracefs.trace.unseen import unseen


def unheard(patterns: tuple[Pattern, ...], header: Header) -> tuple[str, ...]:
    """Return the names in *patterns* of calls that were made without a notice, if they were."""
    calls = [call for pattern in patterns for call in pattern.calls]
    families = {family for call in calls for family in call.families}
    heard = () if header.visible else header.notified
    names = {*unseen((name for call in calls for name in call.names), families, heard)}
    if "none" in families and not heard:
        names.add("@none")
    if "read" in families:
        names.add("@read")  # no recording has any
    return tuple(sorted(names))


class Seeks:
    """The file positions that writes and syncs show."""

    def __init__(self, report: RuleReport) -> None:
        self.rule: Final = report.rule
        self._positions = Positions(report, by_lseek=False)

    def take(self, call: Call, opened: Open | None) -> None:
        """Compare the position during *call* with the one expected."""
        if call.family == "seek":
            if opened is not None and not call.errno:
                # That it was called is for the clause to judge, here only where it led.
                opened.expected = NOT_KNOWN if call.result is None else call.result
        elif opened is None:
            return
        elif call.family == "sync":
            self._positions.look(opened, call)
        elif call.family == "write" and is_own(call):
            self._positions.look(opened, call)
            self._positions.write_done(opened, call)

    def ends(self, opened: Open) -> None:
        """Nothing more will be seen of *opened*."""
        self._positions.ends(opened)

    def evidence(self, *, complete: bool) -> str:
        """Return what decided the rule."""
        return self._positions.evidence(complete=complete)
