"""Answers about states: from a checker, an earlier exploration, or what was asked before."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from tracefs.crash.jobs import Job
from tracefs.crash.pool import Askers, answers
from tracefs.crash.search import Found
from tracefs.crashes import Answer, Checked


class Kept(Protocol):
    """Where answers are kept: `tracefs.crash.results.Results`."""

    @property
    def known(self) -> dict[str, Answer]:
        """Answers by key."""

    def add(self, key: str, answer: Answer) -> None:
        """Keep one more."""


class InMemory:
    """Answers of this exploration alone."""

    def __init__(self) -> None:
        self.known: dict[str, Answer] = {}

    def add(self, key: str, answer: Answer) -> None:
        """See `Kept`."""
        self.known[key] = answer


class Examiner(Protocol):
    """Whoever can tell whether a state is good."""

    def ask(self, found: Iterable[Found]) -> Iterator[tuple[Found, Answer]]:
        """Yield an answer for each state, in any order."""


class ByChecker:
    """Asks a checker through processes, and nothing twice."""

    def __init__(self, askers: Askers, kept: Kept) -> None:
        self._askers, self._kept = askers, kept
        self.asked = 0
        self.checker_s = 0.0

    def ask(self, found: Iterable[Found]) -> Iterator[tuple[Found, Answer]]:
        """See `Examiner`."""
        waiting: dict[str, list[Found]] = {}
        ready: list[tuple[Found, Answer]] = []

        def jobs() -> Iterator[Job]:
            for one in found:
                known = self._kept.known.get(one.key)
                if known is not None:
                    ready.append((one, known))
                elif one.key in waiting:
                    waiting[one.key].append(one)
                else:
                    waiting[one.key] = [one]
                    yield one.job

        for job, answer in answers(jobs(), self._askers):
            self._kept.add(job.key, answer)
            self.asked += 1
            self.checker_s += answer.seconds
            for one in waiting.pop(job.key):
                yield one, answer
            while ready:
                yield ready.pop()
        while ready:
            yield ready.pop()


class ByPrefix:
    """Compares with what a ``kill -9`` could have left since the last acknowledgement.

    No checker is needed: nothing acknowledged is lost, and nothing is there that never was.
    """

    def __init__(self, contents: list[str], acknowledged: list[int]) -> None:
        """Take the hash of each point's tree, and the point of each acknowledgement."""
        self._contents, self._since = contents, [0, *acknowledged]
        self.asked = 0
        self.checker_s = 0.0

    def ask(self, found: Iterable[Found]) -> Iterator[tuple[Found, Answer]]:
        """See `Examiner`."""
        for one in found:
            self.asked += 1
            content = one.key.rpartition("-")[0]
            point = one.state.point
            since = self._since[len(one.acks)]
            if content in self._contents[since : point + 1]:
                yield one, Answer(checked=Checked.GOOD)
            elif content in self._contents[:since]:
                said = "it is as it was before the last acknowledgement"
                yield one, Answer(checked=Checked.BAD, said=said)
            else:
                said = "the directory was never like this, at no moment of the run"
                yield one, Answer(checked=Checked.BAD, said=said)
