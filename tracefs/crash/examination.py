"""The whole of ``tracefs crash``: a recording becomes a report."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec.structs import replace

from tracefs.crash.asking import Checker
from tracefs.crash.changes import Describer
from tracefs.crash.diagnosis import Diagnosis
from tracefs.crash.examiner import ByChecker, ByPrefix, InMemory, Kept
from tracefs.crash.exploration import Explored, Limits, explore, nothing
from tracefs.crash.in_process import ByFunction
from tracefs.crash.judging import blind_spots, coverage, points, reasons, verdict
from tracefs.crash.pool import Askers, local
from tracefs.crash.question import Question, recovering
from tracefs.crash.recovery import Recovery, record, worth_it
from tracefs.crash.redundancy import redundant
from tracefs.crash.repairs import repairs
from tracefs.crash.results import Results
from tracefs.crash.scheduler import dask
from tracefs.crash.search import Found, Search
from tracefs.crash.setting import Setting, opened
from tracefs.crash.store import Store
from tracefs.crashes import CrashReport, Failure, Redundant
from tracefs.errors import RecordingError
from tracefs.pathtext import to_text
from tracefs.persistence.history import History, StepKind
from tracefs.persistence.profiles import ALL
from tracefs.persistence.rules import Persistence
from tracefs.persistence.states import spell

Told = Callable[[str, int], None]
"""Told what is under way, and how much of it is done."""


def examine(question: Question, told: Told) -> CrashReport:
    """Explore the crash states of a recording.

    Raises:
        RecordingError: it can't be read, or lacks bytes.
        SetupError: there is no scheduler.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        setting, work, store = stack.enter_context(opened(question))
        search = setting.search(setting.recorded.history)
        examiner: ByChecker | ByFunction | ByPrefix
        if question.function is not None:
            examiner = ByFunction(question.function, store, work, question.below)
        elif question.checker is None:
            examiner = _by_prefix(search)
        else:
            askers = stack.enter_context(_askers(question, question.checker, setting, work, store))
            examiner = ByChecker(askers, stack.enter_context(_kept(question)))
        examination = _Examination(setting, search, examiner, began, told)
        return examination.report(lambda found, how: record(found, store, work, how))


