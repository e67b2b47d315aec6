"""Writing a recording: what a program was told, the journal already has."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from tracefs.errors import RecordingError
from tracefs.events import AnyEvent, Footer, Header
from tracefs.journal import lock, start_writer
from tracefs.journal.appender import UNWRITABLE, why_lost
from tracefs.journal.format import JOURNAL, KEPT, PAYLOAD, encode
from tracefs.journal.payload import PayloadWriter
from tracefs.journal.start import Entry, Head
from tracefs.journal.start_writer import StartWriter
from tracefs.pathtext import to_text

CHECK_EVERY: Final = 1024
"""Events between two looks at whether the files are still linked; a power of two."""

_BLOCK: Final = 1 << 20

T = TypeVar("T")

Walk: TypeAlias = Callable[[], tuple[Head, Iterable[Entry]]]
"""Looks at the traced directory as it is now; OSError: it can't be."""


class JournalWriter:
    """One recording in the making; used by one thread.

    After the constructor nothing raises and no path is walked: only descriptors are used, so the
    journal can be written by a server whose mount covers the folder's parents. The first failure
    ends journalling for good: *on_failure* is called once with a one-line reason, `failed` holds
    it, and the journal never gets a footer. A line that was torn by the failure stays as it is.

    Args:
        folder: the recording; made with mode 0700, or an empty directory that exists.
        header: first line.
        payload: also make ``payload.bin``.
        walk: tells the starting tree, which is to be kept, too; None: none is.
        shared: others append lines too, through `descriptor` or in another process
            (`tracefs.journal.appender`); they have ended when `close` is called.
        on_failure: told the reason; must not raise.

    Raises:
        RecordingError: the folder can't be made or is not empty, or the header can't be written.
    """

    def __init__(
        self,
        folder: Path,
        header: Header,
        *,
        payload: bool = False,
        walk: Walk | None = None,
        shared: bool = False,
        on_failure: Callable[[str], None],
    ) -> None:
        self.folder = folder
        self.events = 0
        """Lines written after the header; by others too, once a shared journal is closed."""
        self.failed: str | None = None
        """Why journalling stopped; None: it didn't."""
        self._on_failure = on_failure
        self._hash = hashlib.sha256()
        self._shared = shared
        self._payload: PayloadWriter | None = None
        self._keeps_payload = payload
        self._walk = walk
        self.start: StartWriter | None = None
        """The starting tree; None: none is kept, or no longer."""
        made = _make_folder(folder)
        self.descriptor = _create(folder / JOURNAL)
        """Of the journal, with O_APPEND; -1: journalling has stopped."""
        self._recording = True
        lock.hold(self.descriptor)
        try:
            if payload:
                self._payload = PayloadWriter(_create(folder / PAYLOAD))
            self._begin(header)
            if walk is not None:
                self.start = StartWriter(folder, *walk())
        except (RecordingError, *UNWRITABLE) as error:
            self._close_files()
            _discard(folder, made)
            if isinstance(error, RecordingError):
                raise
            raise RecordingError(
                f"cannot record into {_name(folder)}: {why_lost(error)}"
            ) from error

    def event(self, event: AnyEvent) -> None:
        """Append *event* with one write(2); does nothing once journalling has stopped."""
        if not self._recording:
            return
        # `_append` written out: this runs once for each request, while the program waits.
        try:
            line = encode(event) + b"\n"
            written = os.write(self.descriptor, line)
        except UNWRITABLE as error:
            self._fail(f"{JOURNAL}: {why_lost(error)}")
            return
        if written != len(line):
            self._fail(_short(JOURNAL, written, len(line)))
            return
        if not self._shared:
            self._hash.update(line)
        self.events += 1
        if self._payload is not None:
            self._check_payload(self._payload)
        if not self.events % CHECK_EVERY:
            self.check_linked()

    def payload(self, data: bytes, length: int | None = None) -> int | None:
        """Have the first *length* bytes of *data* appended to the side file; None: all of them.

        They may come to be there after the line that refers to them; a footer is only written once
        they are.

        Returns:
            Their offset in bytes; None when they are not kept, because journalling has stopped or
            no payload was asked for.
        """
        if not self._recording or self._payload is None:
            return None
        try:
            return self._payload.keep(data, len(data) if length is None else length)
        except UNWRITABLE as error:
            self._fail(f"{PAYLOAD}: {why_lost(error)}")
            return None

    def keep_begin(self, ino: int) -> int | None:
        """Return a descriptor of an empty file for what *ino* held at the start; None: no longer.

        *ino* is among the files of `start` that nothing was kept of yet.
        """
        return self._start_does(ino, lambda start: start.begin(ino))

    def keep_end(self, ino: int, failed: Exception | None) -> None:
        """Take note that all of it is there, or why it could not be had: that ends journalling."""
        if failed is not None and self._recording:
            self._fail(f"{KEPT}/{ino}: {why_lost(failed)}")
        self._start_does(ino, lambda start: start.kept(ino))

    def _start_does(self, ino: int, call: Callable[[StartWriter], T]) -> T | None:
        if self.start is None:
            return None
        try:
            return call(self.start)
        except OSError as error:
            self._fail(f"{KEPT}/{ino}: {why_lost(error)}")
            return None

    def settle(self) -> None:
        """Wait until the bytes that lines name are in the side file."""
        if self._recording and self._payload is not None:
            try:
                self._payload.settle()
            except OSError as why:
                self._fail(f"{PAYLOAD}: {why_lost(why)}")

    def close(
        self, end_ns: int, reason: str, *, status: int | None = None, pid: int | None = None
    ) -> None:
        """End the recording with a footer, unless journalling has stopped; may be called again.

        Waits until the bytes written are in the side file.

        Args:
            end_ns: CLOCK_MONOTONIC nanoseconds when the mount ended.
            reason: as in `Footer`.
            status: How the command ended, as in `Footer`.
            pid: Its process id, likewise.
        """
        if not self._recording or not self.check_linked():
            return
        try:
            kept = None if self._payload is None else self._payload.finish()
        except OSError as why:
            self._fail(f"{PAYLOAD}: {why_lost(why)}")
            return
        if self._shared:
            try:
                self._count_all()
            except OSError as why:
                self._fail(f"{JOURNAL}: {why_lost(why)}")
                return
        footer = Footer(
            events=self.events,
            sha256=self._hash.hexdigest(),
            end_ns=end_ns,
            reason=reason,
            payload_size=None if kept is None else kept.size,
            payload_sha256=None if kept is None else kept.sha256,
            status=status,
            pid=pid,
        )
        if not self._append(self.descriptor, JOURNAL, encode(footer) + b"\n"):
            return
        error = self._close_files()
        if error is not None:
            self._fail(f"{JOURNAL}: {why_lost(error)}")

    def succeed(self, folder: Path, header: Header) -> "JournalWriter":
        """Begin another recording, into which everything goes from now on.

        Whatever has `descriptor` is to ask for it anew. That journalling has stopped before ends
        with this, too.

        Returns:
            The recording so far, which may be closed in any thread.

        Raises:
            RecordingError: the other one can't be begun; the one so far goes on.
        """
        other = JournalWriter(
            folder,
            header,
            payload=self._keeps_payload,
            walk=self._walk,
            shared=self._shared,
            on_failure=self._on_failure,
        )
        self.folder, other.folder = other.folder, self.folder
        self.events, other.events = other.events, self.events
        self.failed, other.failed = other.failed, self.failed
        self._hash, other._hash = other._hash, self._hash
        self._payload, other._payload = other._payload, self._payload
        self.start, other.start = other.start, self.start
        self._recording, other._recording = other._recording, self._recording
        self.descriptor, other.descriptor = other.descriptor, self.descriptor
        return other

    def stop(self, reason: str) -> None:
        """End journalling for good, as a failure does."""
        if self._recording:
            self._fail(reason)

    def torn(self, written: int, length: int, error: int) -> None:
        """End journalling, since of another's line *written* bytes alone are there, or none.

        Args:
            written: what write(2) returned.
            length: of the line, in bytes.
            error: its error number; 0: none.
        """
        if error:
            self.stop(f"{JOURNAL}: {os.strerror(error)}")
        else:
            self.stop(_short(JOURNAL, written, length))

    def _count_all(self) -> None:
        """Count and hash what is in the file, by whomever."""
        self._hash = hashlib.sha256()
        lines = offset = 0
        while block := os.pread(self.descriptor, _BLOCK, offset):
            self._hash.update(block)
            lines += block.count(b"\n")
            offset += len(block)
        self.events = lines - 1

    def _begin(self, header: Header) -> None:
        """Write the first line; raise what went wrong."""
        line = encode(header) + b"\n"
        written = os.write(self.descriptor, line)
        if written != len(line):
            raise RecordingError(
                f"cannot record into {_name(self.folder)}: {_short(JOURNAL, written, len(line))}"
            )
        if not os.fstat(self.descriptor).st_nlink:
            raise RecordingError(f"{_name(self.folder)} was deleted while it was made")
        self._hash.update(line)

    def _append(self, descriptor: int, file: str, data: bytes) -> bool:
        try:
            written = os.write(descriptor, data)
        except OSError as error:
            self._fail(f"{file}: {why_lost(error)}")
            return False
        if written != len(data):
            self._fail(_short(file, written, len(data)))
            return False
        return True

    def _check_payload(self, payload: PayloadWriter) -> None:
        try:
            payload.check()
        except OSError as error:
            self._fail(f"{PAYLOAD}: {why_lost(error)}")

    def check_linked(self) -> bool:
        """Return whether the files are still there, else end journalling.

        Writing to a deleted file succeeds; only its link count tells.
        """
        payload = -1 if self._payload is None else self._payload.fd
        for descriptor, file in ((self.descriptor, JOURNAL), (payload, PAYLOAD)):
            try:
                if descriptor >= 0 and not os.fstat(descriptor).st_nlink:
                    self._fail(f"{file}: it was deleted")
                    return False
            except OSError as error:
                self._fail(f"{file}: {why_lost(error)}")
                return False
        return True

    def _fail(self, reason: str) -> None:
        self.failed = reason
        if self._shared:
            with contextlib.suppress(OSError):
                self._count_all()
        self._close_files()
        self._on_failure(reason)

    def _close_files(self) -> OSError | None:
        self._recording = False
        journal, payload = self.descriptor, self._payload
        self.descriptor, self._payload = -1, None
        failure = None
        if self.start is not None:
            self.start.close()
            self.start = None
        try:
            if journal >= 0:
                os.close(journal)
        except OSError as error:
            failure = error
        try:
            if payload is not None:
                payload.close()
        except OSError as error:
            failure = error
        return failure


