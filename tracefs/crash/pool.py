"""Many states asked about at once, by processes of this machine or of others.

States go out in batches, so few at a time that the answers of a lost batch cost little, and come
back as they are answered. A process that dies takes its batch with it: each state of it is then
asked about again, alone, and one that kills its process again has that for its answer.
"""

import multiprocessing
import os
import pickle
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import Final, Protocol

from tracefs.crash import batch, jobs
from tracefs.crash.asking import Checker
from tracefs.crash.jobs import Answers, Batch, Job
from tracefs.crashes import Answer, Checked
from tracefs.errors import UsageError
from tracefs.persistence.image import Bytes

_MOST: Final = 256
"""States in a batch."""


class Askers(Protocol):
    """Processes that ask about batches."""

    @property
    def width(self) -> int:
        """How many batches are asked about at once."""

    @property
    def batch_s(self) -> float:
        """Seconds that a batch should take."""

    @property
    def deaths(self) -> tuple[type[BaseException], ...]:
        """Errors of a future that say that the process died."""

    def submit(self, states: tuple[Job, ...]) -> Future[bytes]:
        """Have a batch asked about; the future has `Answers`, encoded."""

    def renew(self) -> None:
        """Go on after a death, with none of what was submitted."""


def answers(states: Iterable[Job], askers: Askers) -> Iterator[tuple[Job, Answer]]:
    """Yield each state with what the checker says of it, as the answers come.

    Args:
        states: taken from as there is room; may be long, and made as they are taken.
        askers: who is asked; closed by whoever made them, whether or not all is answered.
    """
    exchange = _Exchange(iter(states), askers)
    while exchange.fill():
        yield from exchange.some()


class _Exchange:
    """Batches under way."""

    def __init__(self, states: Iterator[Job], askers: Askers) -> None:
        self._states = states
        self._askers = askers
        self._flying: dict[Future[bytes], tuple[Job, ...]] = {}
        self._suspects: deque[Job] = deque()
        """States of batches that were lost: they are asked about alone."""
        self._size = 1
        """States in the next batch."""

    def fill(self) -> bool:
        """Submit what there is room for; return whether anything is under way."""
        while not self._suspects and len(self._flying) < 2 * self._askers.width:
            states = tuple(job for _, job in zip(range(self._size), self._states, strict=False))
            if not states or not self._submit(states):
                break
        return bool(self._flying or self._suspects)

    def some(self) -> Iterator[tuple[Job, Answer]]:
        """Wait for answers, and yield them."""
        done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
        for future in done:
            yield from self._take(future)
        if self._suspects:
            # What else is under way is answered, or lost with the same death.
            for future in list(self._flying):
                yield from self._take(future)
            self._askers.renew()
            while self._suspects:
                job = self._suspects.popleft()
                yield job, self._alone(job)

    def _take(self, future: Future[bytes]) -> Iterator[tuple[Job, Answer]]:
        states = self._flying.pop(future)
        try:
            answered = jobs.decode_answers(future.result())
        except self._askers.deaths:
            self._suspects += states
            return
        self._pace(answered)
        yield from zip(states, answered.answers, strict=True)

    def _submit(self, states: tuple[Job, ...]) -> bool:
        try:
            self._flying[self._askers.submit(states)] = states
        except self._askers.deaths:
            self._suspects += states
            return False
        return True

    def _alone(self, job: Job) -> Answer:
        try:
            (answer,) = jobs.decode_answers(self._askers.submit((job,)).result()).answers
        except self._askers.deaths:
            self._askers.renew()
            said = "the process that was to ask was killed, twice"
            return Answer(checked=Checked.TOOL_FAILED, said=said)
        return answer

    def _pace(self, answered: Answers) -> None:
        """Choose the size of batches by the last one's time, growing slowly."""
        each = answered.seconds / max(1, len(answered.answers))
        wanted = int(self._askers.batch_s / max(each, 1e-6))
        self._size = max(1, min(wanted, 4 * self._size, _MOST))


class Local:
    """Processes of this machine; see `local`."""

    batch_s = 0.2
    deaths = (BrokenExecutor,)

    def __init__(self, checker: Checker, source: Bytes, width: int, workplace: str) -> None:
        self.width = width
        self.workplace = workplace
        self._kit = checker, source, workplace, os.getpid()
        self._workers: set[multiprocessing.process.BaseProcess] = set()
        self._pool = self._made()

    def submit(self, states: tuple[Job, ...]) -> Future[bytes]:
        """Have a batch asked about."""
        before = set(multiprocessing.active_children())
        future = self._pool.submit(batch.perform, jobs.encode(Batch(jobs=states)))
        # The executor starts its processes here, as it needs them.
        self._workers |= set(multiprocessing.active_children()) - before
        return future

    def renew(self) -> None:
        """Start other processes."""
        self.close()
        self._pool = self._made()

    def close(self) -> None:
        """End all processes at once, with what they are doing."""
        for worker in self._workers:
            if worker.is_alive():
                worker.terminate()
        self._workers.clear()
        self._pool.shutdown(cancel_futures=True)

    def _made(self) -> ProcessPoolExecutor:
        # Fresh interpreters: a fork would have the locks of threads that are not in it, and the
        # pool that has just broken has such threads.
        fresh = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            self.width, mp_context=fresh, initializer=batch.become, initargs=self._kit
        )


@contextmanager
def local(checker: Checker, source: Bytes, width: int, workplace: str) -> Iterator[Local]:
    """Have *width* processes of this machine, to the end of the block.

    Args:
        checker: is asked.
        source: has the bytes of images; can be pickled, and read by other processes.
        width: at least 1.
        workplace: directory in which they make states; see `tracefs.crash.workplace`.

    Raises:
        UsageError: the checker can't be taken to another process.
    """
    try:
        pickle.dumps((checker, source))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(f"the checker can't be asked by another process: {error}") from None
    askers = Local(checker, source, width, workplace)
    try:
        try:
            askers.submit(()).result()
        except BrokenExecutor:
            raise UsageError(
                "no process could be started that asks the checker",
                repair="have the checker in a module that can be imported",
            ) from None
        yield askers
    finally:
        askers.close()
