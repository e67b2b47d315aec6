"""A text of strace as what `tracefs.check` judges."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from tracefs.events import FORMAT, VERSION, Header
from tracefs.findings import TraceSummary
from tracefs.pathtext import printable, to_text
from tracefs.strace import data_calls, descriptor_calls, name_calls, words
from tracefs.strace.clock import Clock
from tracefs.strace.files import Scope
from tracefs.strace.handlers import Handler
from tracefs.strace.heard import Heard
from tracefs.strace.lines import Kind, Line, joined, read
from tracefs.strace.processes import Opened, Thread
from tracefs.strace.survey import Survey
from tracefs.strace.world import WITNESS, World
from tracefs.trace.call import TraceItem

HANDLERS: Final[dict[str, Handler]] = {
    **data_calls.HANDLERS,
    **descriptor_calls.HANDLERS,
    **name_calls.HANDLERS,
}
_EXITS: Final = frozenset({"exit", "exit_group"})
_EXECS: Final = frozenset({"execve", "execveat"})
_SYNCS: Final = ("fdatasync", "fsync", "msync")
"""Without these a text would make every write look unsynced."""
_HIDING: Final = re.compile(
    rf"\b(?:{'|'.join(sorted(HANDLERS))})\(|resumed>|<(?:unfinished|detached|pid changed)"
)
"""What an unreadable line has if it may have been a call of interest."""
_OF_TWO: Final = frozenset({"copy_file_range", "sendfile", "sendfile64", "splice"})
_NEW_SYSTEM_CALLS: Final = frozenset(
    {"syscall_0x1a9", "syscall_0x1aa", "syscall_0x1ab", "syscall_0x1b4", "syscall_0x1b5"}
)
"""io_uring, close_range and openat2, to a strace that doesn't know them (their numbers are the same
on all machines)."""
_HARMLESS: Final = frozenset(
    {
        "_llseek", "close", "dup", "dup2", "dup3", "execve", "execveat", "fcntl", "fdatasync",
        "fsync", "lseek", "mmap", "mprotect", "msync", "munmap", "preadv2", "read", "readv",
        "sync", "sync_file_range", "syncfs",
    }
)  # fmt: skip
"""Calls that leave nothing behind when their thread is killed within them."""
_PAGE_SIZE: Final = 4096
_TOLD: Final = 3


class _Begun(NamedTuple):
    """The first part of a call."""

    name: str
    text: str
    start_ns: int
    bound: dict[int, Opened]
    """What its descriptors stand for."""


_NOTHING: Final = _Begun("", "", 0, {})


class StraceTrace:
    """The calls of one text, in one pass after its survey.

    Args:
        text: Lines with their newlines, decoded as Latin-1; read once.
        survey: Of the same text.
        scope: What is of interest.
        source: What paths are relative to, as path text.
        chosen: Tells whether the user chose a file, by its path text; None: nobody chose.
    """

    def __init__(
        self,
        text: Iterable[str],
        survey: Survey,
        scope: Scope,
        *,
        source: str,
        chosen: Callable[[str], bool] | None = None,
    ) -> None:
        self._text = text
        self._survey = survey
        self._world = World(survey, scope, chosen)
        self._clock = Clock(relative=survey.relative)
        self._begun: dict[int | None, _Begun] = {}
        """By thread: a call that is not over."""
        self._line = 0
        self._unreadable = 0
        self._first_unreadable = 0
        self._exhausted = False
        self.header: Final = _header(survey, source)

    def remarks(self) -> list[str]:
        """Return lines on what this is and what it leaves out; only after the last item."""
        world, source = self._world, printable(self.header.source)
        said = [f"seen by: strace, as its text tells; paths are relative to {source}"]
        if world.elsewhere:
            one = printable(to_text(min(world.elsewhere)))
            number = len(world.elsewhere)
            files = "1 file" if number == 1 else f"{number} files"
            said.append(f"not judged: {files} written elsewhere, as {one} (--dir DIR chooses)")
        said += [
            f"not judged: {printable(what)}, opened before the text begins" for what in world.aside
        ]
        return said

    def items(self) -> Iterator[TraceItem]:
        """Yield calls and releases in the order in which they were over, once."""
        world = self._world
        if not self._survey.shows(*_SYNCS):
            world.stop(
                "the text shows some system calls only, and may leave out syncs (strace -e trace)"
            )
        elif not self._survey.whole:
            world.doubt("the text shows some system calls only (strace -e trace)")
        if not world.is_cut():
            for text in joined(self._text):
                self._line += 1
                if text.endswith("\n"):
                    self._take(text)
                else:
                    world.doubt("the text ends within a line")
                while world.items:
                    yield world.items.popleft()
                if world.is_cut():
                    break
            else:
                self._end()
                yield from world.items
                world.items.clear()
        self._exhausted = True

    def summary(self) -> TraceSummary:
        """Return how much a verdict rests on; incomplete until `items` is exhausted."""
        doubts = list(self._world.doubts)
        if self._unreadable:
            lines = "a line" if self._unreadable == 1 else f"{self._unreadable} lines"
            doubts.append(
                f"{lines} can't be read, the first is {self._first_unreadable} "
                "(strace -o keeps what the program prints out of the text)"
            )
        if not self._exhausted:
            doubts.insert(0, "not read to its end")
        more = len(doubts) - _TOLD
        told = [*doubts[:_TOLD], *([f"and {more} more"] if more > 0 else [])]
        return TraceSummary(
            complete=not doubts,
            calls=self._world.calls,
            unknown_calls=0,
            incomplete_because="; ".join(told) if doubts else None,
        )

    # Lines

    def _take(self, text: str) -> None:
        line = read(text.rstrip("\r\n"))
        kind = line.kind
        if kind is Kind.NOTHING:
            return
        if kind is Kind.UNREADABLE:
            self._unread(text)
            return
        now = self._clock.at(line.when)
        tid = self._world.number(line.pid)
        if kind is Kind.EXIT:
            self._exit(tid, now)
            return
        if kind is Kind.SUPERSEDED:
            self._supersede(line.pid, self._world.threads.get(int(line.text)))
            return
        if kind is Kind.DETACHED:
            self._world.stop(f"strace left process {tid} alone in line {self._line}")
            return
        thread = self._world.thread(tid)
        self._started(thread, line)
        if kind is Kind.CALL:
            self._whole(thread, line.name, line.text, now, None)
        elif kind is Kind.BEGUN:
            self._begun[tid] = _Begun(line.name, line.text, now, self._bind(thread, line))
        else:
            self._resume(thread, line, now)

    def _started(self, thread: Thread, line: Line) -> None:
        """Note what the first line of a thread says of where it comes from."""
        thread.calls += 1
        if thread.calls > 1 or not thread.older or line.name in _EXECS:
            return
        who = "a process" if thread.tid is None else f"process {thread.tid}"
        what = f"{who} ran before the text begins (strace -p), with files and mappings unseen"
        if thread.tid is None:
            self._world.stop(f"{what}, and threads, too: strace -f shows them")
        else:
            self._world.doubt(what)

    def _resume(self, thread: Thread, line: Line, now: int) -> None:
        if line.name in _EXECS and self._begun.get(thread.tid, _NOTHING).name != line.name:
            thread = self._executing(thread)
        begun = self._begun.pop(thread.tid, _NOTHING)
        if begun.name != line.name:
            self._unread(f"{line.name}(")
            return
        self._whole(thread, line.name, begun.text + line.text, begun.start_ns, now, begun.bound)

    def _executing(self, thread: Thread) -> Thread:
        """Return the thread whose exec goes on under the number of *thread* (strace -qqq)."""
        for tid, begun in self._begun.items():
            other = self._world.threads.get(tid)
            if begun.name in _EXECS and other is not None and other.pid == thread.pid:
                self._supersede(thread.tid, other)
                return other
        return thread

    def _bind(self, thread: Thread, line: Line) -> dict[int, Opened]:
        """Return what the descriptors of a call stand for as it begins.

        A close frees its number at once: another thread's open may get it before the close is told.
        """
        bound: dict[int, Opened] = {}
        if line.name not in HANDLERS:
            return bound
        for of in _descriptors(line.text):
            opened = self._world.stands_for(thread, of)
            if opened is not None:
                bound[of.number] = opened
                if line.name == "close":
                    thread.files.detach(of.number)
        return bound

    def _whole(
        self,
        thread: Thread,
        name: str,
        text: str,
        start: int,
        end: int | None,
        bound: Mapping[int, Opened] = MappingProxyType({}),
    ) -> None:
        """Take a call that came to its end; *end* None: in the line that it began in."""
        handler = HANDLERS.get(name)
        if handler is None:
            if name in _EXITS:
                self._exits(thread, name, start)
            elif name in _NEW_SYSTEM_CALLS:
                self._world.stop(f"{name} was called, which this strace can't name")
            thread.end_ns = start if end is None else end
            return
        try:
            arguments, outcome = words.split(text)
            if end is None or outcome.took_ns is not None:
                end = self._clock.after(start + (outcome.took_ns or 0))
            thread.end_ns = end
            if outcome.text == "?":
                self._cut_off(name, text)
            elif outcome.returned:
                handler(self._world, Heard(thread, name, arguments, outcome, start, end, bound))
        except (words.UnreadableError, ValueError, IndexError):
            if not self._is_elsewhere(name, text):
                self._unread(f"{name}(")

    def _is_elsewhere(self, name: str, text: str) -> bool:
        """Tell whether a call that can't be read is of a descriptor that is of no interest."""
        of = next(iter(_descriptors(text.partition(",")[0].partition(")")[0])), None)
        if of is None or name in _OF_TWO or of.path is None or self._world.scope.covers(of.path):
            return False
        self._unread("")
        return True

    def _unread(self, text: str) -> None:
        self._unreadable += 1
        self._first_unreadable = self._first_unreadable or self._line
        if _HIDING.search(text):
            self._world.unsure()

    # Ends

    def _exits(self, thread: Thread, name: str, now: int) -> None:
        group = [
            one
            for one in list(self._world.threads.values())
            if one is thread or (name == "exit_group" and one.pid == thread.pid)
        ]
        for one in group:
            one.exiting = name
        if not self._survey.exits:  # strace -qq tells no ends
            for one in group:
                self._lose(one.tid)
                self._world.ended(one, self._clock.after(now))

    def _exit(self, tid: int | None, now: int) -> None:
        thread = self._world.threads.get(tid)
        self._lose(tid)
        if thread is not None:
            self._world.ended(thread, now)

    def _supersede(self, tid: int | None, thread: Thread | None) -> None:
        """A thread, in an exec, goes on with the number of its process (ptrace(2))."""
        if thread is None:
            return
        tid = thread.pid if tid is None else tid
        begun = self._begun.pop(thread.tid, None)
        self._begun.pop(tid, None)
        if begun is not None:
            self._begun[tid] = begun
        self._world.superseded(tid, thread)

    def _lose(self, tid: int | None) -> None:
        """A thread ended within a call; whether that took effect isn't known."""
        name, first, _, bound = self._begun.pop(tid, _NOTHING)
        thread = self._world.threads.get(tid)
        if name == "close" and thread is not None:
            for number, opened in bound.items():
                thread.files.attach(number, opened)
        self._cut_off(name, first)

    def _cut_off(self, name: str, first: str) -> None:
        if name not in HANDLERS or name in _HARMLESS:
            return
        paths = [of.path for of in _descriptors(first)]
        if name in data_calls.HANDLERS and paths and not any(map(self._world.scope.covers, paths)):
            return
        self._world.doubt(f"a thread was killed within {name}, which may have taken effect")

    def _end(self) -> None:
        """Say what the end of the text cut off, and end what called exit."""
        world = self._world
        for tid in list(self._begun):
            thread = world.threads.get(tid)
            if thread is None or not thread.exiting:
                world.doubt(f"the text ends within {self._begun[tid].name}")
        for thread in list(world.threads.values()):
            if thread.exiting:
                world.ended(thread, self._clock.after(0))
        left = [str(one.tid) for one in world.threads.values() if one.tid is not None]
        if world.threads:
            which = f"of {', '.join(left[:_TOLD])} " if left else ""
            world.doubt(f"the text ends before the end {which}is told")


def _descriptors(text: str) -> Iterator[words.Descriptor]:
    """Yield the descriptors among the arguments of a call that may be cut off."""
    for word in words.begun(text):
        try:
            yield words.descriptor(word)
        except words.UnreadableError:
            continue


def _clock(survey: Survey) -> str:
    """Return the clock of all times, as `tracefs.report.strace` knows it."""
    if not survey.timed:
        return "none"
    return "CLOCK_REALTIME" if survey.lasting else "CLOCK_REALTIME, at the start"


def _header(survey: Survey, source: str) -> Header:
    command = survey.command
    return Header(
        format=FORMAT,
        version=VERSION,
        tool="strace",
        source=source,
        started="",
        start_ns=0,
        clock=_clock(survey),
        kernel="",
        machine="",
        mode="cached",
        page_size=_PAGE_SIZE,
        block_size=_PAGE_SIZE,
        witness=WITNESS,
        notified=tuple(sorted(name for name in HANDLERS if survey.shows(name))),
        command=None if command is None else tuple(map(to_text, command)),
        operations=(),
    )
