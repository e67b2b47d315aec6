"""The sentences that a contract file's rules answer with, where the file doesn't bring its own."""

import re
from collections.abc import Mapping
from typing import Final

from tracefs.contracts.language.model import (
    AnyOf,
    AtMost,
    Before,
    Clause,
    InTurn,
    Must,
    Never,
    Next,
    Node,
    Pattern,
    Repeated,
    Sequence,
    Step,
)
from tracefs.contracts.page_write import text
from tracefs.contracts.page_write.text import Text
from tracefs.trace.call import Call
from tracefs.trace.families import TARGETED
from tracefs.trace.guesses import alike, is_guessed

_VARIABLE: Final = re.compile(r"\$([a-z_][a-z0-9_]*)")


def saw(call: Call, page_size: int) -> str:
    """Describe *call*: its name, and what it was done to."""
    if call.family == "write":
        outcome = text.outcome(call) or _fell_short(call)
        return f"{text.write(call, page_size)}{f', which {outcome}' if outcome else ''}"
    name = f"an unnamed {call.family}" if call.call == "unknown" else call.call
    where = "" if call.path is None else f" of '{call.path}'"
    if call.family in TARGETED and call.target is not None:
        where += f" to '{call.target}'"
    flags = f" with {'|'.join(call.flags)}" if call.flags else ""
    outcome = text.outcome(call)
    return f"{name}{where}{flags}{f', which {outcome}' if outcome else ''}"


def _fell_short(write: Call) -> str:
    """Say that *write* did less than it was asked for where a rule made it so; else nothing."""
    if not write.injected or write.result is None or write.length is None:
        return ""
    short = write.result < write.length
    return f"wrote only {write.result} bytes{text.by_rule(write)}" if short else ""


def which(call: Call, page_size: int) -> str:
    """Describe *call* with its number."""
    return f"{saw(call, page_size)} (call {call.index})"


def filled(words: str, bound: Mapping[str, str]) -> str:
    """Return *words* with what its variables stand for, where that is known."""
    return _VARIABLE.sub(lambda found: bound.get(found[1], found[0]), words) if bound else words


def expected(clause: Clause) -> str:
    """Say what *clause* asks for, to follow the word Expected."""
    match clause:
        case Must(text=condition):
            return condition
        case Next(next=pattern):
            return pattern.text
        case AtMost(every=pattern, most=most):
            return f"at most {most} of {pattern.text}"
        case Never(patterns=patterns):
            return f"no {' and no '.join(pattern.text for pattern in patterns)}"
        case Before(need=pattern):
            return pattern.text
        case Sequence(node=node):
            return spelled(node)


def spelled(node: Node) -> str:
    """Write a sequence as one text."""
    match node:
        case Step(pattern=pattern):
            return pattern.text
        case InTurn(nodes=nodes):
            return ", then ".join(map(spelled, nodes))
        case AnyOf(nodes=nodes):
            return " or ".join(map(spelled, nodes))
        case Repeated(node=inner, least=least, most=most):
            often = f"{least} times" if least == most else f"{least} to {most} times"
            if most is None:
                often = {0: "any number of times", 1: "once or more"}.get(
                    least, f"{least} times or more"
                )
            if (least, most) == (0, 1):
                often = "at most once"
            return f"{spelled(inner)} {often}"


def repair(clause: Clause) -> str:
    """Say what to do where a file says nothing."""
    match clause:
        case Must(every=every, text=condition):
            return f"Make each {every.text} so that {condition}."
        case Next(every=every, next=pattern):
            return f"After each {every.text} call {pattern.text}, and go on when it has succeeded."
        case AtMost(every=every, most=most):
            return f"Call {every.text} no more than {most} times."
        case Never(patterns=patterns):
            return f"Take {' and '.join(pattern.text for pattern in patterns)} out."
        case Before(before=before, need=need):
            return f"Call {need.text} before {before.text}, and go on when it has succeeded."
        case Sequence(node=node):
            return f"Call in this order: {spelled(node)}."


def _because(call: Call) -> str:
    if call.reason:
        return f": {call.reason}"
    if is_guessed(call):
        return f": nobody saw which of {', '.join(sorted(alike(call.call)))} it was"
    return ""


# Each takes the call of the finding, the words for what was expected and for the repair, and more.


def otherwise(call: Call, want: str, mend: str, page_size: int) -> Text:
    """*call* is not as it must be, or must not be at all."""
    return Text(f"Expected {want}; saw {saw(call, page_size)}.", mend)


