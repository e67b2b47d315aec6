"""What is dirty, and which sync covers it: ``synced`` and the advice on syncs.

A sync covers a write when it succeeded and had started after the write ended. Any open of the file
will do: fsync(2) is about the file, not the descriptor.
"""

from errno import EINTR

from tracefs.contracts.page_write import text
from tracefs.contracts.page_write.report import FDATASYNC_SUFFICES, IDLE_SYNC, SYNCED, Reporter
from tracefs.contracts.page_write.state import File, Open
from tracefs.trace.call import Call


class Durability:
    """Judges syncs, and writes for want of one."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.last_sync: Call | None = None
        """The last successful sync of any file or directory."""
        self._flagged: dict[str, int] = {}

    def before_write(self, file: File, opened: Open, call: Call) -> None:
        """*call* writes *file*, and not as a retry: what was written before must be synced."""
        if file.dirty is not None:
            if file.closed is not None and file.writer is not opened:
                self._report(file.dirty, text.closed(file.closed), file.elsewhere, file.early)
            else:
                then = text.next_write(call)
                # Two requests whose caller is not known may be pieces of one call.
                pieces = file.dirty.call == call.call == "unknown"
                self._report(
                    file.dirty, then, self._elsewhere(file), file.early, certain=not pieces
                )
            forget(file)
        elif file.covered is not None and call.start_ns < file.sync_end:
            self._report(file.covered, text.overlapping(call), None, None)
            file.covered = None

    def after_write(self, file: File, opened: Open, call: Call) -> None:
        """*call* wrote at least one byte."""
        forget(file)
        if call.synced_by is None:
            file.dirty, file.writer = call, opened
        else:
            file.changed = True
            self._flagged[call.synced_by] = self._flagged.get(call.synced_by, 0) + 1

    def closes(self, file: File, opened: Open, call: Call) -> None:
        """One descriptor of *opened* is closed; whether it was the last shows later."""
        if file.dirty is not None and file.writer is opened:
            file.closed = call
            file.elsewhere = self._elsewhere(file)

    def syncs(self, file: File, opened: Open | None, call: Call) -> None:
        """*call* syncs *file*, through *opened* when that is judged."""
        if not call.done:
            self._failed(file, call)
            return
        self.last_sync = call
        dirty = file.dirty
        if dirty is None:
            if opened is not None:
                self._advise(file, call)
        elif call.start_ns < dirty.end_ns:
            file.early = call
            return
        else:
            if file.closed is not None and file.writer is not opened and file.writer is not None:
                file.writer.suspect = (dirty, file.closed, file.elsewhere)
            if opened is not None:
                self._advise(file, call)
            file.covered, file.sync_end = dirty, call.end_ns
        forget(file)
        file.changed = file.resized = False
        file.attributes = file.attributes and call.datasync

    def half_syncs(self, file: File, call: Call) -> None:
        """*call*, sync_file_range or a sync of the whole filesystem, may come after a write."""
        if file.dirty is not None and call.done:
            file.early = call

    def ends(self, file: File, opened: Open, *, released: bool, cut: str | None) -> None:
        """*opened* is released, or the trace ends with it.

        Args:
            file: The file of *opened*.
            opened: The open.
            released: Whether it was released: then the last close that was seen was the last.
            cut: For an open that was not, in a trace that was cut short: says so. The sync, or a
                later close, may then be missing from the trace, and nothing is certain.
        """
        if opened.suspect is not None:
            write, close, elsewhere = opened.suspect
            then = cut or text.closed(close)
            self._report(write, then, elsewhere, None, certain=cut is None)
        if file.dirty is None or file.writer is not opened:
            return
        if released or file.closed is not None:
            then, elsewhere = text.closed(file.closed), file.elsewhere
        else:
            then, elsewhere = text.ENDED, self._elsewhere(file)
        self._report(file.dirty, cut or then, elsewhere, file.early, certain=cut is None)
        forget(file)
        file.changed = True

    def evidence(self) -> str | None:
        """Return which flags synced writes, beside calls; None when none did."""
        if not self._flagged:
            return None
        counted = (f"{flag} ({self._flagged[flag]})" for flag in sorted(self._flagged))
        return f"sync calls, and flags seen to take effect on writes: {', '.join(counted)}"

    def _failed(self, file: File, call: Call) -> None:
        # An interrupted sync has lost nothing; the program may simply call it again.
        if call.errno == EINTR:
            return
        if file.dirty is not None:
            size = self._reporter.page_size
            self._reporter.broken(SYNCED, call, text.sync_failed, file.dirty, size, at=file.dirty)
            forget(file)
        file.changed = True

    def _advise(self, file: File, call: Call) -> None:
        if file.dirty is None and not file.changed and not file.attributes:
            self._reporter.advice(IDLE_SYNC, call, text.idle_sync)
        elif call.call == "fsync" and not file.resized and not file.attributes:
            self._reporter.advice(FDATASYNC_SUFFICES, call, text.fsync_of_same_size)

    def _elsewhere(self, file: File) -> Call | None:
        """Return the last sync if it came after the dirty write and was on another file."""
        last, dirty = self.last_sync, file.dirty
        if last is None or dirty is None or last.path is None or last.ino == file.ino:
            return None
        return last if last.index > dirty.index and last.tid == dirty.tid else None

    def _report(
        self,
        write: Call,
        then: str,
        elsewhere: Call | None,
        early: Call | None,
        *,
        certain: bool = True,
    ) -> None:
        report = self._reporter.broken if certain else self._reporter.unknown
        report(SYNCED, write, text.not_synced, self._reporter.page_size, then, elsewhere, early)


def forget(file: File) -> None:
    """Nothing written to *file* waits for a sync any more, or its want was reported."""
    file.dirty = file.writer = file.closed = file.elsewhere = file.early = None
