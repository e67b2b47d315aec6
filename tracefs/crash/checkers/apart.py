"""A function in a child of its own, for libraries that a broken file may end by a signal."""

import faulthandler
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import msgspec
from msgspec import Struct


class _Said(Struct, frozen=True):
    wrong: str | None
    raised: str | None


def apart(function: Callable[[], str | None]) -> str | None:
    """Return what *function* returns; a signal that ends it is wrong, too.

    Raises:
        RuntimeError: it raised, or ended without an answer.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(function, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return f"reading it ends by {signal.Signals(-code).name}"
    if not data:
        raise RuntimeError(f"the reader ended with status {code}")
    said = msgspec.json.decode(data, type=_Said)
    if said.raised is not None:
        raise RuntimeError(said.raised)
    return said.wrong


def _child(function: Callable[[], str | None], writing: int) -> NoReturn:
    try:
        faulthandler.disable()  # the signal is an answer, not a fault of this program
        said = _Said(function(), None)
    except BaseException as error:  # noqa: BLE001  # a forked process must end here
        said = _Said(None, f"{type(error).__name__}: {error}")
    with suppress(OSError), os.fdopen(writing, "wb") as pipe:
        pipe.write(msgspec.json.encode(said))
    os._exit(0)
