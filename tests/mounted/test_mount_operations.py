"""Every request that pyfuse3 can pass on is handled, or known not to be."""

import json
import subprocess
import sys

import pytest

PROBE = """
import inspect, json
from tracefs.capture.operations import UNSUPPORTED, Operations
import pyfuse3, trio
from pyfuse3._pyfuse3 import Operations as Base

def answer(name):
    handler = getattr(Base(), name)
    wanted = [None] * len(inspect.signature(handler).parameters)
    async def ask():
        try:
            await handler(*wanted)
        except pyfuse3.FUSEError as error:
            return error.errno
    return trio.run(ask)

handlers = [n for n, member in vars(Base).items() if inspect.isfunction(member) and n[0] != "_"]
implemented = [n for n in handlers if getattr(Operations, n) is not getattr(Base, n)]
same = [n for n in implemented
        if list(inspect.signature(getattr(Operations, n)).parameters)
        == list(inspect.signature(getattr(Base, n)).parameters)]
print(json.dumps([handlers, implemented, same, UNSUPPORTED, {n: answer(n) for n in UNSUPPORTED}]))
"""


@pytest.fixture(scope="module")
def found() -> tuple[list[str], list[str], list[str], dict[str, int], dict[str, int]]:
    """Handlers of pyfuse3; ours; those with equal parameters; the unsupported, said and real."""
    # In a process of its own: only the server imports pyfuse3.
    probe = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, check=True, timeout=60
    )
    handlers, implemented, same, said, real = json.loads(probe.stdout)
    return handlers, implemented, same, said, real


def test_each_handler_is_implemented_or_listed(found: tuple[list[str], ...]) -> None:
    handlers, implemented, _, unsupported, _ = found
    assert len(handlers) > 25
    assert sorted(handlers) == sorted([*implemented, *unsupported])


def test_handlers_take_the_parameters_that_pyfuse3_gives(found: tuple[list[str], ...]) -> None:
    _, implemented, same, _, _ = found
    assert implemented == same


def test_what_is_not_supported_answers_as_listed(found: tuple[list[str], ...]) -> None:
    _, _, _, said, real = found
    assert said == real
