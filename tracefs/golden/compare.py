"""What differs between two runs, as data."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from tracefs.golden.align import align
from tracefs.golden.entry import UNKNOWN, Entry, Golden, certain
from tracefs.golden.normalise import renumbered, selected, unnumbered
from tracefs.golden.pairing import pairs

_NOTIFIED_ONLY: Final = frozenset(
    {"seek", "dup", "flags", "map", "syncfs", "range", "ring", "none"}
)
"""Families of calls that no filesystem hears of: a lower level of the witness misses them."""
_MOST_PAIRS: Final = 10_000
"""Pairs of threads that are looked at to find which belong together."""


class Order(StrEnum):
    """Which order of the calls counts."""

    EITHER = "either"
    """That of the whole run, whichever thread made each; or else that of each thread."""
    WHOLE = "whole"
    THREAD = "thread"
    NONE = "none"
    """None: how often each call was made, no more."""


class Outcome(StrEnum):
    """What comes of a comparison."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """How the calls of a step relate."""

    SAME = "same"
    CHANGED = "changed"
    MISSING = "missing"
    """In a alone."""
    EXTRA = "extra"
    """In b alone."""


class Step(NamedTuple):
    """A run of calls of one kind: from places *a* and *b* of the lane on."""

    kind: Kind
    a: int
    b: int
    length: int = 1
    moved: bool = False
    """Missing here and extra elsewhere in the lane, or the other way round."""


class Lane(Struct, frozen=True, kw_only=True):
    """Calls whose order is compared: of the whole run, or of one thread of each."""

    name: str | None
    """None: the whole run."""
    a: tuple[Entry, ...]
    b: tuple[Entry, ...]
    at_a: tuple[int, ...]
    """Places of the calls in the whole of a."""
    at_b: tuple[int, ...]
    steps: tuple[Step, ...]

    @property
    def differences(self) -> int:
        """How many calls, or pairs of them, differ."""
        return sum(step.length for step in self.steps if step.kind is not Kind.SAME)


class Comparison(Struct, frozen=True, kw_only=True):
    """What `compare` found."""

    outcome: Outcome
    a: Golden
    b: Golden
    order: Order
    """In which the lanes are: whole, thread or none."""
    lanes: tuple[Lane, ...]
    undecided: tuple[str, ...]
    """What keeps the two from being called equal, whatever the calls are."""

    @property
    def differences(self) -> int:
        """How many calls, or pairs of them, differ."""
        return sum(lane.differences for lane in self.lanes)


def compare(a: Golden, b: Golden, order: Order = Order.EITHER) -> Comparison:
    """Compare two runs; *a* is what is expected.

    What either chose by path, name or family is chosen of the other, too. They are equal only if
    all calls have a name and none may be missing.
    """
    found = _compared(a, b, order)
    if found.outcome is Outcome.DIFFERENT and not (_is_told(found.a) and _is_told(found.b)):
        # Which call is the other's depends on where one begins: a difference for sure is one
        # from either side.
        back = _compared(b, a, order)
        return replace(found, outcome=back.outcome)
    return found


def _is_told(one: Golden) -> bool:
    """Tell whether all calls are there and have names that somebody saw."""
    return one.incomplete is None and not any(
        entry.guessed or entry.call == UNKNOWN for entry in one.entries
    )


def _compared(a: Golden, b: Golden, order: Order) -> Comparison:
    first, second = _chosen(a, b), _chosen(b, a)
    tried = [Order.WHOLE, Order.THREAD] if order is Order.EITHER else [order]
    best: tuple[Order, tuple[Lane, ...], int] | None = None
    for one in tried:
        lanes = tuple(_LANES[one](first.entries, second.entries))
        differences = sum(lane.differences for lane in lanes)
        if best is None or differences < best[2]:
            best = one, lanes, differences
        if not differences:
            break
    assert best is not None
    undecided = tuple(_undecided(first, second))
    return Comparison(
        outcome=_outcome(first, second, best[1], undecided),
        a=first,
        b=second,
        order=best[0],
        lanes=best[1],
        undecided=undecided,
    )


def _chosen(of: Golden, other: Golden) -> Golden:
    entries = selected(of.entries, other.paths, other.only)
    return replace(of, entries=entries)


def _undecided(a: Golden, b: Golden) -> Iterator[str]:
    for name, one in (("A", a), ("B", b)):
        if one.incomplete is not None:
            yield f"{name} is incomplete: {one.incomplete}"
        if one.unknown:
            calls = "1 call has" if one.unknown == 1 else f"{one.unknown} calls have"
            yield f"{name}: {calls} no name"
    if a.witness != b.witness:
        yield (
            f"A was seen by witness {a.witness}, B by {b.witness}: one may see calls that the "
            "other can't"
        )
    if not a.entries and not b.entries:
        yield "neither has a call to compare"


def _outcome(a: Golden, b: Golden, lanes: Sequence[Lane], undecided: tuple[str, ...]) -> Outcome:
    certain = any(
        step.kind is not Kind.SAME and _is_certain(step, lane, a, b)
        for lane in lanes
        for step in lane.steps
    )
    if certain:
        return Outcome.DIFFERENT
    alike = not undecided and not any(lane.differences for lane in lanes)
    return Outcome.EQUAL if alike else Outcome.UNKNOWN


def _is_certain(step: Step, lane: Lane, a: Golden, b: Golden) -> bool:
    """Tell whether a difference is one whatever was not recorded or named."""
    left = lane.a[step.a] if step.kind is not Kind.EXTRA else None
    right = lane.b[step.b] if step.kind is not Kind.MISSING else None
    if any(one is not None and one.call == UNKNOWN for one in (left, right)):
        return False
    if left is not None and right is not None:
        fields = certain(left, right)
        # A lower level takes for close what a higher one sees to be exit or dup2.
        closed_unseen = a.witness != b.witness and left.family == "close"
        return bool(fields - {"call"} if closed_unseen else fields)
    lacking = b if right is None else a
    if lacking.incomplete is not None or lacking.unknown:
        return False
    one = left or right
    return a.witness == b.witness or one is None or one.family not in _NOTIFIED_ONLY


_Part = tuple[tuple[Entry, ...], tuple[int, ...]]
"""Entries, and their places in the whole."""
_NOBODY: Final = "T?"


def _whole(a: tuple[Entry, ...], b: tuple[Entry, ...]) -> Iterator[Lane]:
    """Nobody's calls apart: the kernel writes back what was stored in a mapping when it likes."""
    left, right = _by_somebody(a, somebody=True), _by_somebody(b, somebody=True)
    yield _lane(None, left, right)
    left, right = _by_somebody(a, somebody=False), _by_somebody(b, somebody=False)
    if left[0] or right[0]:
        yield _lane(_NOBODY, left, right)


