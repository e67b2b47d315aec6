"""The contract ``page-write``: one whole page by one pwrite64, then a sync that succeeds.

``docs/reference/contract-page-write.md`` explains each rule, how it is decided and what stays
unknown. The parts, one reason to change each:

- `judge` takes the trace and hands each call to the rules it concerns;
- `opens` says which opens and files are judged, `flags` what they may be opened with;
- `writes` judges one write by its name, place, length and result;
- `durability` knows what is dirty and which sync covers it (`synced`, and advice on syncs);
- `position` tells whether the file position moved (`no-seek`);
- `directories` remembers new names until their directory is synced (`directory-synced`);
- `state` is what is remembered of an open and a file, `text` every sentence that users see.
"""

from typing import Final

from tracefs.contracts.base import Judge, Settings
from tracefs.contracts.page_write.judge import PageWriteJudge
from tracefs.contracts.page_write.report import ID, RULES
from tracefs.events import Header


class PageWrite:
    """Every open for writing writes whole pages, each by one pwrite64 and followed by a sync."""

    id: Final = ID
    rules: Final = RULES

    def start(self, header: Header, settings: Settings) -> Judge:
        """Return a judge for the trace that begins with *header*."""
        return PageWriteJudge(header, settings)
