"""What the text has shown so far: threads, open files, names; and the calls that come of it."""

from collections import deque
from collections.abc import Callable, Iterator
from errno import (
    EACCES,
    EBADF,
    EEXIST,
    EFAULT,
    EINTR,
    EISDIR,
    ELOOP,
    ENAMETOOLONG,
    ENOENT,
    ENOTDIR,
    EXDEV,
)
from posixpath import join
from typing import Any, Final

from tracefs.strace import words
from tracefs.strace.files import File, Files, Scope
from tracefs.strace.heard import Heard
from tracefs.strace.memory import Memory
from tracefs.strace.processes import Descriptors, Directory, Entry, Opened, Thread, child
from tracefs.strace.survey import Survey
from tracefs.strace.words import Outcome
from tracefs.trace.call import Call, Released, TraceItem
from tracefs.trace.retried import FailedSyncs

WITNESS: Final = "strace"
_STANDARD: Final = ("standard input", "standard output", "standard error")
_BEFORE_ANY_FILE: Final = frozenset(
    {EACCES, EBADF, EEXIST, EFAULT, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV}
)
"""Errors of names that the kernel finds by itself: recordings of tracefs have no such calls."""
_CHANGING: Final = frozenset({"write", "truncate", "allocate"})
"""Families of calls that change what a file holds."""
AT_EXIT: Final = "closed by the end of the process"


