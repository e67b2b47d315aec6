"""States made and asked about, one after the other, in a process that does nothing else.

A signal (SIGTERM) ends it: from its parent, or because the parent is gone. It then kills what it
has started and takes away its directory.
"""

import os
import signal
import time
from contextlib import suppress
from typing import Final, NoReturn

from tracefs.capture.syscalls import become_subreaper, end_with_parent
from tracefs.crash import jobs
from tracefs.crash.asking import Asker, Checker, Rooms
from tracefs.crash.jobs import Answers, Job
from tracefs.crash.materialise import make
from tracefs.crash.removal import remove
from tracefs.crash.workplace import share
from tracefs.crashes import Answer, Checked
from tracefs.errors import TracefsError
from tracefs.pathtext import to_text
from tracefs.persistence.image import Bytes
from tracefs.trials.limit import Family

ENDED: Final = 128 + signal.SIGTERM
"""Status that the process ends with where it was told to."""


class States:
    """Makes states and asks one checker about them, in a directory of its own in *workplace*."""

    def __init__(self, checker: Checker, source: Bytes, workplace: str) -> None:
        self._asker = Asker(checker)
        self._source = source
        self._folder = os.path.join(workplace, str(os.getpid()))
        self._count = 0
        os.mkdir(self._folder, 0o700)
        self.lock = share(workplace)

    def ask(self, job: Job) -> Answer:
        """Make a state, and ask; whatever fails, an answer says it."""
        self._count += 1
        place = os.path.join(self._folder, str(self._count))
        rooms = Rooms(state=f"{place}/state", work=f"{place}/work", acks=f"{place}/acks")
        try:
            os.mkdir(place, 0o700)
            try:
                os.mkdir(rooms.work, 0o700)
                make(job.image, self._source, rooms.state)
                return self._asker.ask(rooms, job.acks)
            finally:
                with suppress(OSError):  # the workplace tries again in the end
                    remove(place)
        except Exception as error:  # noqa: BLE001  # other states are asked about all the same
            return Answer(checked=Checked.TOOL_FAILED, said=_text(error))

    def close(self) -> None:
        """Kill all children of this process, and take the directory away.

        Whatever this process is doing: it is not to go on with it.
        """
        Family(0).kill()
        with suppress(OSError):
            remove(self._folder)


class _Process:
    """What this process is."""

    states: States | None = None
    workplace: str | None = None
    """To be taken away with it: nobody else is in it."""


def become(
    checker: Checker, source: Bytes, workplace: str, parent: int, *, alone: bool = False
) -> None:
    """Make this process one that asks.

    Args:
        checker: is asked.
        source: has the bytes of images.
        workplace: directory in which it makes its own.
        parent: process id of the one that made this one.
        alone: nobody else has *workplace*.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the front end, which ends us
    signal.signal(signal.SIGTERM, _end)
    end_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
    become_subreaper()
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2:
            with suppress(OSError):  # that of the listing
                os.set_inheritable(descriptor, False)
    _Process.states = States(checker, source, workplace)
    if alone:
        _Process.workplace = workplace


def perform(data: bytes) -> bytes:
    """Ask about a `Batch`; return its `Answers`."""
    states = _Process.states
    assert states is not None
    begin = time.perf_counter()
    answers = tuple(states.ask(job) for job in jobs.decode_batch(data).jobs)
    return jobs.encode(Answers(answers=answers, seconds=time.perf_counter() - begin))


def end() -> None:
    """End what was started, and take this process's directory away; nothing can be asked then."""
    if _Process.states is not None:
        _Process.states.close()
        _Process.states = None


def _end(*_: object) -> NoReturn:
    """End this process.

    In the handler itself: an exception could come where a child has been started and nobody knows
    of it yet, or where exceptions are passed over.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end()
    if _Process.workplace is not None:
        with suppress(OSError):
            remove(_Process.workplace)
    os._exit(ENDED)


def _text(error: Exception) -> str:
    if isinstance(error, OSError):
        what = error.filename
        name = to_text(os.fsencode(what)) if isinstance(what, bytes | str) else None
        return f"{name}: {error.strerror}" if name else str(error)
    return str(error) if isinstance(error, TracefsError) else f"{type(error).__name__}: {error}"
