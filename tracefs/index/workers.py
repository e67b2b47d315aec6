"""Recordings of a dataset checked by several processes, of this machine or of a Dask cluster."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tracefs.errors import TracefsError
from tracefs.index.checking import Asked, Checked, check_partition
from tracefs.index.partition import name_of
from tracefs.schedulers import connected


class Unchecked(Struct, frozen=True, kw_only=True, tag=True):
    """A recording that nobody could judge."""

    recording: str
    why: str
    repair: str | None = None


Outcome = Checked | Unchecked
_DECODE = msgspec.msgpack.Decoder(Outcome).decode


def outcomes(
    partitions: Sequence[Path], asked: Asked, *, jobs: int, scheduler: str | None = None
) -> Iterator[Outcome]:
    """Yield what there is to say of each of *partitions*, in their order, as soon as it can be.

    Args:
        partitions: see `tracefs.index.partition.folders`.
        asked: of each.
        jobs: how many processes of this machine check at once; at least 1.
        scheduler: address of the Dask scheduler whose workers check instead. They have the same
            folders at the same paths, and this version of tracefs.

    Raises:
        SetupError: nobody answers at that address.
    """
    threads = 1 if scheduler else max(1, jobs // max(1, len(partitions)))
    question = msgspec.msgpack.encode(replace(asked, threads=threads))
    if scheduler is None and min(jobs, len(partitions)) <= 1:
        yield from (_DECODE(perform(str(folder), question)) for folder in partitions)
        return
    with _executor(jobs, scheduler) as executor:
        futures = [
            executor.submit(perform, os.path.abspath(folder), question) for folder in partitions
        ]
        try:
            for folder, future in zip(partitions, futures, strict=True):
                try:
                    yield _DECODE(future.result())
                except (BrokenExecutor, CancelledError) as error:
                    why = f"the process that was to check it has died: {error}"
                    yield Unchecked(recording=name_of(folder), why=why)
        finally:
            for future in futures:
                future.cancel()


def perform(folder: str, question: bytes) -> bytes:
    """Check one partition; return an `Outcome`, encoded. Done by a worker."""
    asked = msgspec.msgpack.decode(question, type=Asked)
    place = Path(folder)
    try:
        outcome: Outcome = check_partition(place, asked)
    except TracefsError as error:
        outcome = Unchecked(recording=name_of(place), why=str(error), repair=error.repair)
    return msgspec.msgpack.encode(outcome)


@contextmanager
def _executor(jobs: int, scheduler: str | None) -> Iterator[Executor]:
    if scheduler is None:
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            yield pool
        return
    with connected(scheduler) as client, client.get_executor(pure=False) as workers:
        yield workers