def not_told(call: Call, want: str, mend: str, page_size: int) -> Text:
    """Whether *call* is as it must be is not known."""
    why = _because(call)
    return Text(f"Expected {want}; whether {saw(call, page_size)} is so is not known{why}.", mend)


def open_unseen(call: Call, want: str, mend: str, page_size: int) -> Text:  # noqa: ARG001
    """*call* came through an open that is not in the trace; the words are for all such calls."""
    return Text(
        f"Expected {want}; {saw(call, page_size)} came through an open that the trace does not "
        "show.",
        "Start recording before the program opens the file.",
    )


def one_too_many(call: Call, want: str, mend: str, page_size: int) -> Text:
    """*call* is the first over the limit."""
    return Text(f"Expected {want}; {saw(call, page_size)} is one more.", mend)


def not_followed(call: Call, want: str, mend: str, page_size: int, then: str) -> Text:
    """Nothing that was wanted came after *call*; *then* says what came instead."""
    return Text(f"Expected {want} after {saw(call, page_size)}; {then}.", mend)


def failed(call: Call, want: str, mend: str, page_size: int, after: Call) -> Text:
    """The *call* that was wanted after another failed."""
    return Text(
        f"Expected {want} to succeed after {which(after, page_size)}; {call.call} "
        f"{text.outcome(call)}.",
        text.UNNOTICED if call.pretended else mend,
    )


def not_reported(call: Call, status: int | None, *, known: bool, removed: bool) -> str:
    """The process of *call* did not end with a failure, or that is not *known*."""
    if status is None:
        return "how the command ended is not in the recording"
    gone = "the file was removed, and " if removed else ""
    if known:
        return f"{gone}the command ended with exit status {status}"
    which = "the process" if call.pid is None else f"process {call.pid}"
    return f"{gone}how {which} ended is not known, but that the command did with status {status}"


def too_early(call: Call) -> str:
    """*call* would have been the one, had it waited, or not been a retry."""
    if not call.proves:
        return f"{call.call} (call {call.index}) {text.outcome(call)}"
    return f"{call.call} (call {call.index}) began before it was done"


def came_first(call: Call, page_size: int) -> str:
    """*call* came instead."""
    return f"{which(call, page_size)} came first"


def came_during(call: Call, page_size: int) -> str:
    """*call* did not wait."""
    return f"{which(call, page_size)} began before it had succeeded"


def not_needed_yet(
    call: Call, want: str, mend: str, page_size: int, since: Call | None, more: str
) -> Text:
    """*call* came without what must come before it."""
    after = "" if since is None else f" after {which(since, page_size)} and"
    return Text(f"Expected {want}{after} before {saw(call, page_size)}; {more}.", mend)


def out_of_order(
    call: Call, want: str, mend: str, page_size: int, next_ones: str, last: Call | None
) -> Text:
    """*call* came where the sequence wants something else."""
    where = "nothing of it came before" if last is None else f"last came {which(last, page_size)}"
    return Text(
        f"Expected {next_ones} before {saw(call, page_size)}; {where}. The sequence: {want}.", mend
    )


def not_finished(
    call: Call, want: str, mend: str, page_size: int, next_ones: str, then: str
) -> Text:
    """What must follow *call* in the sequence did not."""
    return Text(
        f"Expected {next_ones} after {saw(call, page_size)}; {then}. The sequence: {want}.", mend
    )


def unheard(names: str, witness: str) -> Text:
    """Calls of these *names* leave no trace in such a recording."""
    if "@read" in names:
        return Text(
            "Whether anything was read is not known: no recording has reads.",
            "Leave @read out of the contract.",
        )
    return Text(
        f"Whether {names} was called is not known: the recording's witness ({witness}) isn't "
        "notified of it.",
        "Record again with --witness seccomp.",
    )


def nothing_seen(patterns: str) -> Text:
    """There is nothing to judge."""
    return Text(
        f"Expected at least one {patterns}; none was recorded on the files that are judged.",
        "Check that the program ran in the traced directory and did what the contract is about; "
        "what was not done is never counted as kept.",
    )


def too_many(live: int) -> Text:
    """More variables were bound at one time than are followed."""
    return Text(
        f"More than {live} bindings were open at one time; what concerns the oldest is not known.",
        "Choose fewer files with --path, or split the recording.",
    )


def alternatives(patterns: list[Pattern]) -> str:
    """Name what may come next."""
    return " or ".join(dict.fromkeys(pattern.text for pattern in patterns)) or "nothing more"
