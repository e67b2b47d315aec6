"""One line of strace's text: who, when, and what kind of line it is.

The text is decoded as Latin-1, so that each character is one byte. The shapes are those of strace
4.26 to 6.x (``printleader``, ``print_pid`` and ``print_event_exit`` in strace's ``src/strace.c``).
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final, NamedTuple

_SECOND: Final = 1_000_000_000
_DAY: Final = 24 * 3600 * _SECOND

_LEADER: Final = re.compile(
    # [pid N], or the column N of -o with -f; -Y adds <command name>. pid_max is 4194304 at most.
    r"(?:\[pid +(\d{1,7})(?:<[^<>]*>)?\] +|(\d{1,7})(?:<[^<>]*>)? +)?"
    # -t, -tt; -ttt
    r"(?:(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? +|(\d{9,12})(?:\.(\d{1,9}))? +)?"
    # -r, by itself or beside the others
    r"(?:\(\+ *(\d{1,12}\.\d{1,9})\) +| *(\d{1,12}\.\d{3,9}) +)?"
    # -n and -i
    r"(?:\[ *\d+\] )?(?:\[[0-9a-f?]+\] )?"
)
_CALL: Final = re.compile(r"([a-z_]\w*)\(")
_RESUMED: Final = re.compile(r"<\.\.\. ([a-z_]\w*) resumed>")
_CUT: Final = re.compile(r" ?<(?:unfinished|(detached)|pid changed to \d{1,7}) \.\.\.>$")
_EXIT: Final = re.compile(
    r"\+\+\+ (?:exited with|killed by|superseded by execve in pid (\d{1,7}))\b.*\+\+\+$"
)
_SIGNAL: Final = re.compile(r"--- (?:stopped by )?SIG\w+.* ---$")
_SPEAKS: Final = re.compile(r"(?:strace: )?Process (\d{1,7}) (attached|detached)")
_NO_CALL: Final = ("[ Process PID=", "???", "<... ???")
"""What else is no call: the ABI of a process, and a thread that was killed before it made one."""
_INTERRUPTED: Final = re.compile(r"strace: Process \d+ attached\r?\n?$")


class Kind(Enum):
    """What a line is."""

    CALL = "a call with its result"
    BEGUN = "a call that another thread's line cuts off"
    RESUMED = "the rest of one"
    EXIT = "the end of a thread"
    SUPERSEDED = "the end of a process's first thread, by another's exec"
    DETACHED = "strace left a process alone"
    NOTHING = "nothing of interest: a signal, a stack (-k), a dump (-e write)"
    UNREADABLE = "something else"


class Line(NamedTuple):
    """A line, taken apart."""

    kind: Kind
    pid: int | None
    """Thread; None: the line names none."""
    when: int | None
    """Nanoseconds as the line has them: of the day, of the epoch, or since the line before."""
    name: str
    """Of the call."""
    text: str
    """What follows the name and its bracket; the thread that supersedes."""


def joined(text: Iterable[str]) -> Iterator[str]:
    """Yield the lines of *text*, those put together that strace itself spoke into.

    On standard error it says in the middle of a line that it attached to a new process. There are
    as many lines as before.
    """
    held = ""
    for line in text:
        spoken = _INTERRUPTED.search(line)
        if spoken is not None and spoken.start():
            held += line[: spoken.start()]
            yield "\n"
        else:
            yield held + line if spoken is None else line
            if spoken is None:
                held = ""
    if held:
        yield held


def read(text: str) -> Line:
    """Take apart one line, without its newline; never raises."""
    if text.startswith((" > ", " | ")) or not text.strip():
        return Line(Kind.NOTHING, None, None, "", text)
    leader = _LEADER.match(text)
    assert leader is not None  # each of its parts may be missing
    pid = leader[1] or leader[2]
    kind, name, rest = _kind(text[leader.end() :])
    if kind is Kind.UNREADABLE:
        spoken = _SPEAKS.match(text)
        if spoken is not None:
            kind = Kind.NOTHING if spoken[2] == "attached" else Kind.DETACHED
            return Line(kind, int(spoken[1]), None, "", text)
        return Line(kind, None, None, "", text)
    return Line(kind, None if pid is None else int(pid), _when(leader), name, rest)


def is_relative(text: str) -> bool:
    """Tell whether the time of the line *text* counts from the line before (-r alone)."""
    leader = _LEADER.match(text)
    return leader is not None and leader[10] is not None and leader[3] is leader[7] is None


def _kind(body: str) -> tuple[Kind, str, str]:
    call = _CALL.match(body)
    if call is not None:
        return _call(call, body)
    resumed = _RESUMED.match(body)
    if resumed is not None:
        return Kind.RESUMED, resumed[1], body[resumed.end() :]
    ended = _EXIT.match(body)
    if ended is not None:
        return (Kind.EXIT, "", body) if ended[1] is None else (Kind.SUPERSEDED, "", ended[1])
    if _SIGNAL.match(body) or body.startswith(_NO_CALL):
        return Kind.NOTHING, "", body
    return Kind.UNREADABLE, "", body


def _call(call: re.Match[str], body: str) -> tuple[Kind, str, str]:
    cut = _CUT.search(body)
    if cut is None:
        return Kind.CALL, call[1], body[call.end() :]
    rest = body[call.end() : cut.start()]
    return Kind.DETACHED if cut[1] else Kind.BEGUN, call[1], rest


def _when(leader: re.Match[str]) -> int | None:
    if leader[3] is not None:
        seconds = int(leader[3]) * 3600 + int(leader[4]) * 60 + int(leader[5])
        return seconds * _SECOND + _fraction(leader[6])
    if leader[7] is not None:
        return int(leader[7]) * _SECOND + _fraction(leader[8])
    if leader[10] is not None:
        whole, _, part = leader[10].partition(".")
        return int(whole) * _SECOND + _fraction(part)
    return None


def _fraction(digits: str | None) -> int:
    return int((digits or "").ljust(9, "0"))
