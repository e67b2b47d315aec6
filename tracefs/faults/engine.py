"""What rules make of each request: pure, and the same each time for the same requests.

Requests are told apart by what they are, by the system call that the witness saw behind them, and
by their file. A long or unaligned write comes as several requests (fuse_perform_write in
fs/fuse/file.c): all of them are one call here, which its first request decides.
"""

import math
import os
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from tracefs.events import Injected, Sighting
from tracefs.faults import able, asked
from tracefs.faults.delay import duration_ns
from tracefs.faults.model import Per, Rule
from tracefs.pathtext import fits
from tracefs.syscalls import numbers, table

_MOST_FILES: Final = 4096
"""Kept at once, of what is only remembered to be quick."""


class Fault:
    """What is to become of one request. Times in nanoseconds."""

    __slots__ = (
        "enter_ns", "exit_ns", "given_up", "injected", "limit", "outcome", "rot", "stuck", "tid",
    )  # fmt: skip

    def __init__(self, tid: int = 0) -> None:
        self.tid = tid
        """Who asks; 0: not known."""
        self.outcome: Rule | None = None
        """The rule that says how it ends: by *error*, *retval*, *short* or *full*."""
        self.limit: int | None = None
        """Bytes that the call may still write, where *outcome* is for short writes; that it is
        still said to have written, where it tells what was returned."""
        self.rot: Rule | None = None
        self.stuck: Rule | None = None
        self.enter_ns = 0
        self.exit_ns = 0
        self.given_up = 0
        """Error number that it fails with though its rule names none; 0: it goes on."""
        self.injected: tuple[Injected, ...] = ()
        """What the journal is to say of it."""

    @property
    def error(self) -> int:
        """Error number that it fails with; 0: no rule lets it fail."""
        return self.given_up or (0 if self.outcome is None else self.outcome.error or 0)

    @property
    def retval(self) -> int | None:
        """What it is said to have returned, with nothing done; None: no rule says so."""
        return None if self.outcome is None or self.given_up else self.outcome.retval

    @property
    def does_nothing(self) -> bool:
        """Whether the directory is not to be asked."""
        return self.error != 0 or self.retval is not None

    def note(self, rule: Rule, kind: str, delay_ns: int = 0) -> None:
        """Have the journal say that *rule* did this."""
        self.injected += (Injected(rule=rule.text, kind=kind, delay_ns=delay_ns),)