class World:
    """The state that lines change.

    Args:
        survey: Of the same text.
        scope: What is of interest.
        chosen: Tells whether the user chose a file, by its path text; None: nobody chose.
    """

    def __init__(
        self, survey: Survey, scope: Scope, chosen: Callable[[str], bool] | None = None
    ) -> None:
        self.survey = survey
        self.scope = scope
        self.files = Files()
        self.threads: dict[int | None, Thread] = {}
        self.items: deque[TraceItem] = deque()
        self.calls = 0
        self.doubts: dict[str, None] = {}
        """Why the calls are not all there is to know; in order."""
        self.aside: dict[str, None] = {}
        """What is not judged, because it began before the text; in order."""
        self.elsewhere: set[bytes] = set()
        """Files that were opened for writing and are of no interest."""
        self._cut = False
        self._chosen = chosen
        self._handles = 0
        self._open: dict[int, Opened] = {}
        self._failed_syncs = FailedSyncs()

    # What is not known

    def doubt(self, why: str) -> None:
        """Note why the calls are not all there is to know."""
        self.doubts[why] = None

    def stop(self, why: str) -> None:
        """Note that from here on too much is hidden for any verdict."""
        self.doubt(why)
        self.unsure()

    def unsure(self) -> None:
        """Note that what comes later can't be relied upon."""
        self._cut = True

    def is_cut(self) -> bool:
        """Tell whether what comes later can't be relied upon."""
        return self._cut

    def judges(self, path: bytes | None) -> bool:
        """Tell whether a file may be one that is judged."""
        if path is None:
            return True
        return self._chosen is None or self._chosen(self.scope.text(path))

    # Calls

    def emit(self, heard: Heard, family: str, **fields: Any) -> None:
        """Add the call *heard* to the trace."""
        thread, outcome = heard.thread, heard.outcome
        known = {"call": heard.name, "result": outcome.value, "errno": outcome.errno}
        if family == "sync" or self._failed_syncs:
            known |= self._after_failed(outcome, family, fields.get("ino"), fields.get("flags", ()))
        self.items.append(
            Call(
                index=self.calls,
                family=family,
                known_by=WITNESS,
                start_ns=heard.start_ns,
                end_ns=heard.end_ns,
                tid=thread.tid,
                pid=thread.pid,
                injected=outcome.injected,
                **known | fields,
            )
        )
        self.calls += 1

    def _after_failed(
        self, outcome: Outcome, family: str, ino: int | None, flags: tuple[str, ...]
    ) -> dict[str, int | None]:
        """Return what a sync is to say of one that failed before; take in what changes a file."""
        failed = self._failed_syncs
        if family != "sync":
            changes = family in _CHANGING or (family == "open" and "O_TRUNC" in flags)
            if changes and not outcome.errno:
                failed.changed(ino)
        elif not outcome.errno:
            return {"after_failed": failed.before(ino)}
        elif outcome.errno != EINTR and ino is not None:
            failed.failed(ino, self.calls)
        return {}

    def on(self, heard: Heard, opened: Opened, family: str, **fields: Any) -> None:
        """Add a call on an open file, if that is of interest."""
        file = opened.file
        if file is None or opened.path is None or not self.wanted(opened.path, file):
            return
        self.emit(
            heard,
            family,
            path=self.scope.text(opened.path),
            ino=file.ino,
            handle=opened.handle,
            **fields,
        )

    def named(self, heard: Heard, family: str, **fields: Any) -> None:
        """Add a call on a name, if it got as far as to a file or directory."""
        if heard.outcome.errno not in _BEFORE_ANY_FILE:
            self.emit(heard, family, **fields)

    def wanted(self, path: bytes, file: File | None) -> bool:
        """Tell whether calls on what *path* names belong into the trace."""
        return self.scope.inside(path) or (file is not None and file.written)

    # Paths

    def path(
        self, heard: Heard, word: str, at: str | None = None, *, follow: bool = False
    ) -> bytes | None:
        """Return the absolute path that *word* names; None: it can't be told.

        Args:
            heard: The call.
            word: A quoted path.
            at: The descriptor that a relative one starts from; None: the working directory.
            follow: The call follows a symbolic link.
        """
        base = self._base(heard.thread, at)
        given = words.string(word)
        if given is None:
            return None
        if not given.startswith(b"/"):
            if base is None:
                return None
            given = join(base, given) if given else base
        return self.files.real(given, follow=follow)

    def _base(self, thread: Thread, at: str | None) -> bytes | None:
        if at is None:
            return thread.directory.path
        of = words.descriptor(at)
        if of.number == words.AT_FDCWD:
            if of.path is not None:
                thread.directory.path = of.path
            return thread.directory.path
        return of.path

    # Descriptors

    def opened(self, heard: Heard, word: str) -> tuple[int, Opened | None]:
        """Return the descriptor *word* and what it is of; None: nothing of interest."""
        of = words.descriptor(word)
        bound = heard.bound.get(of.number)
        if bound is not None:
            return of.number, bound
        return of.number, self.stands_for(heard.thread, of)

    def stands_for(self, thread: Thread, of: words.Descriptor) -> Opened | None:
        """Return what a descriptor is of at the moment; None: nothing of interest."""
        entry = thread.files.get(of.number)
        if entry is not None:
            if of.path is None or self._agrees(entry.opened, of):
                return entry.opened
            thread.files.take(of.number)
            self.release(entry.opened, thread.end_ns)
        return self._adopt(thread, of) if self.scope.covers(of.path) else None

    def _agrees(self, opened: Opened, of: words.Descriptor) -> bool:
        """Tell whether *opened* is what the text shows; learn where its file is now."""
        path, file = of.path, opened.file
        if path == opened.path:
            if of.deleted and path is not None and self.files.find(path) is file:
                self.removed(path)
            return True
        if of.deleted:
            return True  # the name that it was opened under is gone, it has another
        if not self.survey.whole:
            return False  # closed and opened again, unseen
        if path is not None:
            if file is not None:
                if opened.path is not None and self.files.find(opened.path) is file:
                    self.files.removed(opened.path)
                self.files.put(path, file)
            opened.path = path
        return True

    def removed(self, path: bytes) -> File | None:
        """A name is gone; open files go by another that their file has, else keep it."""
        file = self.files.removed(path)
        if file is not None and file.names:
            for opened in self.all_open():
                if opened.file is file and opened.path == path:
                    opened.path = next(reversed(file.names))
        return file

    def _adopt(self, thread: Thread, of: words.Descriptor) -> Opened:
        """Return the open file behind a descriptor whose open the text doesn't show."""
        path = of.path
        assert path is not None
        opened = None if self.survey.whole else self._inherited(of)
        if opened is None:
            file = self.files.nameless() if of.deleted else self.files.at(path)
            opened = self.new(path, file, None)
            for other in self.all_open():
                if other.file is file:
                    self.shared(other)  # it may be the same open, passed through a socket
        thread.files.put(of.number, opened, cloexec=False)
        return opened

    def shared(self, opened: Opened) -> None:
        """Somebody whom the text may not show can move the file position of *opened*."""
        opened.followed, opened.position = False, None

    def _inherited(self, of: words.Descriptor) -> Opened | None:
        """Return the open that a fork, which the text leaves out, may have copied."""
        for thread in self.threads.values():
            entry = thread.files.get(of.number)
            if entry is not None and entry.opened.path == of.path:
                return entry.opened
        return None

    def new(self, path: bytes | None, file: File | None, flags: tuple[str, ...] | None) -> Opened:
        """Return a new open file description."""
        self._handles += 1
        opened = Opened(handle=self._handles, path=path, file=file, flags=flags)
        opened.followed = self.survey.whole and flags is not None
        self._open[opened.handle] = opened
        return opened

    def all_open(self) -> Iterator[Opened]:
        """Yield every open file."""
        yield from list(self._open.values())

    def unseen(self, number: int, opened: Opened) -> None:
        """Something was written through a descriptor that is older than the text."""
        path = opened.path or b"?"
        name = self.scope.text(path)
        is_standard = number < len(_STANDARD)
        elsewhere = any(
            one.seen and one.file is opened.file and one.writable for one in self._open.values()
        )
        what = f"{_STANDARD[number] if is_standard else f'descriptor {number}'}, which is {name}"
        if is_standard and self._chosen is None and not elsewhere:
            self.aside[what] = None
        elif self.judges(path):
            self.doubt(f"writes through what was opened before the text begins: {what}")

    def release(self, opened: Opened, now: int) -> None:
        """Tell the end of *opened* if no descriptor and no mapping of it is left."""
        if opened.descriptors or opened.handle not in self._open:
            return
        memories = {id(one.memory): one.memory for one in self.threads.values()}
        if any(opened is each.of for one in memories.values() for each in one.mappings):
            return
        del self._open[opened.handle]
        file, path = opened.file, opened.path
        if file is not None and path is not None and self.wanted(path, file) and not file.directory:
            self.items.append(Released(handle=opened.handle, ino=file.ino, end_ns=now))

    # Threads

    def thread(self, tid: int | None) -> Thread:
        """Return the thread *tid*, which may be new."""
        found = self.threads.get(tid)
        if found is None:
            found = self.threads[tid] = self._born(tid)
        return found

    def _born(self, tid: int | None) -> Thread:
        births = self.survey.births.get(tid, []) if tid is not None else []
        if births and tid is not None:
            birth = births.pop(0)
            parent = self.threads.get(self.number(birth.parent))
            if parent is not None:
                return child(parent, tid, birth.shares)
        return Thread(
            tid=tid,
            pid=tid,
            files=Descriptors(),
            directory=Directory(self.survey.directory),
            memory=Memory[Opened](),
            older=True,
        )

    def number(self, tid: int | None) -> int | None:
        """Return whose a line without a number is: of the one thread there is, or of the first."""
        if tid is not None:
            return tid
        if len(self.threads) == 1:
            return next(iter(self.threads))
        return self.survey.first

    def forked(self, tid: int) -> None:
        """A clone returned *tid*, which may have been heard of already."""
        if not self.survey.births.get(tid):
            return  # it may even have ended by now: vfork(2) returns after that
        if tid in self.threads:
            self.ended(self.threads[tid], self.threads[tid].end_ns)  # its number is used again
        self.thread(tid)
        if tid not in self.survey.threads:
            self.stop(f"process {tid} was started and is not in the text: strace -f shows it")

    def executed(self, heard: Heard) -> None:
        """An exec succeeded: what is marked for it is closed, and memory is new."""
        thread = heard.thread
        for tid, other in list(self.threads.items()):
            if other is not thread and other.pid == thread.pid:
                self._unshare(other)
                del self.threads[tid]
        if thread.files.users > 1:
            thread.files.users -= 1
            thread.files = thread.files.copy()
        was, thread.memory = thread.memory, Memory[Opened]()
        for number in thread.files.numbers():
            entry = thread.files.get(number)
            if entry is not None and entry.cloexec:
                self.close(heard, number, note="closed by exec (O_CLOEXEC)", result=None)
        self._unmapped([one.of for one in was.mappings], heard.end_ns)

    def superseded(self, tid: int | None, thread: Thread) -> None:
        """A thread goes on with the number *tid* of its process, whose first thread is gone."""
        first = self.threads.pop(tid, None)
        if first is not None and first is not thread:
            self._unshare(first)
        self.threads.pop(thread.tid, None)
        thread.tid = tid
        self.threads[tid] = thread

    def _unshare(self, thread: Thread) -> None:
        if thread.files.users > 1:
            thread.files.users -= 1

    def ended(self, thread: Thread, now: int) -> None:
        """A thread is gone, and its files with it if nobody shares them."""
        self.threads.pop(thread.tid, None)
        thread.files.users -= 1
        if not thread.files.users:
            name = thread.exiting or "exit"
            heard = Heard(thread, name, [], words.Outcome("?", None, 0, None), now, now)
            for number in thread.files.numbers():
                self.close(heard, number, note=AT_EXIT, result=None)
        self._unmapped([one.of for one in thread.memory.mappings], now)

    def _unmapped(self, opens: list[Opened], now: int) -> None:
        for opened in opens:
            self.release(opened, now)

    def unmapped(self, thread: Thread, start: int, length: int, now: int) -> None:
        """Nothing is mapped there any more."""
        before = thread.memory.at(start, length)
        thread.memory.remove(start, length)
        self._unmapped(before, now)

    def close(self, heard: Heard, number: int, **fields: Any) -> None:
        """A descriptor is closed, by whatever call."""
        opened = heard.thread.files.take(number)
        if opened is not None:
            self.closed(heard, number, opened, **fields)

    def closed(self, heard: Heard, number: int, opened: Opened, **fields: Any) -> None:
        """A descriptor that stood for *opened* is gone."""
        if opened.file is not None and not opened.file.directory:
            known = {"errno": 0, "result": 0, "fd": number} | fields
            self.on(heard, opened, "close", **known)
        self.release(opened, heard.end_ns)

    def duplicate(self, heard: Heard, entry: Entry | None, number: int, *, cloexec: bool) -> None:
        """Descriptor *number* now stands for what *entry* does; None: for something else."""
        if entry is not None:
            heard.thread.files.put(number, entry.opened, cloexec=cloexec)
