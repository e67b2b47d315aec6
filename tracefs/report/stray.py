"""Calls that a page writer has no use for, each with where it was made and what it did."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tracefs.report.frame import plural
from tracefs.report.quote import printable
from tracefs.report.selection import Selection
from tracefs.report.shell import shell_line
from tracefs.report.strace import CallLines
from tracefs.source import Location, call_site, callers, which_site
from tracefs.trace.call import Call

CALLS: Final = (
    "lseek", "write", "writev", "pwritev", "pwritev2", "sendfile", "splice", "copy_file_range",
    "mmap",
)  # fmt: skip
"""What ``page-write`` has instead of pwrite64, and the seek."""

_BY_POSITION: Final = frozenset({"write", "writev", "sendfile"})
_BY_CHOICE: Final = frozenset({"pwritev2", "splice", "copy_file_range"})
"""They write at the file position unless they are given an offset, which a trace doesn't tell."""
_USING_POSITION: Final = _BY_POSITION | _BY_CHOICE
_MAX_LEVELS: Final = 6
_MAX_NUMBERS: Final = 8
_NO_STORE: Final = "map"
_MAY_BE_ASTRAY: Final = frozenset({"write", "none"})
_NO_WRITE: Final = "no write followed at that position"
_OPEN_OFTEN: Final = (
    "whether a write followed is not known: the file is open more than once, and this says only by "
    "which descriptor"
)
_NOT_ASKED: Final = "its place was not recorded: tracefs stray -- COMMAND keeps it"
_Position = tuple[int | None, ...]


class Use(Struct, eq=False):
    """One stray call."""

    call: Call
    effect: str | None = None
    """What a seek did; None: not a seek."""


def _position(call: Call, handle: int | None) -> _Position:
    """Return whose file position a call uses: an open's, which processes and copies share."""
    if handle is not None:
        return (call.ino, handle)
    return (call.ino, call.pid, call.fd)


class StrayUses:
    """Gathers stray calls from a trace, fed in order; memory grows with their number.

    *chosen* tells which; what a seek did is told of all writes, chosen or not.
    """

    def __init__(self, chosen: Selection) -> None:
        self._chosen = chosen
        self._whatever_call = replace(chosen, calls=frozenset())
        self._pending: dict[_Position, Use] = {}
        """By file position: the last seek that no write has followed."""
        self.uses: list[Use] = []
        self.on_readers = 0
        """Seeks on descriptors that can't write, left out."""
        self.calls = 0
        """Calls of all kinds that were fed."""
        self.unnamed = 0
        """Calls of unknown name that may be astray: writes, and what reaches no filesystem."""
        self.unseen = 0
        """Seeks of which it isn't known on what file."""

    def feed(self, call: Call) -> None:
        """Take the next call."""
        self.calls += 1
        self.unnamed += call.call == "unknown" and call.family in _MAY_BE_ASTRAY
        if call.family == "write" and call.call in _USING_POSITION and not call.errno:
            self._written(call)
        if call.family == "seek" and call.call == "unknown" and self._whatever_call.matches(call):
            self.unseen += 1
        if not self._chosen.matches(call) or (call.call == "mmap" and call.family != _NO_STORE):
            if call.family == "seek" and not call.errno and call.result != call.position:
                self._pending.pop(_position(call, call.handle), None)
            return
        if call.family != "seek":
            self.uses.append(Use(call))
        elif call.writable is False:
            self.on_readers += 1
        else:
            self._sought(call)

    def _sought(self, call: Call) -> None:
        use = Use(call, _NO_WRITE if call.handle is not None else _OPEN_OFTEN)
        if call.errno:
            use.effect = "it failed: no effect"
        elif call.result is None:
            use.effect = f"what it did is unknown: {call.reason}"
        elif call.note is not None:
            use.effect = f"no effect: {call.note}"
        elif call.result == call.position:
            use.effect = "no effect: the position was there already"
        else:
            self._pending[_position(call, call.handle)] = use
        self.uses.append(use)

    def _written(self, call: Call) -> None:
        for handle in (call.handle, None):
            position = _position(call, handle)
            use = self._pending.get(position)
            if use is None:
                continue
            certain = call.call in _BY_POSITION
            if certain:
                del self._pending[position]
            if use.call.result == call.offset:
                verb = "moved" if certain else "may have moved"
                use.effect = f"it {verb} the {call.call} of call {call.index}"


