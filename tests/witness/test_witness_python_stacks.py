"""Functions of Python programs, of each version: read from outside, and told by the program."""

import platform
from pathlib import Path

import pytest
from python_support import MINORS, TELL, pythons, telling

from tracefs.events import Frame
from tracefs.witness.stack import StackReader

NESTED = """
class Main:
    @property
    def run(self):
        return [
            (lambda: inner(
                1,
            ))()
            for _ in range(1)
        ]
def inner(number):
    return [tell(), os.read(0, 1)] if number \\
        else None
Main().run
"""
CALLBACKS = """
import functools
class Missing(dict):
    def __missing__(self, key):
        return sorted([1], key=deep)
class Gone:
    def __del__(self):
        Missing()[1]
def deep(_):
    with open(os.devnull):
        try:
            raise ValueError
        except ValueError:
            return functools.partial(leaf, 2)()
def leaf(_):
    try:
        return 1
    finally:
        tell(), os.read(0, 1)
exec("def evaluated():\\n\\n    Gone()\\n\\nlist(map(eval, ['evaluated()']))")
"""
GENERATORS = """
import asyncio
from contextlib import contextmanager
def items():
    yield 1
    yield from more()
def more():
    tell(), os.read(0, 1)
    yield 2
@contextmanager
def held():
    for one in items():
        pass
    yield
async def work():
    await asyncio.sleep(0)
    with held():
        pass
async def main():
    await asyncio.gather(work())
asyncio.run(main())
"""
NAMES = """
class Klasse_\u00e9:
    def \u0444\u0443\u043d\u043a\u0446\u0438\u044f(self):
        def \U00020000():
            tell(), os.read(0, 1)
        \U00020000()
Klasse_\u00e9().\u0444\u0443\u043d\u043a\u0446\u0438\u044f()
"""
LONG = f"""
def first():
    value = 0
{"    value += 1; value -= 1" * 1}
{chr(10) * 70000}
    if value == 0:
        [{"0," * 200} (tell(), os.read(0, 1))]
{"    value += 1" + chr(10)}
def second(): return first(); return 0
second()
"""
THREAD = """
def work():
    tell(), os.read(0, 1)
others = [threading.Thread(target=threading.Event().wait, daemon=True) for _ in range(3)]
for one in others: one.start()
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
HOT = """
def inner(number):
    if number < 0:
        tell(), os.read(0, 1)
    return number
def outer(numbers):
    total = 0
    for number in numbers:
        total += inner(number)
        while total > 10:
            total -= 7
    return total
outer(list(range(20000)) + [-1])
"""
TRACED = """
def trace(frame, event, argument):
    return trace
def inner():
    number = 1
    tell(), os.read(0, 1)
def outer():
    inner()
sys.settrace(trace)
outer()
"""
SPREAD = """
def inner(first, second):
    tell(), os.read(
        0,
        1,
    )
def outer(one, two):
    inner(
        one,
        two,
    )
others = [threading.Thread(target=threading.Event().wait, daemon=True) for _ in range(3)]
for one in others: one.start()
outer(1, 2)
"""
DEEP = """
def down(number):
    if number:
        return down(number - 1)
    tell(), os.read(0, 1)
down(40)
"""
CHILD = """
def work():
    if not os.fork():
        tell(), os.read(0, 1)
        os._exit(0)
    os.wait()
work()
"""
ANOTHER = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
def work():
    tell(), os.read(0, 1)
kept = interpreters.create()
work()
"""
PROGRAMS = {
    "nested": NESTED,
    "callbacks": CALLBACKS,
    "generators": GENERATORS,
    "names": NAMES,
    "long": LONG,
    "thread": THREAD,
    "hot": HOT,
    "traced": TRACED,
    "spread": SPREAD,
    "deep": DEEP,
    "child": CHILD,
    "another": ANOTHER,
}
WITHIN = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
run = getattr(interpreters, "exec", None) or interpreters.run_string
run(interpreters.create(), TEXT)
"""


def functions(stack: tuple[Frame, ...]) -> list[list[object]]:
    """Return the interpreted functions of a stack."""
    return [[one.file, one.function, one.line] for one in stack if one.module is None]


@pytest.fixture(params=MINORS, ids=lambda minor: f"3.{minor}")
def commands(request: pytest.FixtureRequest) -> list[str]:
    """The interpreters of one version."""
    return pythons(request.param)


@pytest.mark.parametrize("name", PROGRAMS)
def test_functions_are_those_that_the_program_tells(
    tmp_path: Path, commands: list[str], name: str
) -> None:
    source = tmp_path / "\u0444.py"
    source.write_text(TELL + PROGRAMS[name])
    reader = StackReader(platform.machine())
    for command in commands:
        with telling([command, str(source)]) as (tid, _, told):
            stack, unstacked = reader.capture(tid)
            assert reader.capture(tid) == (stack, unstacked)
        assert unstacked is None, command
        assert functions(stack) == told, command
        assert len(told) > 1


def test_a_thread_with_functions_in_two_interpreters_has_none_told(
    tmp_path: Path, commands: list[str]
) -> None:
    """Which of them are the inner ones, nothing that is read says."""
    source = tmp_path / "within.py"
    text = TELL + "tell(), os.read(0, 1)"
    source.write_text(f"TEXT = {text!r}" + WITHIN)
    for command in commands:
        with telling([command, str(source)]) as (tid, _, _):
            stack, unstacked = StackReader(platform.machine()).capture(tid)
        assert functions(stack) == []
        reason = "a thread that several of its Python's interpreters have functions of"
        assert unstacked == f"not further: {reason}", command