def _by_somebody(entries: tuple[Entry, ...], *, somebody: bool) -> _Part:
    places = [at for at, entry in enumerate(entries) if (entry.thread is not None) is somebody]
    if len(places) == len(entries):
        return entries, tuple(places)
    return renumbered(entries[place] for place in places), tuple(places)


def _unordered(a: tuple[Entry, ...], b: tuple[Entry, ...]) -> Iterator[Lane]:
    yield _lane(None, _sorted(unnumbered(a)), _sorted(unnumbered(b)))


def _sorted(entries: tuple[Entry, ...]) -> _Part:
    places = sorted(range(len(entries)), key=lambda place: _sort_key(entries[place]))
    return tuple(entries[place] for place in places), tuple(places)


def _sort_key(entry: Entry) -> tuple[str, int, str, str]:
    offset = -1 if entry.offset is None else entry.offset
    return entry.path or "", offset, entry.call, repr(replace(entry, thread=None))


def _by_thread(a: tuple[Entry, ...], b: tuple[Entry, ...]) -> Iterator[Lane]:
    left, right = _threads(a), _threads(b)
    none: _Part = ((), ())
    for one, other in _matched(left, right):
        name = one if one is not None else other
        assert name is not None
        yield _lane(
            _NOBODY if name == 0 else f"T{name}",
            none if one is None else left[one],
            none if other is None else right[other],
        )


