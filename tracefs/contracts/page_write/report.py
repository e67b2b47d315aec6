"""The rules of ``page-write`` by id, and how a finding on one of them is made."""

from collections.abc import Callable
from typing import Final

from tracefs.contracts.base import Settings
from tracefs.contracts.log import FindingLog
from tracefs.contracts.page_write import text
from tracefs.contracts.page_write.directories import NewName
from tracefs.findings import Finding, Severity, Verdict
from tracefs.pathtext import parent
from tracefs.trace.call import Call

ID: Final = "page-write"

POSITIONAL_WRITE: Final = "positional-write"
FULL_PAGE: Final = "full-page"
ALIGNED: Final = "aligned"
SYNCED: Final = "synced"
COMPLETE: Final = "complete"
NO_SEEK: Final = "no-seek"
OPEN_FLAGS: Final = "open-flags"
FDATASYNC_SUFFICES: Final = "fdatasync-suffices"
IDLE_SYNC: Final = "idle-sync"
DIRECTORY_SYNCED: Final = "directory-synced"

RULES: Final = (
    POSITIONAL_WRITE,
    FULL_PAGE,
    ALIGNED,
    SYNCED,
    COMPLETE,
    NO_SEEK,
    OPEN_FLAGS,
    FDATASYNC_SUFFICES,
    IDLE_SYNC,
    DIRECTORY_SYNCED,
)
"""Rules that can be left out."""

WRITTEN: Final = "written"
"""Something was written at all; not to be left out, since nothing written proves nothing."""


# A look into an enumeration costs as much as a call: these are looked for at each finding.
_ERROR, _ADVICE = Severity.ERROR, Severity.ADVICE
_BROKEN, _UNKNOWN = Verdict.BROKEN, Verdict.UNKNOWN

Words = Callable[..., text.Text]
"""One of `text`: it is given the call, and what else it is about, if the finding is listed."""


class Reporter:
    """Makes findings and keeps them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.page_size = settings.page_size
        self._log = FindingLog(RULES, without=settings.without)

    def broken(
        self, rule: str, call: Call, words: Words, *about: object, at: Call | None = None
    ) -> None:
        """*rule* does not hold at *call*; the page is that of *at*, by default of *call*."""
        if not self._log.passes(rule, _ERROR, _BROKEN):
            self._add(rule, _ERROR, _BROKEN, call, words(call, *about), at)

    def unknown(self, rule: str, call: Call, words: Words, *about: object) -> None:
        """Whether *rule* holds at *call* can't be told."""
        if not self._log.passes(rule, _ERROR, _UNKNOWN):
            self._add(rule, _ERROR, _UNKNOWN, call, words(call, *about), None)

    def advice(self, rule: str, call: Call, words: Words, *about: object) -> None:
        """*call* could be better; the verdict doesn't change."""
        if not self._log.passes(rule, _ADVICE, _BROKEN):
            self._add(rule, _ADVICE, _BROKEN, call, words(call, *about), None)

    def name_not_durable(self, name: NewName, *, complete: bool) -> None:
        """Nothing made a new file's *name* durable; a trace cut short may not show what did."""
        message, repair = text.directory_not_synced(parent(name.path))
        self._log.add(
            Finding(
                rule=DIRECTORY_SYNCED,
                severity=Severity.ADVICE,
                verdict=Verdict.BROKEN if complete else Verdict.UNKNOWN,
                call=name.call,
                path=name.path,
                page=None,
                message=message,
                repair=repair,
            )
        )

    def nothing_written(self) -> None:
        """There is nothing to judge."""
        message, repair = text.nothing_written(self._settings.paths)
        self._log.add(
            Finding(
                rule=WRITTEN,
                severity=Severity.ERROR,
                verdict=Verdict.UNKNOWN,
                call=None,
                path=None,
                page=None,
                message=message,
                repair=repair,
            )
        )

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all errors so far."""
        return self._log.verdict

    def findings(self) -> tuple[Finding, ...]:
        """Return all findings that are listed, in the order of the calls."""
        return self._log.findings()

    def _add(
        self,
        rule: str,
        severity: Severity,
        verdict: Verdict,
        call: Call,
        words: text.Text,
        at: Call | None,
    ) -> None:
        where = at or call
        write = where.family == "write" and where.offset is not None
        self._log.add(
            Finding(
                rule=rule,
                severity=severity,
                verdict=verdict,
                call=call.index,
                path=call.path or where.path,
                page=(where.offset or 0) // self.page_size if write else None,
                message=words.message,
                repair=words.repair,
            )
        )