class _Examination:
    def __init__(
        self,
        setting: Setting,
        search: Search,
        examiner: ByChecker | ByFunction | ByPrefix,
        began: float,
        told: Told,
    ) -> None:
        self._setting = setting
        self._question = setting.question
        self._recorded = setting.recorded
        self._history = setting.recorded.history
        self._search = search
        self._examiner = examiner
        self._began = began
        self._told = told
        limit = self._question.time_s
        self._limits = Limits(
            states=self._question.most_states, until=None if limit is None else began + limit
        )

    def report(self, recorded: Callable[[Found, Recovery], Path]) -> CrashReport:
        """Return all that was found; *recorded* records the recovery of a state."""
        question, history = self._question, self._history
        profiles = self._profiles(history)
        explored = explore(
            self._search, self._examiner, profiles, question.strategy, self._limits,
            lambda done: self._told("exploring", done),
        )  # fmt: skip
        took, checkers = time.monotonic() - self._began, self._examiner.checker_s
        diagnosis = Diagnosis(
            self._search, self._examiner, profiles,
            [Persistence(rules, history) for rules in ALL.values()],
            Describer(self._recorded, history),
        )  # fmt: skip
        found = diagnosis.failures(explored.failing, lambda done: self._told("reducing", done))
        failures = [
            replace(
                one.failure,
                states=len(one.states),
                repairs=repairs(history, one, self._again),
            )
            for one in found
        ]
        stands_for = {
            state.state: one.failure.id for one in found for state in (*one.states, one.found)
        }
        taken_out: tuple[Redundant, ...] = ()
        if question.find_redundant:
            taken_out = tuple(redundant(self._recorded, history, explored, self._again))
        blind = blind_spots(self._recorded.blind, question.transient)
        why = reasons(self._recorded.summary, blind, explored, failures)
        inner = self._recoveries(explored, recorded)
        why = tuple(dict.fromkeys((*why, *inner.reasons)))
        failures += inner.failures
        return CrashReport(
            recording=str(question.folder),
            check=question.check,
            profiles=tuple(rules.name for rules in question.profiles),
            strategy="deep" if question.strategy.deep else "default",
            seed=question.strategy.seed,
            verdict=verdict(failures, why),
            reasons=why,
            failures=tuple(failures),
            points=points(history, self._recorded, explored, stands_for),
            coverage=coverage(history, profiles, explored, blind),
            acks=(*question.acks_before, *history.acks),
            seconds=round(time.monotonic() - self._began, 3),
            states_a_second=round(len(explored.answered) / max(took, 1e-6), 1),
            checker_seconds=round(checkers, 3),
            redundant=taken_out,
            recover=None if question.recovery is None else question.recovery.command,
            recovered=inner.states,
            directory=None if question.source is None else to_text(os.fsencode(question.source)),
        )

    def _recoveries(
        self, explored: Explored, recorded: Callable[[Found, Recovery], Path]
    ) -> "_Inner":
        """Explore what crashes may leave of the recoveries of some states."""
        inner, recovery = _Inner(), self._question.recovery
        if recovery is None:
            return inner
        for found in worth_it(explored.answered, recovery.states):
            name = spell(found.state, (1 << self._history.stop(found.state.point)) - 1)
            if self._limits.over:
                inner.reasons.append("not all recoveries were explored: the time was over")
                break
            try:
                folder = recorded(found, recovery)
            except RecordingError as error:
                inner.reasons.append(f"state {name}: {error}")
                continue
            question = recovering(self._question, folder, found.acks)
            if self._limits.until is not None:
                question = replace(question, time_s=self._limits.until - time.monotonic())
            report = examine(question, self._told)
            inner.states += report.coverage.explored + report.recovered
            inner.reasons += [f"a recovery: {reason}" for reason in report.reasons]
            inner.failures += [
                replace(one, id=f"{name}/{one.id}", within=(name, *one.within))
                for one in report.failures
            ]
        return inner

    def _profiles(self, history: History) -> list[Persistence]:
        return [Persistence(rules, history) for rules in self._question.profiles]

    def _again(self, history: History) -> Explored:
        """Explore another history in the same way; what is known is not asked again."""
        if self._limits.over:
            return nothing()
        search = self._setting.search(history)
        self._told("exploring again", self._examiner.asked)
        return explore(
            search,
            _by_prefix(search) if isinstance(self._examiner, ByPrefix) else self._examiner,
            self._profiles(history),
            self._question.strategy,
            self._limits,
        )


class _Inner:
    """What came of recoveries."""

    def __init__(self) -> None:
        self.states = 0
        self.failures: list[Failure] = []
        self.reasons: list[str] = []


def _by_prefix(search: Search) -> ByPrefix:
    history = search.history
    prefix = Persistence(ALL["prefix"], history)
    acknowledged = [step.number for step in history.steps if step.kind is StepKind.ACK]
    return ByPrefix(search.contents(range(len(history.steps) + 1), prefix), acknowledged)


@contextmanager
def _askers(
    question: Question, checker: Checker, setting: Setting, work: str, store: Store
) -> Iterator[Askers]:
    if question.scheduler is None:
        with local(checker, store, question.jobs, work) as askers:
            yield askers
        return
    files = setting.recorded.history.files.values()
    bases = {file.base: file.size for file in files if file.base and file.size}
    with dask(checker, store, bases, question.scheduler) as workers:
        yield workers


@contextmanager
def _kept(question: Question) -> Iterator[Kept]:
    if question.results is None or question.asked is None:
        yield InMemory()
        return
    with Results.open(question.results, question.asked) as kept:
        yield kept
