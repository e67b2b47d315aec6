"""The bindings that a sequence is followed under, each with how far its calls have come."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tracefs.contracts.language.matching import Bindings, bind
from tracefs.contracts.language.model import PathPattern, Pattern
from tracefs.pathtext import parent
from tracefs.trace.call import Call
from tracefs.trace.guesses import is_guessed

Runs = dict[int, tuple[int, int]]
"""States of the automaton that runs have come to; for each when the calls of the steps before it
had all ended, and when its own had, nanoseconds."""

Key = tuple[tuple[str, str], ...]
_Mark = tuple[str, str]
_DIRECTORY = "/"
"""Before a variable's name: the directory of what it stands for."""


class Course(Struct, kw_only=True, eq=False):
    """One binding."""

    bound: Bindings
    runs: Runs = {}
    last: Call | None = None
    """The last call of it."""
    stopped: Runs = {}
    """The runs before that call."""
    before: Call | None = None
    """The call before that one."""
    owed: Call | None = None
    """The call like *when*, as long as what must follow it is missing."""
    owing: Runs = {}
    """The runs that went through that call."""
    certain: bool = True

    def pass_on(self, call: Call, runs: Runs) -> None:
        """*call* leads to *runs*."""
        self.before, self.stopped = self.last, self.runs
        self.last, self.runs = call, runs


class Courses:
    """All bindings of one scope, at most *limit* at one time: the oldest are given up."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_key: dict[Key, Course] = {}
        self._by_mark: dict[_Mark, dict[Key, Course]] = {}
        self.overflowed = False

    def get(self, bound: Bindings) -> Course:
        """Return the course of *bound*, a new one if there is none."""
        key = key_of(bound)
        course = self._by_key.get(key)
        if course is None:
            if len(self._by_key) >= self._limit:
                self.drop(next(iter(self._by_key.values())))
                self.overflowed = True
            course = self._by_key[key] = Course(bound=bound)
            for mark in _marks_of(bound):
                self._by_mark.setdefault(mark, {})[key] = course
        return course

    def drop(self, course: Course) -> None:
        """Forget *course*."""
        key = key_of(course.bound)
        self._by_key.pop(key, None)
        for mark in _marks_of(course.bound):
            marked = self._by_mark.get(mark, {})
            marked.pop(key, None)
            if not marked:
                self._by_mark.pop(mark, None)

    def all(self) -> Iterator[Course]:
        """Yield every course."""
        yield from list(self._by_key.values())

    def near(self, sought: frozenset[_Mark] | None) -> list[Course]:
        """Return the courses with one of the marks *sought*, and that of no binding; None: all."""
        if sought is None:
            return list(self._by_key.values())
        found = {
            key: course for mark in sought for key, course in self._by_mark.get(mark, {}).items()
        }
        unbound = self._by_key.get(())
        return [*found.values(), *([] if unbound is None else [unbound])]


def key_of(bound: Bindings) -> Key:
    """Return *bound* as a key."""
    return tuple(sorted(bound.items()))


def _marks_of(bound: Bindings) -> Iterator[_Mark]:
    for name, value in bound.items():
        yield name, value
        yield _DIRECTORY + name, parent(value)


def marks(steps: Sequence[Pattern], call: Call) -> frozenset[_Mark] | None:
    """Return what a course must be marked with for *call* to be a step of it; None: nothing."""
    found: set[_Mark] = set()
    for step in steps:
        for pattern in step.calls:
            if call.call == "unknown" or is_guessed(call):
                return None
            if not (call.call in pattern.names or call.family in pattern.families):
                continue
            places = (pattern.path, call.path), (pattern.target, call.target)
            given = [mark for place, path in places for mark in _sought(place, path)]
            if not given:
                return None
            found.update(given)
    return frozenset(found)


def _sought(pattern: PathPattern | None, path: str | None) -> Iterator[_Mark]:
    if pattern is None or pattern.variable is None or path is None:
        return
    if pattern.parent:
        yield _DIRECTORY + pattern.variable, path
        return
    bound = bind(pattern, path, {})
    # A path that can't be that variable's is marked with what no course has.
    yield pattern.variable, "" if bound is None else bound[pattern.variable]