def _make_folder(folder: Path) -> bool:
    """Make *folder*, or find it empty; return whether it was made."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        _require_empty(folder)
        return False
    except OSError as error:
        raise RecordingError(f"cannot make {_name(folder)}: {why_lost(error)}") from error
    return True


def _discard(folder: Path, made: bool) -> None:
    """Take back a recording that never began."""
    with contextlib.suppress(OSError):
        (folder / JOURNAL).unlink(missing_ok=True)
        (folder / PAYLOAD).unlink(missing_ok=True)
        start_writer.discard(folder)
        if made:
            folder.rmdir()


def _require_empty(folder: Path) -> None:
    try:
        with os.scandir(folder) as entries:
            empty = next(entries, None) is None
    except OSError as error:
        raise RecordingError(f"cannot record into {_name(folder)}: {why_lost(error)}") from error
    if not empty:
        raise RecordingError(
            f"cannot record into {_name(folder)}: it exists and is not empty",
            repair="Name a new folder, or delete this one.",
        )


def _create(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise RecordingError(f"cannot make {_name(path)}: {why_lost(error)}") from error


def _short(file: str, written: int, length: int) -> str:
    return f"{file}: only {written} of {length} bytes were written; is the disk full?"


def _name(path: Path) -> str:
    return to_text(os.fsencode(path))
