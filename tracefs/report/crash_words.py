"""A failing state in words, for every format: what was lost, when, how little is enough."""

from collections.abc import Iterable
from typing import Final

from tracefs.crashes import Change, Checked, CrashReport, Failure, Loss, Repair
from tracefs.report.frame import plural
from tracefs.report.pages import Pages
from tracefs.report.quote import printable, quoted
from tracefs.report.shell import shell_line

COUNTS: Final = (Loss.CORRUPT, Loss.ACKNOWLEDGED)
"""What makes a verdict broken; the others are told apart from it."""
APART: Final = {
    Loss.CREATION: "does not count: the program had acknowledged nothing, and was making its files",
    Loss.CHECKER: "no word of the state: the checker failed, not the program",
}
NOTHING_LOST: Final = "nothing needs to be lost: the crash at this moment is enough"
_ORDER: Final = (*COUNTS, Loss.CREATION, Loss.CHECKER)
_LONGEST: Final = 300
"""Characters that are shown of what a checker printed."""


def in_order(failures: Iterable[Failure]) -> list[Failure]:
    """Return *failures*, those that count first, else as they were."""
    return sorted(failures, key=lambda failure: _ORDER.index(failure.loss))


def listed(names: Iterable[str]) -> str:
    """Return ``ext4-ordered, xfs and btrfs``.

    >>> listed(["a", "b", "c"]), listed(["a"]), listed([])
    ('a, b and c', 'a', 'nothing')
    """
    *head, last = [printable(name) for name in names] or ["nothing"]
    return f"{', '.join(head)} and {last}" if head else last


def lost(failure: Failure) -> str:
    """Return what *failure* has lost: ``acknowledgement lost: "page 3"``."""
    if failure.loss is not Loss.ACKNOWLEDGED:
        return str(failure.loss)
    which = "it can't be told which one" if failure.ack is None else quoted(failure.ack)
    return f"{failure.loss}: {which}"


def checker(failure: Failure) -> str:
    """Return what the checker said, or what became of it."""
    answer = failure.answer
    said = None if answer.said is None else printable(answer.said)
    if said is not None and len(said) > _LONGEST:
        said = f"{said[:_LONGEST]}…"
    if answer.checked in {Checked.BAD, Checked.GOOD}:
        return f"checker: {said or 'it says no, and not why'}"
    return f"{answer.checked}: {said}" if said else str(answer.checked)


def calls(report: CrashReport) -> dict[int, str]:
    """Return how each call is shown that *report* says it of, by index."""
    changes = (one for failure in report.failures for one in (*failure.dropped, *failure.kept))
    known = [(one.call, one.shown) for one in changes]
    known += [(one.call, one.shown) for one in report.points]
    return {call: printable(shown) for call, shown in known if call is not None}


def moment(report: CrashReport, failure: Failure, shown: dict[int, str]) -> str:
    """Return when the power failed: ``after call 41 …, before call 42 …``."""
    point = next((one for one in report.points if one.number == failure.point), None)
    after: str | None
    if failure.after_call is not None:
        after = _call(failure.after_call, shown)
    elif point is None or point.kind == "start":
        after = f"step {failure.point}" if failure.point else None
    else:
        after = printable(point.shown)
    before = "the end" if failure.before_call is None else _call(failure.before_call, shown)
    return f"before {before}" if after is None else f"after {after}, before {before}"


def change(one: Change) -> str:
    """Return ``call 14 pwrite64(…): data, page 3 of pages.db, writer.c:31``."""
    call = printable(one.shown) if one.call is None else f"call {one.call} {printable(one.shown)}"
    source = "" if one.source is None else f", {printable(one.source)}"
    return f"{call}: {part(one)}{source}"


def part(one: Change) -> str:
    """Return which part of a call's effect it is: ``data, page 3 of pages.db``."""
    path = "a file" if one.path is None else printable(one.path)
    if one.part == "name":
        return f"name {path}"
    if one.part != "data":
        return f"{printable(one.part)} of {path}"
    if one.first_page is None:
        return f"data of {path}"
    last = one.first_page if one.last_page is None else one.last_page
    torn = "some sectors of " if one.torn else ""
    return f"data, {torn}{Pages(one.first_page, last, 0)} of {path}"


def recovery(failure: Failure) -> str:
    """Return in whose recovery it happens; calls are then those of the recovery."""
    return f"while state {printable(' and then '.join(failure.within))} is being recovered:"


def weakest(failure: Failure) -> str:
    """Return why the state is allowed: the profiles, weakest assumption first, and the rule."""
    return f"allowed by {listed(failure.profiles)}: {printable(failure.rule)}"


def repair(failure: Failure) -> str | None:
    """Return the syncs to put in and what came of trying them; None: none is proposed."""
    if not failure.repairs:
        return None
    syncs = (f"{_sync(one)}{_between(one, failure)}" for one in failure.repairs)
    others = max(one.places for one in failure.repairs) - 1
    more = f", and at {plural(others, 'more place')} like it" if others else ""
    return f"put {' and '.join(syncs)}{more}: {_tried(failure.repairs)}"


def stands_for(failure: Failure) -> str:
    """Return ``, for 14 failing states``, or nothing for one."""
    return "" if failure.states == 1 else f", for {plural(failure.states, 'failing state')}"


def show(report: CrashReport, failure: Failure) -> str:
    """Return the command that puts the state on a disk to look at."""
    words = ["tracefs", "crash", report.recording]
    if report.directory is not None:
        words += ["--dir", report.directory]
    if failure.within and report.recover is not None:
        words += ["--check", report.check, "--recover", report.recover]
    return shell_line([*words, "--show-state", failure.id, "DIR"])


def _call(index: int, shown: dict[int, str]) -> str:
    return f"call {index} {shown[index]}" if index in shown else f"call {index}"


def _sync(repair: Repair) -> str:
    path = printable(repair.path)
    if repair.sync.endswith("directory"):
        return f"fsync(directory {path})"
    return f"{printable(repair.sync)}({path})"


def _between(repair: Repair, failure: Failure) -> str:
    after, before = repair.after_call, repair.before_call
    if after is not None and before is not None:
        place = f" between call {after} and call {before}"
    elif after is not None:
        place = f" after call {after}"
    elif before is not None:
        place = f" before call {before}"
    else:
        return " at the end"
    known = {one.call: one.source for one in (*failure.dropped, *failure.kept) if one.source}
    source = known.get(after) or known.get(before)
    return place if source is None else f"{place} ({printable(source)})"


def _tried(tried: tuple[Repair, ...]) -> str:
    states, left = max(one.states for one in tried), max(one.left for one in tried)
    if not states:
        return "not verified, nothing was explored with it"
    if not all(one.whole for one in tried):
        return f"not verified, only {plural(states, 'state')} could be explored with it"
    if not all(one.verified for one in tried):
        return f"not verified, of {states} states this one fails with it too"
    if left:
        return f"verified, this failure is gone; {left} of {states} states still fail"
    return f"verified, 0 of {states} states fail with it"
