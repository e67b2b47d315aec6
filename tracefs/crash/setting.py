"""A recording that is open, and a place where its states are made."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from tracefs.crash.question import Question
from tracefs.crash.recorded import Recorded
from tracefs.crash.search import Search
from tracefs.crash.store import Pages, Store
from tracefs.crash.workplace import workplace
from tracefs.journal.start import StartTree
from tracefs.persistence.history import History
from tracefs.persistence.pages import AddPage
from tracefs.persistence.resolve import Resolver


class Setting:
    """A recording that is open, and where its states are made."""

    def __init__(self, question: Question, recorded: Recorded, add_page: AddPage) -> None:
        self.question = question
        self.recorded = recorded
        self._add_page = add_page
        self._globs = [one.glob for one in question.transient]

    def search(self, history: History) -> Search:
        """Return a search in *history*."""
        resolver = Resolver(history, self.recorded.bytes, self._add_page, self._globs)
        return Search(history, resolver, self.question.acks_before)


@contextmanager
def opened(question: Question) -> Iterator[tuple[Setting, str, Store]]:
    """Open the recording, and a place for states."""
    with (
        Recorded.open(question.folder, question.source) as recorded,
        workplace(question.work) as work,
        Pages(os.path.join(work, "pages")) as pages,
    ):
        source = None if question.source is None else question.source.absolute()
        store = Store(pages.name, question.folder, partial(StartTree.open, source=source))
        yield Setting(question, recorded, pages.add), work, store
