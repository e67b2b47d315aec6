"""States asked about by the workers of a Dask scheduler, on this machine or on others.

The checker and the bytes are scattered once; pages that are new since then travel with the batches
that need them. Dask has a batch done again whose worker died, and gives up one that has killed
several; then its states are asked about alone, as by the processes of this machine.
"""

import pickle
from collections.abc import Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tracefs.crash import jobs
from tracefs.crash.asking import Checker
from tracefs.crash.elsewhere import Kit, perform
from tracefs.crash.jobs import Batch, Job
from tracefs.crash.store import Store
from tracefs.errors import SetupError
from tracefs.schedulers import PATIENCE_S, connected

if TYPE_CHECKING:
    from distributed import Client


class Dask:
    """Workers of a scheduler; see `dask`."""

    batch_s = 2.0  # a program is started for each

    def __init__(self, client: "Client", checker: Checker, source: Store, bases: Mapping[int, int]):
        from distributed.scheduler import KilledWorker  # noqa: PLC0415  # an extra

        # Cancelled: the bytes were scattered to workers that are all gone.
        self.deaths: tuple[type[BaseException], ...] = (
            BrokenExecutor, CancelledError, KilledWorker
        )  # fmt: skip
        self._client = client
        self._source = source
        embedded = source.embedded(bases)
        self._sent = len(embedded.pages)
        self._kit = pickle.dumps(Kit(checker=checker, bytes=embedded, work=None))
        self._executor, self._scattered = self._ready()

    @property
    def width(self) -> int:
        """How many batches are asked about at once: workers may come and go."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def submit(self, states: tuple[Job, ...]) -> Future[bytes]:
        """Have a batch asked about."""
        new = {page for job in states for page in _pages(job) if page >= self._sent}
        pages = {page: self._source.page(page) for page in new}
        data = jobs.encode(Batch(jobs=states, pages=pages))
        return self._executor.submit(perform, data, self._scattered)

    def renew(self) -> None:
        """Scatter the bytes again, to the workers that there are now."""
        self.close()
        self._executor, self._scattered = self._ready()

    def close(self) -> None:
        """Take back what isn't done; what a worker is doing goes on to the end of its batch."""
        self._executor.shutdown(wait=False)

    def _ready(self) -> tuple[Executor, Any]:
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE_S)
            scattered = self._client.scatter(self._kit, broadcast=True, hash=False)
        except (OSError, TimeoutError) as error:
            raise SetupError(f"the scheduler has no workers: {error}") from None
        return self._client.get_executor(pure=False), scattered


@contextmanager
def dask(checker: Checker, source: Store, bases: Mapping[int, int], address: str) -> Iterator[Dask]:
    """Have the workers of the scheduler at *address*, to the end of the block.

    Args:
        checker: is asked; a function must be one that workers can import.
        source: has the bytes of images.
        bases: starting files by inode number, and how many bytes of each are sent.
        address: as Dask writes it: ``tcp://HOST:PORT``.

    Raises:
        SetupError: Dask isn't installed, nobody answers, or workers can't ask.
        RecordingError: bytes of starting files can't be had any more.
    """
    with connected(address) as client:
        askers = Dask(client, checker, source, bases)
        failed: tuple[type[BaseException], ...] = (*askers.deaths, ImportError)
        try:
            try:
                askers.submit(()).result()
            except failed as error:
                raise SetupError(f"the workers of {address} can't ask: {error}") from None
            yield askers
        finally:
            askers.close()


def _pages(job: Job) -> Iterator[int]:
    for _, node in job.image.nodes:
        if node.content is not None:
            yield from (page for _, page in node.content.pages)