def _threads(entries: tuple[Entry, ...]) -> dict[int, _Part]:
    """Return the calls of each thread, numbered as if there were no other; 0: not known whose."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        places[entry.thread or 0].append(place)
    return {
        thread: (renumbered(entries[place] for place in own), tuple(own))
        for thread, own in places.items()
    }


def _matched(
    left: dict[int, _Part], right: dict[int, _Part]
) -> list[tuple[int | None, int | None]]:
    """Return which threads belong together: those that did the same, then the most alike.

    The order in which threads first appear is chance where they run at the same time.
    """
    found: dict[int, int] = {}
    by_calls: defaultdict[tuple[Entry, ...], list[int]] = defaultdict(list)
    for other in reversed(right):
        by_calls[_bare(right[other][0])].append(other)
    for one in left:
        alike = by_calls[_bare(left[one][0])]
        if alike:
            found[one] = alike.pop()
    rest = [one for one in left if one not in found]
    taken = set(found.values())
    others = [other for other in right if other not in taken]
    if len(rest) * len(others) <= _MOST_PAIRS:
        pools = {other: Counter(_bare(right[other][0])) for other in others}
        scored = []
        for one in rest:
            pool = Counter(_bare(left[one][0]))
            scored += [((pool & pools[other]).total(), one, other) for other in others]
        for _, one, other in sorted(scored, key=lambda each: (-each[0], each[1], each[2])):
            if one not in found and other not in taken:
                found[one] = other
                taken.add(other)
    else:
        found |= dict(zip(rest, others, strict=False))
    taken = set(found.values())
    both: list[tuple[int | None, int | None]] = [(one, found.get(one)) for one in left]
    return both + [(None, other) for other in right if other not in taken]


def _bare(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return *entries* without whose they are."""
    return tuple(replace(entry, thread=None) for entry in entries)


_LANES: Final = {Order.WHOLE: _whole, Order.THREAD: _by_thread, Order.NONE: _unordered}


def _lane(name: str | None, a: _Part, b: _Part) -> Lane:
    left, right = _bare(a[0]), _bare(b[0])
    steps = _moved(tuple(_steps(left, right)), left, right)
    return Lane(name=name, a=a[0], b=b[0], at_a=a[1], at_b=b[1], steps=steps)


def _steps(a: tuple[Entry, ...], b: tuple[Entry, ...]) -> Iterator[Step]:
    at_a = at_b = 0
    for match in (*align(a, b), None):
        end_a, end_b = (len(a), len(b)) if match is None else (match.a, match.b)
        yield from _differing(a, b, range(at_a, end_a), range(at_b, end_b))
        if match is not None:
            yield Step(Kind.SAME, match.a, match.b, match.length)
            at_a, at_b = match.a + match.length, match.b + match.length


def _differing(
    a: tuple[Entry, ...], b: tuple[Entry, ...], in_a: range, in_b: range
) -> Iterator[Step]:
    at_a, at_b = in_a.start, in_b.start
    left, right = a[at_a : in_a.stop], b[at_b : in_b.stop]
    for i, j in (*pairs(left, right), (len(left), len(right))):
        end_a, end_b = in_a.start + i, in_b.start + j
        yield from (Step(Kind.MISSING, place, at_b) for place in range(at_a, end_a))
        yield from (Step(Kind.EXTRA, end_a, place) for place in range(at_b, end_b))
        if i < len(left):
            yield Step(Kind.CHANGED, end_a, end_b)
        at_a, at_b = end_a + 1, end_b + 1


def _moved(steps: tuple[Step, ...], a: tuple[Entry, ...], b: tuple[Entry, ...]) -> tuple[Step, ...]:
    missing = Counter(a[step.a] for step in steps if step.kind is Kind.MISSING)
    extra = Counter(b[step.b] for step in steps if step.kind is Kind.EXTRA)
    if not missing.keys() & extra.keys():
        return steps
    return tuple(_as_moved(step, missing, extra, a, b) for step in steps)


def _as_moved(
    step: Step,
    missing: Counter[Entry],
    extra: Counter[Entry],
    a: tuple[Entry, ...],
    b: tuple[Entry, ...],
) -> Step:
    if step.kind is Kind.MISSING:
        return step._replace(moved=a[step.a] in extra)
    if step.kind is Kind.EXTRA:
        return step._replace(moved=b[step.b] in missing)
    return step
