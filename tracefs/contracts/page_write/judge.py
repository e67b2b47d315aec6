"""The judge of ``page-write``: follows opens and files through a trace, once.

Calls come by the hundred thousand and nearly all of them are a correct pwrite64 or fdatasync.
`_write` and `_sync` settle these with a few comparisons; whatever differs in anything takes the
long way. Both ways leave the same state behind, and a test holds them to it.
"""

from collections.abc import Callable

from tracefs.contracts.base import Settings
from tracefs.contracts.page_write import text, writes
from tracefs.contracts.page_write.directories import NewNames
from tracefs.contracts.page_write.durability import Durability
from tracefs.contracts.page_write.flags import judge_flags, judge_late_append
from tracefs.contracts.page_write.opens import OpenFiles
from tracefs.contracts.page_write.position import Positions
from tracefs.contracts.page_write.report import ID, NO_SEEK, OPEN_FLAGS, SYNCED, Reporter
from tracefs.contracts.page_write.state import File, Open
from tracefs.events import Header
from tracefs.findings import ContractResult
from tracefs.trace.call import Call, Released, TraceItem

_Handler = Callable[[Call], None]


class PageWriteJudge:
    """Judges one trace; memory is constant for each file and open."""

    def __init__(self, header: Header, settings: Settings) -> None:
        self._settings = settings
        self._page_size = settings.page_size
        self._reporter = Reporter(settings)
        self._durability = Durability(self._reporter)
        self._names = NewNames()
        self._open_files = OpenFiles(settings, self._names)
        self._opens = self._open_files.by_handle
        self._files = self._open_files.by_ino
        self._written = False
        self._positions = Positions(
            self._reporter, by_lseek=hears_seeks(header), witness=header.witness
        )
        self._handlers: dict[str, _Handler] = {
            "write": self._write,
            "sync": self._sync,
            "open": self._open,
            "close": self._close,
            "truncate": self._truncate,
            "allocate": self._allocate,
            "attr": self._attribute,
            "xattr": self._attribute,
            "syncdir": self._sync_elsewhere,
            "rename": self._names.renamed,
            "unlink": self._names.removed,
            "seek": self._seek,
            "range": self._half_sync,
            "syncfs": self._half_sync,
        }

    def feed(self, item: TraceItem, /) -> None:
        """Take the next call or release."""
        if isinstance(item, Released):
            self._release(item)
            return
        handler = self._handlers.get(item.family)
        if handler is not None:
            handler(item)

    def finish(self, *, complete: bool, why: str | None) -> ContractResult:
        """Judge what is still open or dirty, and return the result."""
        cut = None if complete else text.cut_short(why)
        for opened in self._open_files.remaining():
            self._end(opened, released=False, cut=cut)
        for name in self._names.outstanding():
            self._reporter.name_not_durable(name, complete=complete)
        if not self._written:
            self._reporter.nothing_written()
        return ContractResult(
            id=ID,
            verdict=self._reporter.verdict,
            findings=self._reporter.findings(),
            evidence=self._evidence(complete=complete),
            without=self._settings.without,
        )

    # Writes

    def _write(self, call: Call) -> None:
        opened = self._opens.get(call.handle)
        if opened is None or call.call == "mmap":
            self._stray_write(call)
            return
        file = opened.file
        offset = call.offset
        if (
            offset is not None
            and call.call == "pwrite64"
            and call.result == self._page_size == call.length
            and not offset % self._page_size
            and call.position == opened.expected
            and file.dirty is None
            and call.start_ns >= file.sync_end
            and opened.short is None
            and opened.suspect is None
            and call.synced_by is None
            and call.note is None
            and not call.injected
        ):
            file.dirty, file.writer = call, opened
            file.written = opened.wrote = opened.looked = True
            if offset + self._page_size > file.size:
                file.extend(call)
            return
        self._judge_write(opened, call)

    def _judge_write(self, opened: Open, call: Call) -> None:
        file = opened.file
        opened.suspect = None
        if writes.is_fallocate(call):
            file.touch(call)
            return
        judge_late_append(self._reporter, opened, call)
        writes.judge_name(self._reporter, call)
        retry = writes.take_up(self._reporter, opened, call)
        if retry is not writes.REST:
            writes.judge_shape(self._reporter, call)
        self._positions.look(opened, call)
        self._positions.write_done(opened, call)
        if retry is writes.NO:
            self._durability.before_write(file, opened, call)
        writes.judge_result(self._reporter, opened, call, retry)
        if call.result == 0 or call.at_end or not call.done:
            file.changed = True
            return
        self._durability.after_write(file, opened, call)
        opened.wrote = file.written = True
        file.extend(call)

    def _stray_write(self, call: Call) -> None:
        """A write through a mapping, or through an open that is not judged or was not seen."""
        file = self._files.get(call.ino)
        if call.call == "mmap":
            self._mapped(file, call)
        elif not self._open_files.ignores(call):
            opened, new = self._open_files.unseen(call)
            if new:
                self._reporter.unknown(OPEN_FLAGS, call, text.open_unseen, self._page_size)
            self._judge_write(opened, call)
        elif file is not None:
            file.touch(call)

    def _mapped(self, file: File | None, call: Call) -> None:
        """A store; when and how much was stored is not known, the kernel cut it into pages."""
        if file is not None:
            file.touch(call)
            file.written = True
        elif self._open_files.ignores(call):
            return
        writes.judge_name(self._reporter, call)
        self._written = True

    # Syncs

    def _sync(self, call: Call) -> None:
        file = self._files.get(call.ino)
        if file is None:
            self._sync_elsewhere(call)
            return
        opened = self._opens.get(call.handle)
        dirty = file.dirty
        if (
            opened is not None
            and dirty is not None
            and call.call == "fdatasync"
            and not call.errno
            and call.start_ns >= dirty.end_ns
            and call.position == opened.expected
            and file.closed is None
            and opened.short is None
            and opened.suspect is None
            and not call.injected
        ):
            file.dirty = file.writer = file.early = None
            file.covered = dirty
            file.sync_end = call.end_ns
            file.changed = file.resized = False
            self._durability.last_sync = call
            return
        if opened is not None:
            opened.suspect = None
            writes.pass_over(self._reporter, opened, call)
            self._positions.look(opened, call)
        self._durability.syncs(file, opened, call)

    def _half_sync(self, call: Call) -> None:
        """sync_file_range of a file, or a sync of them all."""
        one = None if call.family == "syncfs" else self._files.get(call.ino)
        files = self._files.values() if call.family == "syncfs" else filter(None, [one])
        for file in files:
            self._durability.half_syncs(file, call)

    def _sync_elsewhere(self, call: Call) -> None:
        """A sync of a directory, or of a file that nobody has open for writing."""
        if call.done:
            self._durability.last_sync = call
        if call.family == "syncdir":
            self._names.synced(call)

    # Opens, from their first call to their last

    def _open(self, call: Call) -> None:
        if not call.done or call.handle is None:
            return
        opened = self._open_files.open(call, position=self._positions.at_open)
        if opened is not None:
            judge_flags(self._reporter, call)

    def _close(self, call: Call) -> None:
        opened = self._opens.get(call.handle)
        if opened is not None:
            opened.suspect = None
            self._durability.closes(opened.file, opened, call)

    def _seek(self, call: Call) -> None:
        opened = self._opens.get(call.handle)
        if opened is not None:
            self._positions.sought(opened, call)
        elif call.call == "unknown":
            self._positions.sought(None, call)
        elif call.handle is None and call.writable and call.ino in self._files:
            # One of several opens for writing, and all of them are judged.
            self._positions.sought(None, call)

    def _release(self, released: Released) -> None:
        opened = self._opens.pop(released.handle, None)
        if opened is None:
            return
        self._end(opened, released=True, cut=None)
        self._open_files.forget(opened.file)

    def _end(self, opened: Open, *, released: bool, cut: str | None) -> None:
        self._durability.ends(opened.file, opened, released=released, cut=cut)
        self._written = self._written or opened.wrote
        self._positions.ends(opened)

    # What else changes a file

    def _truncate(self, call: Call) -> None:
        file = self._files.get(call.ino)
        if file is None or not call.done:
            return
        file.resize(call.length)

    def _allocate(self, call: Call) -> None:
        file = self._files.get(call.ino)
        if file is not None and call.done:
            file.allocate(call)

    def _attribute(self, call: Call) -> None:
        file = self._files.get(call.ino)
        if file is not None and call.done:
            file.attributes = True

    def _evidence(self, *, complete: bool) -> dict[str, str]:
        found = {
            NO_SEEK: self._positions.evidence(complete=complete),
            SYNCED: self._durability.evidence(),
        }
        left_out = self._settings.without
        return {rule: said for rule, said in found.items() if said and rule not in left_out}


def hears_seeks(header: Header) -> bool:
    """Return whether nobody could seek on the mount without a notice of it."""
    return "lseek" in header.notified and not header.visible
