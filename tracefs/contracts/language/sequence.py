"""`Sequence`: where a call of one kind comes, it is part of a sequence of calls.

A *course* is a binding of the sequence's variables, with the states that its calls have led to. A
call is a course's *own* when it is like one of the steps and names one of the course's variables:
then it is the next step of some run, or ends them all. What names none of them (``fsyncdir(.)``)
can be a step of many courses, and ends none. Runs begin at any call that can be a first step.
"""

from collections.abc import Iterator

from msgspec import Struct

from tracefs.contracts.language import text
from tracefs.contracts.language.automaton import automaton
from tracefs.contracts.language.courses import Course, Courses, Key, Runs, key_of, marks
from tracefs.contracts.language.matching import (
    NOTHING,
    Bindings,
    Matcher,
    elsewhere,
    needs_no_open,
)
from tracefs.contracts.language.model import Pattern, Per, Sequence
from tracefs.contracts.language.preceding import LIVE
from tracefs.contracts.language.reports import RuleReport
from tracefs.contracts.language.running import Now, Scope, scope
from tracefs.contracts.page_write.text import ENDED
from tracefs.trace.call import Call, Released
from tracefs.trace.families import families_of

_BY_PATH = frozenset({"rename", "link", "unlink", "truncate", "attr", "xattr"})
"""Families of calls that need no open."""


class _Reached(Struct, kw_only=True, eq=False):
    """Where one call leads: a binding, and the states of the runs that come to it."""

    bound: Bindings
    runs: Runs = {}
    owing: Runs = {}
    owed: Call | None = None
    certain: bool = True


