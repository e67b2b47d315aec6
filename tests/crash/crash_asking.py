"""Processes that ask, for tests: never this one, as whoever asks kills its children."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from crash_samples import numbered, store

from tracefs.crash.asking import Checker, command, ready
from tracefs.crash.functions import Function
from tracefs.crash.jobs import Job
from tracefs.crash.pool import Local, answers, local
from tracefs.crash.store import Pages
from tracefs.crash.workplace import workplace
from tracefs.crashes import Answer
from tracefs.persistence.image import Image

LIMIT_S: Final = 20.0


def shell(text: str, limit_s: float = LIMIT_S, cwd: Path | None = None) -> Checker:
    return command(text, limit_s, os.environ, str(cwd or Path.cwd()))


def function(asked: Function, limit_s: float = LIMIT_S) -> Checker:
    return ready(asked, limit_s, os.environ)


@contextmanager
def processes(checker: Checker, width: int = 1) -> Iterator[Local]:
    with (
        workplace(None) as work,
        Pages(f"{work}/pages"),
        local(checker, store(f"{work}/pages"), width, work) as askers,
    ):
        yield askers


def ask_about(
    checker: Checker, *asked: tuple[Image, Sequence[str]], width: int = 1
) -> Sequence[Answer]:
    """Return what *checker* says of images with acknowledgements, in their order."""
    states = (Job(str(at), image, tuple(acks)) for at, (image, acks) in enumerate(asked))
    with processes(checker, width) as askers:
        got = {job.key: answer for job, answer in answers(states, askers)}
    return [got[str(at)] for at in range(len(asked))]


def ask(checker: Checker, *acks: str) -> Answer:
    """Return what *checker* says of a state with an empty file ``n``."""
    (answer,) = ask_about(checker, (numbered(0), acks))
    return answer


def evens(answered: Mapping[int, Answer]) -> list[int]:
    """Return the numbers that are good."""
    return sorted(number for number, answer in answered.items() if answer.checked == "good")