class _Live:
    """One rule and its counts."""

    __slots__ = (
        "_bytes", "_chance", "_counts", "_gone", "_step", "_when", "_window", "rule", "struck",
    )  # fmt: skip

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.struck = 0
        """Calls that it has struck."""
        when = rule.when
        self._when = when
        self._window = when.first, math.inf if when.last is None else when.last
        self._step = when.step
        self._bytes = 0
        self._counts: dict[int | str, int] = {0: 0}
        """Calls by file (inode number, or the name that a call on names is for) or thread; by 0:
        all."""
        self._gone = 0
        """Calls on files that are no more, where calls are counted by file."""
        # No secret hangs on it: it is to be the same each time.
        self._chance = random.Random(rule.seed)  # noqa: S311

    def strikes(self, file: int | str, tid: int, size: int) -> bool:
        """Count a call that the rule matches; return whether it is struck."""
        rule = self.rule
        if rule.after_bytes and self._bytes <= rule.after_bytes:
            self._bytes += size
            if self._bytes <= rule.after_bytes:
                return False
        per = self._when.per
        key = 0 if per is Per.RULE else file if per is Per.FILE else tid
        counts = self._counts
        counts[key] = count = counts.get(key, 0) + 1
        first, last = self._window
        if not first <= count <= last or (count - first) % self._step:
            return False
        return rule.probability >= 1.0 or self._chance.random() < rule.probability

    def spared(self) -> float:
        """Return how many calls it surely does not strike, whichever they are."""
        if self._when.per is not Per.RULE or self.rule.after_bytes:
            return 0
        count = self._counts[0]
        first, last = self._window
        if count < first:
            return first - count - 1
        upcoming = first + ((count - first) // self._step + 1) * self._step
        return math.inf if upcoming > last else upcoming - count - 1

    @property
    def met(self) -> int:
        """Calls that the rule has matched, and counted."""
        return sum(self._counts.values()) + self._gone

    def begin_anew(self, ino: int) -> None:
        """Count calls on file *ino* from the first again, if by file."""
        if self._when.per is Per.FILE:
            self._gone += self._counts.pop(ino, 0)

    def passed(self, calls: int) -> None:
        """Count calls that it did not strike."""
        self._counts[0] += calls

    def lasts_ns(self, size: int) -> tuple[int, int]:
        """Return how long a call of *size* bytes is held before and after it does anything."""
        enter, leave = self.rule.delay_enter, self.rule.delay_exit
        return (
            0 if enter is None else duration_ns(enter, size, self._chance),
            0 if leave is None else duration_ns(leave, size, self._chance),
        )


def is_for(rule: Rule, path: str) -> bool:
    """Return whether the rule is for the file at *path*, relative to the traced directory."""
    if rule.below:
        if path == rule.below:
            path = "."
        elif path.startswith(f"{rule.below}/"):
            path = path[len(rule.below) + 1 :]
        else:
            return False
    return rule.glob is None or fits(path, rule.glob)


class _Met:
    """The rules that some requests meet, all of one kind and on one file."""

    __slots__ = ("lives", "uncounted")

    def __init__(self, lives: tuple[_Live, ...]) -> None:
        self.lives = lives
        self.uncounted = 0
        """Requests since `Faults` has counted them for the rules."""


class _HeldOn(NamedTuple):
    """What stays of rules when others take their place."""

    lives: tuple[_Live, ...]
    parts: dict[int, tuple[tuple[int, int], int, int, int]]
    endings: dict[int, tuple[Rule, int | None]]


class Faults:
    """The rules of one mount, with what they have counted.

    Args:
        rules: in their order; of two that say how a call ends the first is heard.
        machine: ``uname -m``, whose system call numbers sightings have.
        path_of: path text of a file by its inode number, relative to the traced directory.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        machine: str,
        path_of: Callable[[int], str],
        held_on: "_HeldOn | None" = None,
    ) -> None:
        """Begin to count; *held_on*: see `followed_by`."""
        held_on = held_on or _HeldOn((), {}, {})
        self._rules = (*held_on.lives, *(_Live(rule) for rule in rules))
        self._machine = machine
        self._path_of = path_of
        self._names = {number: call.name for number, call in table(machine).items()}
        self._whole: Final = frozenset(
            number for name, number in numbers(machine).items() if name in {"write", "pwrite64"}
        )
        self._by_request = {
            request: tuple(
                (live, *able.callers(live.rule, request))
                for live in self._rules
                if request in able.requests(live.rule)
            )
            for request in asked.EVERY
        }
        self._met: dict[int, dict[tuple[str, int], _Met]] = {}
        """File -> request and call -> what they meet."""
        self._spared = 0.0
        """Requests that surely no rule strikes, so that none needs to be asked."""
        self._parts = held_on.parts
        """Thread -> buffer and length, file, end, bytes left of a write that comes in parts."""
        self._endings = held_on.endings
        """Thread -> the rule that says how its last write ends, and what is left of the limit."""
        self._decided: tuple[int, Fault | None] = -1, None
        self.untold = 0
        """Requests that a rule for one call may have missed: the call behind them isn't known."""

    def followed_by(self, rules: Iterable[Rule], held_on: Sequence[int]) -> "Faults":
        """Return *rules* behind those of these that *held_on* numbers, which go on counting.

        A write that is under way goes on as it was decided.
        """
        self._count()
        lives = tuple(self._rules[number] for number in held_on)
        held = [live.rule for live in lives]
        endings = {tid: ending for tid, ending in self._endings.items() if ending[0] in held}
        return Faults(rules, self._machine, self._path_of, _HeldOn(lives, self._parts, endings))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules."""
        return tuple(live.rule for live in self._rules)

    @property
    def met(self) -> tuple[int, ...]:
        """How many calls each rule has matched."""
        self._count()
        return tuple(live.met for live in self._rules)

    @property
    def struck(self) -> tuple[int, ...]:
        """How many calls each rule has struck."""
        return tuple(live.struck for live in self._rules)

    def renamed(self) -> None:
        """Forget which files the rules are for: a name has changed, perhaps a directory's."""
        self._count()
        self._met.clear()

    def changed(self, ino: int) -> None:
        """Forget which rules are for file *ino*: it has another name."""
        if ino in self._met:
            self._count()
            del self._met[ino]

    def made(self, ino: int) -> None:
        """Begin anew with file *ino*, just made: one that is gone may have had the number."""
        self.changed(ino)
        for live in self._rules:
            live.begin_anew(ino)

    def decide(
        self,
        unique: int,
        request: str,
        tid: int,
        nr: int,
        buffer: int,
        count: int,
        ino: int,
        offset: int,
        size: int,
    ) -> bool:
        """Decide about request number *unique* before `of_file` asks; return whether it is struck.

        *buffer* and *count* are the second and third argument of system call *nr*. What is decided
        is kept for that request alone.
        """
        if self._spared > 0 and (request != "write" or (count <= size and not self._parts)):
            # What `_of_file` would come to, at half the time: most calls end here.
            known = self._met.get(ino)
            met = None if known is None else known.get((request, nr))
            if met is not None:
                if met.lives:
                    self._spared -= 1
                    met.uncounted += 1
                self._decided = unique, None
                return False
        fault = self._of_file(request, tid, nr, buffer, count, ino, offset, size)
        self._decided = unique, fault
        return fault is not None

    def of_file(
        self,
        unique: int,
        request: str,
        tid: int,
        seen: Sighting | None,
        ino: int,
        offset: int = 0,
        size: int = 0,
    ) -> Fault | None:
        """Return what becomes of a request on a file; None: what the directory makes of it.

        Args:
            unique: the request's number in its header.
            request: as `tracefs.faults.asked` names it.
            tid: who asks.
            seen: what the witness saw of it.
            ino: the file.
            offset: where a write or read begins, in bytes.
            size: bytes to be moved.
        """
        if self._decided[0] == unique:
            return self._decided[1]
        if seen is None or len(seen.args) < 3:
            nr, buffer, count = -1 if seen is None else seen.nr, 0, 0
        else:
            nr, buffer, count = seen.nr, seen.args[1], seen.args[2]
        return self._of_file(request, tid, nr, buffer, count, ino, offset, size)

    def _of_file(
        self,
        request: str,
        tid: int,
        nr: int,
        buffer: int,
        count: int,
        ino: int,
        offset: int,
        size: int,
    ) -> Fault | None:
        if (
            request == "write"
            and (count > size or self._parts)
            and self._goes_on(tid, nr, (buffer, count), ino, offset, size)
        ):
            return self._rest(tid, size) if self._endings else None
        of_file = self._met.get(ino)
        if of_file is None:
            if len(self._met) >= _MOST_FILES:
                self.renamed()
            of_file = self._met[ino] = {}
        met = of_file.get((request, nr))
        if met is None:
            lives = self._matching(request, nr, (self._path_of(ino),))
            met = of_file[request, nr] = _Met(lives)
        if not met.lives:
            return None
        if self._spared > 0:
            self._spared -= 1
            met.uncounted += 1
            return None
        self._count()
        fault = self._struck(met.lives, ino, tid, size)
        self._spared = min(live.spared() for live in self._rules)
        if fault is not None:
            if fault.error:
                self._parts.pop(tid, None)
            elif tid in self._parts and fault.outcome is not None:
                self._keep_ending(tid, fault.outcome, fault.limit, size)
        return fault

    def _keep_ending(self, tid: int, rule: Rule, limit: int | None, size: int) -> None:
        """Remember how a write ends that has further parts, when *size* bytes of it are through."""
        if len(self._endings) >= _MOST_FILES:
            self._endings.clear()
        self._endings[tid] = rule, None if limit is None else max(limit - size, 0)

    def _rest(self, tid: int, size: int) -> Fault | None:
        """Return what becomes of a further part of the thread's write."""
        ending = self._endings.pop(tid, None)
        if ending is None:
            return None
        fault = Fault(tid)
        fault.outcome, fault.limit = ending
        if fault.retval is not None:
            fault.note(ending[0], "retval")
        if tid in self._parts:
            self._keep_ending(tid, *ending, size)
        return fault

    def of_names(self, request: str, tid: int, seen: Sighting | None, *paths: str) -> Fault | None:
        """Return what becomes of a request on names, of which any may be the rule's."""
        lives = self._matching(request, -1 if seen is None else seen.nr, paths)
        if not lives:
            return None
        self._count()
        fault = self._struck(lives, paths[0], tid, 0)
        self._spared = min(live.spared() for live in self._rules)
        return fault

    def _count(self) -> None:
        """Let the rules know of the requests that they were not asked about."""
        for of_file in self._met.values():
            for met in of_file.values():
                if met.uncounted:
                    for live in met.lives:
                        live.passed(met.uncounted)
                    met.uncounted = 0
        self._spared = 0

    def ended_short(self, tid: int) -> None:
        """Note that the thread's write has ended, whatever was still to come of it."""
        self._parts.pop(tid, None)
        self._endings.pop(tid, None)

    def needs_no_cache(self, flags: int, *paths: str) -> bool:
        """Return whether an open for writing is to go past the kernel's cache.

        So that a write which is to be short comes as one request: the cache cuts it at pages. One
        by O_DIRECT fails altogether if a part of it does, where the file is cached.
        """
        if flags & os.O_ACCMODE == os.O_RDONLY:
            return False
        for live, any_call, names in self._by_request["write"]:
            rule = live.rule
            cuts = rule.short is not None or (rule.full is not None and flags & os.O_DIRECT)
            if cuts and (any_call or names) and any(is_for(rule, path) for path in paths):
                return True
        return False

    def _goes_on(
        self, tid: int, nr: int, call: tuple[int, int], ino: int, offset: int, size: int
    ) -> bool:
        """Return whether this is a further part of the thread's last write.

        *call* is its buffer and how many bytes it is to write.
        """
        part = self._parts.pop(tid, None)
        if part is not None:
            before, file, end, left = part
            if (call, ino, offset) == (before, file, end) and size <= left:
                if size < left:
                    self._parts[tid] = call, ino, offset + size, left - size
                return True
        self._endings.pop(tid, None)
        if nr in self._whole and call[1] > size:
            if len(self._parts) >= _MOST_FILES:
                self._parts.clear()
            self._parts[tid] = call, ino, offset + size, call[1] - size
        return False

    def _matching(self, request: str, nr: int, paths: Sequence[str]) -> tuple[_Live, ...]:
        name = self._names.get(nr)
        found = []
        for live, any_call, names in self._by_request[request]:
            if not any_call and name not in names:
                if names and name is None:
                    self.untold += 1
                continue
            if any(is_for(live.rule, path) for path in paths):
                found.append(live)
        return tuple(found)

    def _struck(self, met: tuple[_Live, ...], file: int | str, tid: int, size: int) -> Fault | None:
        fault: Fault | None = None
        for live in met:
            if not live.strikes(file, tid, size):
                continue
            if fault is None:
                fault = Fault(tid)
            _add(fault, live, size)
        return fault


def _add(fault: Fault, live: _Live, size: int) -> None:
    rule = live.rule
    ends = (rule.error, rule.retval, rule.short, rule.full)
    if any(end is not None for end in ends):
        if fault.outcome is not None:
            return
        fault.outcome = rule
        if rule.error is not None:
            fault.note(rule, "error")
        elif rule.retval is not None:
            fault.note(rule, "retval")
        fault.limit = rule.short if rule.retval is None else rule.retval
    live.struck += 1
    enter_ns, exit_ns = live.lasts_ns(size)
    if enter_ns or exit_ns:
        fault.enter_ns += enter_ns
        fault.exit_ns += exit_ns
        fault.note(rule, "delay", enter_ns + exit_ns)
    if rule.stuck and fault.stuck is None:
        fault.stuck = rule
    if rule.rot is not None and fault.rot is None:
        fault.rot = rule