class SequenceRun:
    """``when``, ``sequence``."""

    def __init__(self, clause: Sequence, report: RuleReport, now: Now, per: Per) -> None:
        self._when = Matcher(clause.when)
        self._automaton = automaton(clause.node)
        self._steps = tuple(map(Matcher, self._automaton.steps))
        self._free = any(step.variables for step in self._steps)
        per = Per.FILE if per is Per.OPEN and needs_no_open(clause.when) else per
        self._report, self._now, self._per = report, now, per
        self._courses: dict[Scope, Courses] = {}
        apart = per in {Per.OPEN, Per.FILE}
        self._elsewhere = {
            number
            for number, step in enumerate(self._automaton.steps)
            if apart and elsewhere(step, clause.when)
        }
        """Steps on other files, where each file is judged by itself."""
        self._closed_too = any(
            call.families & _BY_PATH or families_of(call.names) & _BY_PATH
            for step in self._automaton.steps
            for call in step.calls
        )
        """A step may come when the file is closed."""
        self._overflowed = False
        self._concerned: dict[tuple[str, str], tuple[int, ...]] = {}
        """Steps that calls of a name and family can be."""
        self.began = False

    def concerns(self, name: str, family: str) -> bool:
        """Return whether such a call can be a step."""
        return self._when.concerns(name, family) or any(
            step.concerns(name, family) for step in self._steps
        )

    def take(self, call: Call) -> None:
        """Take *call* as a step of each course that it can belong to; then judge it."""
        if call.errno or not call.proves:
            return
        numbers = self._numbers(call)
        where = scope(self._per, call)
        by_path = self._per is Per.OPEN and call.handle is None
        opens = self._now.opens.get(where[0], ()) if by_path else ()
        own: list[Scope] = [(where[0], each) for each in opens] or [where]
        reached = [(at, *self._take_in(at, call, numbers)) for at in own]
        if self._now.judged:
            found = self._when.match(call, self._now.view)
            if found.truth is not False:
                there = [course for _, _, each in reached for course in each]
                all_ = [course for _, each, _ in reached for course in each.all()]
                self._judge(all_, there, call, found.bound, certain=found.truth is True)
        for _, courses, there in reached:
            self._drop_whole(courses, there)
        for at in self._others(where, call, numbers):
            if at not in own:
                self._offer(self._courses[at], call, numbers)

    def _take_in(
        self, where: Scope, call: Call, numbers: tuple[int, ...]
    ) -> tuple[Courses, list[Course]]:
        """Return the courses of *where*, and those in which *call* was a step."""
        courses = self._courses.get(where)
        if courses is None:
            courses = self._courses[where] = Courses(LIVE)
        reached: dict[Key, _Reached] = {}
        self._start(call, reached)
        own = [
            course
            for course in courses.near(marks([self._automaton.steps[n] for n in numbers], call))
            if self._step(course, call, numbers, reached)
        ]
        self._settle_own(courses, own, call, reached)
        there = [self._arrive(courses, each, call) for each in reached.values()]
        self._overflowed = self._overflowed or courses.overflowed
        return courses, there

    def _drop_whole(self, courses: Courses, there: list[Course]) -> None:
        """Forget what is at a last step: nothing more is owed."""
        for course in there:
            if any(state in self._automaton.last for state in course.owing):
                courses.drop(course)

    def _others(self, where: Scope, call: Call, numbers: tuple[int, ...]) -> list[Scope]:
        """Return what *call* may be a step in beside its own scope."""
        if any(number in self._elsewhere for number in numbers):
            return [*self._courses]
        if self._per is Per.OPEN and call.family == "sync":
            # A sync is of the file, whichever of its opens it came through.
            opens = self._now.opens.get(where[0], ())
            return [(where[0], each) for each in opens if (where[0], each) in self._courses]
        return []

    def _offer(self, courses: Courses, call: Call, numbers: tuple[int, ...]) -> None:
        """Let *call* be the next step of courses that have use for it; it ends none."""
        met = list(courses.all())
        for course in met:
            runs, owing = dict(course.runs), dict(course.owing)
            for number in numbers:
                found = self._steps[number].match(call, self._now.view, course.bound)
                if found.truth is None:
                    course.certain = False
                if not found.truth or found.bound != course.bound:
                    continue
                for states, before in ((runs, course.runs), (owing, course.owing)):
                    gained = self._advance(before, number, call)
                    if gained is not None:
                        states[number] = _sooner(states.get(number), gained)
            course.runs, course.owing = runs, owing
        self._drop_whole(courses, met)

    def _numbers(self, call: Call) -> tuple[int, ...]:
        kind = (call.call, call.family)
        numbers = self._concerned.get(kind)
        if numbers is None:
            steps = enumerate(self._steps)
            numbers = tuple(number for number, step in steps if step.concerns(*kind))
            self._concerned[kind] = numbers
        return numbers

    def _start(self, call: Call, reached: dict[Key, _Reached]) -> None:
        """Begin a run where *call* can be a first step."""
        for number in self._automaton.first:
            found = self._steps[number].match(call, self._now.view, NOTHING)
            if found.truth:
                runs = _at(reached, found.bound).runs
                runs[number] = (0, call.end_ns)

    def _step(
        self, course: Course, call: Call, numbers: tuple[int, ...], reached: dict[Key, _Reached]
    ) -> bool:
        """Let *call* be the next step of *course*; return whether it is one of its own calls."""
        own = False
        for number in numbers:
            step = self._steps[number]
            found = step.match(call, self._now.view, course.bound)
            if found.truth is False:
                continue
            if found.truth is None:
                course.certain = False
                continue
            own = own or not self._free or bool(step.variables & course.bound.keys())
            runs = self._advance(course.runs, number, call)
            if runs is None:
                continue
            there = _at(reached, found.bound)
            there.runs[number] = _sooner(there.runs.get(number), runs)
            there.certain = there.certain and course.certain
            owing = self._advance(course.owing, number, call)
            if owing is not None:
                there.owing[number] = _sooner(there.owing.get(number), owing)
                there.owed = course.owed
        return own

    def _advance(self, runs: Runs, number: int, call: Call) -> tuple[int, int] | None:
        """Return the state that *call* as step *number* leads *runs* to; None: none.

        It must have begun after the calls of the step before it had ended.
        """
        best: tuple[int, int] | None = None
        for state, (before, end) in runs.items():
            if number not in self._automaton.follow[state]:
                continue
            after = before if state == number else end
            if call.start_ns >= after:
                best = _sooner(best, (after, max(end, call.end_ns)))
        return best

    def _settle_own(
        self, courses: Courses, own: list[Course], call: Call, reached: dict[Key, _Reached]
    ) -> None:
        """End the runs of courses whose own *call* led on to another binding, or nowhere."""
        for course in own:
            owed = course.owed
            if owed is not None and not any(
                each.owed is owed and each.owing for each in reached.values()
            ):
                then = text.came_first(call, self._report.page_size)
                self._unfinished(course, then, certain=True)
            key = key_of(course.bound)
            if key in reached:
                continue
            course.pass_on(call, {})
            course.owed, course.owing = None, {}
            if any(set(key) < set(further) for further in reached):
                courses.drop(course)

    def _arrive(self, courses: Courses, reached: _Reached, call: Call) -> Course:
        course = courses.get(reached.bound)
        course.pass_on(call, reached.runs)
        course.certain = course.certain and reached.certain
        if reached.owed is not None:
            course.owed, course.owing = reached.owed, reached.owing
        return course

    def _judge(
        self,
        courses: list[Course],
        there: list[Course],
        call: Call,
        bound: Bindings,
        *,
        certain: bool,
    ) -> None:
        """*call* is like *when*: a run must have come to it."""
        self.began = True
        found = [course for course in there if _agree(course.bound, bound)]
        for course in found:
            course.owed, course.owing = call, dict(course.runs)
            course.certain = course.certain and certain
        if not found:
            near = [course for course in courses if _agree(course.bound, bound)]
            self._out_of_order(near, call, bound, certain=certain)

    def _out_of_order(
        self, near: list[Course], call: Call, bound: Bindings, *, certain: bool
    ) -> None:
        came = [course for course in near if course.before is not None]
        course = max(came, key=lambda each: each.before.index if each.before else -1, default=None)
        sure = certain and not self._overflowed and all(each.certain for each in near)
        ahead = self._next({} if course is None else course.stopped)
        last = None if course is None else course.before
        words = text.alternatives(ahead)
        self._report.at(call, text.out_of_order, words, last, certain=sure, bound=bound)

    def _unfinished(self, course: Course, then: str, *, certain: bool) -> None:
        assert course.owed is not None
        ahead = text.alternatives(self._next(course.owing))
        certain = certain and course.certain
        self._report.at(
            course.owed, text.not_finished, ahead, then, certain=certain, bound=course.bound
        )
        course.owed, course.owing = None, {}

    def _next(self, runs: Runs) -> list[Pattern]:
        follow = self._automaton.follow
        ahead = frozenset[int]().union(*(follow[state] for state in runs))
        return [self._automaton.steps[n] for n in sorted(ahead if runs else self._automaton.first)]

    def released(self, item: Released, *, last: bool) -> None:
        """What is over has its sequence behind it."""
        if self._per is Per.OPEN:
            self._over((item.ino, item.handle))
            if last:
                self._over((item.ino, None))
        elif self._per is Per.FILE and last:
            self._over((item.ino, None), keep=self._closed_too)

    def _over(self, where: Scope, *, keep: bool = False) -> None:
        courses = self._courses.get(where)
        if courses is not None:
            self._end(courses.all(), "the file was closed first", certain=True)
            if not keep:
                del self._courses[where]

    def renewed(self, ino: int) -> None:
        """Forget the file that had the number before."""
        if self._per is Per.FILE:
            self._courses.pop((ino, None), None)

    def finish(self, *, complete: bool, cut: str | None) -> None:
        """Judge what is owed still."""
        for courses in self._courses.values():
            self._end(courses.all(), cut or ENDED, certain=complete)
        if self._overflowed:
            self._report.whole(text.too_many(LIVE))

    def _end(self, courses: Iterator[Course], then: str, *, certain: bool) -> None:
        for course in courses:
            if course.owed is not None:
                self._unfinished(course, then, certain=certain)


def _at(reached: dict[Key, _Reached], bound: Bindings) -> _Reached:
    return reached.setdefault(key_of(bound), _Reached(bound=bound))


def _sooner(one: tuple[int, int] | None, other: tuple[int, int]) -> tuple[int, int]:
    return other if one is None else min(one, other, key=lambda times: (times[1], times[0]))


def _agree(bound: Bindings, asked: Bindings) -> bool:
    return all(bound.get(name, value) == value for name, value in asked.items())
