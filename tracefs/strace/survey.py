"""What must be known of a text before it is read: what it shows, and who started whom.

A filter (``strace -e trace=...``) leaves no mark in the text. What no filter for files lets through
tells that there was none: signal masks and thread set-up, memory, the exit call. A call that was
left out by itself (``-e trace=!lseek``) can't be told from one that was never made.
"""

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct, field

from tracefs.strace import words
from tracefs.strace.lines import Kind, Line, is_relative, joined, read

CLONES: Final = frozenset({"clone", "clone3", "fork", "vfork"})
_MEMORY: Final = frozenset({"brk", "mmap", "mmap2", "munmap", "mprotect"})
_SELF: Final = frozenset(
    {
        "arch_prctl", "clock_gettime", "clock_nanosleep", "epoll_pwait", "epoll_wait", "futex",
        "getpid", "getrandom", "gettid", "nanosleep", "poll", "ppoll", "prlimit64", "pselect6",
        "rseq", "rt_sigaction", "rt_sigprocmask", "sched_getaffinity", "select",
        "set_robust_list", "set_thread_area", "set_tid_address", "sigaltstack", "wait4", "waitid",
    }
)  # fmt: skip
"""Calls about neither files, descriptors nor memory that every program makes some of."""
_ENDS: Final = frozenset({"exit", "exit_group"})
_EXECS: Final = frozenset({"execve", "execveat"})
_CWD: Final = re.compile(r"(?:-100 /\* )?\bAT_FDCWD(?: \*/)?<([^<>]*)>")
_PATH: Final = re.compile(r"(?:\d+|AT_FDCWD|-100 /\* AT_FDCWD \*/)<")
_BARE: Final = re.compile(r"\((?:\d+|AT_FDCWD)[,)]")
_FLAGS: Final = re.compile(r"\bCLONE_[A-Z_]+")
_LASTED: Final = re.compile(r" <\d+\.\d+>$")
_FAILED: Final = " = -1 E"
_DELETED: Final = b" (deleted)"


class Birth(Struct, frozen=True, kw_only=True):
    """Where a thread comes from."""

    parent: int | None
    shares: frozenset[str]
    """CLONE_* flags."""


class Survey(Struct, kw_only=True):
    """What one reading of the whole text tells."""

    names: set[str] = field(default_factory=set)
    """Names of the calls in it."""
    first: int | None = None
    """The thread whose lines have no number; None: not told."""
    threads: set[int] = field(default_factory=set)
    """Numbers of the threads that lines are of."""
    births: dict[int, list[Birth]] = field(default_factory=dict)
    """By thread: how it was made; several where a number was used again."""
    directory: bytes | None = None
    """Working directory in the first line that tells one."""
    command: tuple[bytes, ...] | None = None
    """Words of the first exec, where they are whole."""
    unsuccessful: bool = False
    """Calls are told that failed or did not return (no strace -z)."""
    exits: bool = False
    """The ends of threads are told (+++ exited)."""
    timed: bool = False
    lasting: bool = False
    """Calls are told with how long they took (-T)."""
    relative: bool = False
    """Times count from the line before."""
    paths: bool = False
    """Descriptors have their paths (-y)."""
    bare: bool = False
    """Descriptors without paths were seen."""
    unreadable: int = 0

    @property
    def whole(self) -> bool:
        """Tell whether the text shows every call, as far as a text can tell that."""
        return self.unsuccessful and bool(self.names & _MEMORY and self.names & _SELF)

    def shows(self, *names: str) -> bool:
        """Tell whether the text would show each of the calls *names*, had they been made."""
        return self.whole or self.names.issuperset(names)


def survey(text: Iterable[str]) -> Survey:
    """Read *text*, lines with or without their newlines."""
    found = Survey()
    begun: dict[int | None, Line] = {}
    numbers = found.threads
    for each in joined(text):
        line = read(each.rstrip("\r\n"))
        if line.pid is not None and line.kind is not Kind.NOTHING:
            numbers.add(line.pid)
        if line.when is not None and not found.timed:
            found.timed, found.relative = True, is_relative(each)
        _take(found, begun, line)
    starters = numbers - found.births.keys()
    if len(starters) == 1:
        (found.first,) = starters
    return found


def _take(found: Survey, begun: dict[int | None, Line], line: Line) -> None:
    kind, name = line.kind, line.name
    found.unreadable += kind is Kind.UNREADABLE
    found.exits = found.exits or kind in {Kind.EXIT, Kind.SUPERSEDED}
    if not name:
        return
    found.names.add(name)
    if not found.lasting and line.text.endswith(">"):
        found.lasting = _LASTED.search(line.text) is not None
    found.unsuccessful = (
        found.unsuccessful or kind is Kind.BEGUN or name in _ENDS or _FAILED in line.text
    )
    if found.directory is None:
        _look_for_paths(found, line)
    if name not in CLONES and not (found.command is None and name in _EXECS):
        return
    if kind is Kind.BEGUN:
        begun[line.pid] = line
        return
    text = line.text
    if kind is Kind.RESUMED:
        first = _first_part(begun, line)
        text = text if first is None else first.text + text
    _started(found, name, line.pid, text)


def _first_part(begun: dict[int | None, Line], line: Line) -> Line | None:
    """Return where a call began; of two lines of one thread one may lack its number."""
    if line.pid in begun:
        return begun.pop(line.pid)
    others = [
        tid for tid, one in begun.items() if one.name == line.name and None in {tid, line.pid}
    ]
    return begun.pop(others[0]) if len(others) == 1 else None


def _started(found: Survey, name: str, pid: int | None, text: str) -> None:
    """Take a whole clone or exec."""
    try:
        arguments, outcome = words.split(text)
    except words.UnreadableError:
        return
    if name in _EXECS:
        if outcome.value == 0:
            found.command = _command(arguments)
    elif outcome.value:
        # What the child has with its parent: vfork(2) names no flags.
        flags = _FLAGS.findall(text) if name != "vfork" else ["CLONE_VM"]
        birth = Birth(parent=pid, shares=frozenset(flags))
        found.births.setdefault(outcome.value, []).append(birth)


def _look_for_paths(found: Survey, line: Line) -> None:
    found.bare = found.bare or _BARE.match("(" + line.text) is not None
    if _PATH.match(line.text) is None:
        return
    found.paths = True
    cwd = _CWD.match(line.text)
    if cwd is not None:
        found.directory = words.unescape(cwd[1]).removesuffix(_DELETED)


def _command(arguments: list[str]) -> tuple[bytes, ...] | None:
    if len(arguments) < 2 or not arguments[1].startswith("["):
        return ()
    try:
        inner, _ = words.split(arguments[1][1:-1] + ") = 0")
    except words.UnreadableError:
        return ()
    found = [words.string(word) for word in inner]
    return () if None in found else tuple(word for word in found if word is not None)