def render(
    found: StrayUses,
    lines: CallLines,
    resolve: Callable[[Call], tuple[Location, ...]],
    recording: str,
    incomplete: str | None = None,
) -> Iterator[str]:
    """Yield the report: each place with its first call in full, and a last line of what to do.

    *incomplete* is why the recording is; None: it is whole.
    """
    groups: dict[tuple[str, str | None, str], list[Use]] = {}
    places: dict[int, tuple[Location, ...]] = {}
    for use in found.uses:
        call = use.call
        places[call.index] = resolve(call)
        name = (call.call, call.path, _which(call, places[call.index]))
        groups.setdefault(name, []).append(use)
    for uses in groups.values():
        yield from _group(uses, lines, places[uses[0].call.index])
        yield ""
    sites = [call_site(places[uses[0].call.index]) for uses in groups.values()]
    yield _summary(found, sites, incomplete)
    yield from _unlined(sites)
    if found.uses:
        yield f"next: mend the first place and run it again; tracefs show {shell_line([recording])}"
    elif not found.calls and incomplete is None:
        yield "next: let it work in the traced directory, or trace the one it works in with --dir"
    elif found.unnamed or found.unseen:
        yield f"next: see why: tracefs show --call unknown {shell_line([recording])}"
    elif incomplete is not None:
        yield "next: run it again: what is not in the recording may be astray"


def _group(uses: list[Use], lines: CallLines, stack: tuple[Location, ...]) -> Iterator[str]:
    first = uses[0].call
    site = call_site(stack)
    where = "at a place that is not known" if site is None else f"at {printable(str(site))}"
    times = "" if len(uses) == 1 else f", {len(uses)} times ({_numbers(uses)})"
    yield f"{first.call} {where}{times}"
    who = f"thread {first.tid}" + ("" if first.comm is None else f" of {printable(first.comm)}")
    yield f"  call {first.index}, {who}: {lines.outcome(first)}"
    for use in uses[:_MAX_NUMBERS]:
        if use.effect is not None:
            which = f"call {use.call.index}: " if len(uses) > 1 else ""
            yield f"  {which}{printable(use.effect)}"
    for place in callers(stack, site, whole=first.unstacked is None)[:_MAX_LEVELS]:
        yield f"    called from {printable(str(place))}"
    reason = _reason(first, stack)
    if reason is not None:
        yield f"    {printable(reason)}"


def _which(call: Call, stack: tuple[Location, ...]) -> str:
    """Return what tells the place of a call from others; of no known place, why it is not."""
    site = call_site(stack)
    if site is not None:
        return which_site(stack, site)
    return f"? {_reason(call, stack) or stack}"


def _reason(call: Call, stack: tuple[Location, ...]) -> str | None:
    """Return why the stack of a call is missing or cut short."""
    return _NOT_ASKED if call.unstacked is None and not stack else call.unstacked


def _unlined(sites: list[Location | None]) -> Iterator[str]:
    """Yield how many places have no line, and what helps."""
    reasons = Counter(site.unlined for site in sites if site is not None)
    reasons.pop(None, None)
    for reason, number in reasons.items():
        verb = "has" if number == 1 else "have"
        yield f"{plural(number, 'place')} {verb} no line: {reason}"


def _numbers(uses: list[Use]) -> str:
    numbers = [str(use.call.index) for use in uses[:_MAX_NUMBERS]]
    return f"calls {', '.join(numbers)}{', ...' if len(uses) > _MAX_NUMBERS else ''}"


def _summary(found: StrayUses, sites: list[Location | None], incomplete: str | None) -> str:
    left_out = ""
    if found.on_readers:
        seeks = plural(found.on_readers, "lseek")
        left_out = f"; {seeks} on descriptors that only read left out"
    if found.unseen:
        left_out += f"; {plural(found.unseen, 'lseek')} more on files that are not known"
    if found.unnamed:
        left_out += f"; {plural(found.unnamed, 'call')} more that could not be named"
    total = len(found.uses)
    known = sum(site is not None for site in sites)
    where = [plural(known, "place")] if known else []
    if known < len(sites):
        where.append("places that are not known")
    said = f"{plural(total, 'stray call')} from {' and '.join(where)}{left_out}"
    if not found.uses:
        seen = "" if incomplete is None else " seen"
        said = f"no stray call{seen} among {plural(found.calls, 'call')}{left_out}"
        if not found.calls and incomplete is None:
            said = "nothing was done in the traced directory, so nothing can be told"
    if incomplete is None:
        return said
    joint = "; " if found.uses or left_out else ", but "
    return f"{said}{joint}the recording is incomplete: {printable(incomplete)}"
