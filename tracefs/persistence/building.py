"""The events of a journal become a history."""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from tracefs import events
from tracefs.crashes import Blind
from tracefs.errors import RecordingError
from tracefs.events import PRETENDED, AnyEvent, is_pretended
from tracefs.pathtext import to_bytes
from tracefs.persistence.changes import Changes
from tracefs.persistence.history import Attribute, Entry, File, History, Step, StepKind, Sync
from tracefs.persistence.living import Living, Starting

ACK: Final = b".ack:"
"""How the name of a directory begins that is an acknowledgement and never made."""
EINTR: Final = 4
EEXIST: Final = 17
_SETID: Final = stat.S_ISUID | stat.S_ISGID
_KEEP_SIZE: Final = 0x01
_PUNCH_HOLE: Final = 0x02
_ZERO_RANGE: Final = 0x10
_RENAME_NOREPLACE: Final = 1 << 0
_RENAME_EXCHANGE: Final = 2


class WholeSync(Protocol):
    """A sync of everything, which no filesystem request tells of."""

    @property
    def call(self) -> int:
        """Index of the call."""

    @property
    def start_ns(self) -> int:
        """When it was heard of."""

    @property
    def tid(self) -> int:
        """Thread that called it; it is over by this thread's next line."""


def build(
    start: Iterable[Starting],
    journal: Iterable[AnyEvent],
    call_of: Callable[[AnyEvent], int | None],
    whole_syncs: Iterable[WholeSync] = (),
) -> History:
    """Return the history that *journal* tells of, on the tree *start*.

    Args:
        start: every file as it was when the recording began.
        journal: events in order.
        call_of: index of the call behind an event.
        whole_syncs: calls of sync(2) and syncfs(2), in order.

    Raises:
        RecordingError: the journal is of another tree.
    """
    builder = _Builder(Living(start), call_of, list(whole_syncs))
    for event in journal:
        builder.take(event)
    return builder.history()


class _Builder:
    """One pass over a journal."""

    def __init__(
        self,
        living: Living,
        call_of: Callable[[AnyEvent], int | None],
        whole_syncs: list[WholeSync],
    ) -> None:
        self._living = living
        self._call_of = call_of
        self._waiting = whole_syncs[::-1]
        self._under_way: dict[int, WholeSync] = {}
        self._steps: list[Step] = []
        self._changes = Changes(living)
        self._blind: Counter[tuple[str, str | None, str]] = Counter()
        self._take: dict[type, Callable[[Any], None]] = {
            events.Open: self._open,
            events.Create: self._create,
            events.Release: self._release,
            events.Write: self._write,
            events.Copy: self._copy,
            events.Fallocate: self._fallocate,
            events.Setattr: self._setattr,
            events.Setxattr: self._xattr,
            events.Removexattr: self._xattr,
            events.Mknod: self._make,
            events.Mkdir: self._make,
            events.Symlink: self._make,
            events.Link: self._link,
            events.Unlink: self._remove,
            events.Rmdir: self._remove,
            events.Rename: self._rename,
            events.Fsync: self._sync,
            events.Fsyncdir: self._sync,
            events.Mark: self._mark,
        }

    def take(self, event: AnyEvent) -> None:
        """Take the next event."""
        if self._waiting or self._under_way:
            self._whole(event)
        handler = self._take.get(type(event))
        if handler is None:
            return
        if isinstance(event, events.Mkdir) and event.errno == EEXIST and self._is_ack(event):
            return
        asks_sync = isinstance(event, (events.Fsync, events.Fsyncdir))
        if event.errno and not asks_sync:
            # Set-id bits go before a write, and are gone though the write then fails.
            self._left_mode(event)
            return
        if event.injected and is_pretended(event.injected) and not asks_sync:
            return
        handler(event)

    def history(self) -> History:
        """Return what all events came to."""
        return History(
            steps=tuple(self._steps),
            atoms=tuple(self._changes.atoms),
            files=self._living.files,
            root=self._living.root,
            names=self._living.start_names,
            blind=tuple(
                Blind(kind=kind, path=path, count=count, reason=reason)
                for (kind, path, reason), count in self._blind.items()
            ),
        )

    # -- what makes no change

    def _is_ack(self, event: events.Mkdir) -> bool:
        name = to_bytes(event.path).rpartition(b"/")[2]
        if not name.startswith(ACK):
            return False
        self._ack(event, event.path.rpartition("/")[2][len(ACK) :])
        return True

    def _mark(self, event: events.Mark) -> None:
        if getattr(event, "ack", False):
            self._ack(event, event.text)

    def _ack(self, event: AnyEvent, text: str) -> None:
        self._step(event, StepKind.ACK, ack=text)

    def _whole(self, event: AnyEvent) -> None:
        """Let syncs of everything begin and end: each is over by its thread's next line."""
        ended = self._under_way.pop(event.tid, None)
        if ended is not None and event.start_ns > ended.start_ns:
            self._steps.append(
                Step(
                    number=len(self._steps), kind=StepKind.SYNC, start_ns=ended.start_ns,
                    end_ns=event.start_ns, call=ended.call, sync=Sync(None),
                )
            )  # fmt: skip
        while self._waiting and self._waiting[-1].start_ns <= event.start_ns:
            began = self._waiting.pop()
            if began.tid != event.tid or began.start_ns == event.start_ns:
                self._under_way[began.tid] = began

    def _sync(self, event: events.Fsync | events.Fsyncdir) -> None:
        if event.errno == EINTR or any(one.kind == PRETENDED for one in event.injected):
            return  # it was not done, and has lost nothing either
        file = self._living.file(event.ino, getattr(event, "path", None))
        failed = bool(event.errno) or is_pretended(event.injected)
        sync = Sync(file, data_only=event.datasync, failed=failed)
        self._step(event, StepKind.SYNC, path=self._living.path(file), sync=sync)

    def _copy(self, event: events.Copy) -> None:
        self._unseen("copy", self._living.file(event.ino, None), "what was copied is not recorded")

    def _release(self, event: events.Release) -> None:
        self._living.closed(event.fh)

    # -- what does

    def _open(self, event: events.Open) -> None:
        file = self._living.file(event.ino, event.path)
        self._living.opened(event.fh, file)
        if event.flags & os.O_TRUNC:
            self._truncate(event, file, 0)
        self._left_mode(event)

    def _create(self, event: events.Create) -> None:
        if event.existed:
            file = self._living.file(event.ino, event.path)
            self._living.opened(event.fh, file)
            if event.flags & os.O_TRUNC:
                self._truncate(event, file, 0)
            return
        self._make(event)
        self._living.opened(event.fh, self._living.file(event.ino, None))

    def _make(self, event: events.Create | events.Mknod | events.Mkdir | events.Symlink) -> None:
        kinds = {events.Create: stat.S_IFREG, events.Mkdir: stat.S_IFDIR}
        kind = kinds.get(type(event), stat.S_IFLNK | 0o777)
        mode = getattr(event, "mode", 0)
        file = self._living.made(
            event.ino,
            lambda number: File(
                number=number,
                ino=event.ino,
                mode=mode if isinstance(event, events.Mknod) else kind | mode,
                uid=event.uid or 0,
                gid=event.gid or 0,
                target=getattr(event, "target", None),
                rdev=getattr(event, "rdev", 0),
            ),
        )
        if isinstance(event, events.Create) and event.flags & os.O_TMPFILE == os.O_TMPFILE:
            return
        directory, name = self._living.place(event.path)
        entry = Entry(directory, name, file, 0)
        self._change(event, event.path, lambda: self._changes.names((entry,), file, creates=True))

    def _link(self, event: events.Link) -> None:
        file = self._living.file(event.ino, event.old)
        directory, name = self._living.place(event.path)
        entry = Entry(directory, name, file, 0)
        self._change(event, event.path, lambda: self._changes.names((entry,), file))

    def _remove(self, event: events.Unlink | events.Rmdir) -> None:
        directory, name = self._living.place(event.path)
        file = self._living.named(directory, name)
        entry = Entry(directory, name, 0, file)
        self._change(event, event.path, lambda: self._changes.names((entry,), file))

    def _rename(self, event: events.Rename) -> None:
        old_directory, old = self._living.place(event.old)
        directory, name = self._living.place(event.path)
        moved = self._living.named(old_directory, old)
        there = self._living.named(directory, name)
        if event.flags & ~(_RENAME_NOREPLACE | _RENAME_EXCHANGE):
            self._unseen("rename", moved, "a rename that leaves a whiteout")
        if (old_directory, old) == (directory, name) or moved == there != 0:
            return  # two names of one file: rename(2) does nothing
        exchanged = there if event.flags & _RENAME_EXCHANGE else 0
        entries = (
            Entry(directory, name, moved, there),
            Entry(old_directory, old, exchanged, moved),
        )
        apart = old_directory != directory and not exchanged
        self._change(
            event,
            event.path,
            lambda: self._changes.names(
                entries, moved, replaces=bool(there) and not exchanged, apart=apart
            ),
        )

    def _write(self, event: events.Write) -> None:
        file = self._living.file(event.ino, None)
        if event.cached:
            self._unseen(
                "mapped stores",
                file,
                "a store through a mapping is heard of when the kernel writes its page back",
            )
        self._left_mode(event)
        if not event.result:
            return
        if event.payload is None:
            raise RecordingError(
                "the recording has no bytes of what was written", repair="record with --payload"
            )
        grown = max(self._living.size(file), event.offset + event.result)

        def changed() -> None:
            self._changes.data(file, event.offset, event.result, event.payload)
            if grown > self._living.size(file):
                self._changes.grow(file, grown, event.offset)

        self._change(event, self._living.path(file), changed)

    def _truncate(self, event: AnyEvent, file: int, size: int) -> None:
        if size == self._living.size(file):
            return
        self._change(
            event, self._living.path(file), lambda: self._changes.size(file, size, logged=True)
        )

    def _fallocate(self, event: events.Fallocate) -> None:
        file = self._living.file(event.ino, None)
        mode, end = event.mode, event.offset + event.size
        if mode & ~(_KEEP_SIZE | _PUNCH_HOLE | _ZERO_RANGE):
            self._unseen("fallocate", file, "bytes were moved or unshared, which is not modelled")
            return
        grows = end > self._living.size(file) and not mode & _KEEP_SIZE
        zeros = min(end, self._living.size(file)) - event.offset if mode & ~_KEEP_SIZE else 0

        def changed() -> None:
            if zeros > 0:
                self._changes.data(file, event.offset, zeros, None)
            if grows:
                self._changes.size(file, end, logged=True)

        if grows or zeros > 0:
            self._change(event, self._living.path(file), changed)
        if event.synced:
            self._step(
                event, StepKind.SYNC, path=self._living.path(file), sync=Sync(file), own=True
            )

    def _setattr(self, event: events.Setattr) -> None:
        file = self._living.file(event.ino, event.path)
        if event.size is not None:
            self._truncate(event, file, event.size)
        self._left_mode(event)
        wanted = {"uid": event.uid, "gid": event.gid, "mode": event.mode}
        known = self._living.files[file]
        if (event.uid, event.gid) != (None, None) and event.mode is None:
            mode = self._changes.mode(file)
            if stat.S_ISREG(known.mode) and mode & _SETID:
                wanted["mode"] = mode & ~_SETID  # chown(2)
        set_now = [
            Attribute(name, number=value) for name, value in wanted.items() if value is not None
        ]
        if set_now:
            self._change(event, event.path, lambda: self._changes.attributes(file, set_now))

    def _xattr(self, event: events.Setxattr | events.Removexattr) -> None:
        file = self._living.file(event.ino, event.path)
        name = f"xattr:{event.name}"
        if isinstance(event, events.Setxattr):
            attribute = Attribute(name, payload=event.payload, length=event.size)
            self._left_mode(event)
        else:
            attribute = Attribute(name, gone=True)
        self._change(event, event.path, lambda: self._changes.attributes(file, [attribute]))

    def _left_mode(self, event: AnyEvent) -> None:
        mode = getattr(event, "left_mode", None)
        if mode is None:
            return
        file = self._living.file(getattr(event, "ino", 0), getattr(event, "path", None))
        attribute = Attribute("mode", number=mode)
        self._change(
            event, self._living.path(file), lambda: self._changes.attributes(file, [attribute])
        )

    # -- helpers

    def _change(self, event: AnyEvent, path: str | None, make: Callable[[], None]) -> None:
        """Add a step whose atoms *make* adds."""
        first = len(self._changes.atoms)
        self._changes.step = len(self._steps)
        make()
        self._step(event, StepKind.CHANGE, path=path, first=first)

    def _step(
        self,
        event: AnyEvent,
        kind: StepKind,
        *,
        path: str | None = None,
        first: int | None = None,
        sync: Sync | None = None,
        ack: str | None = None,
        own: bool = False,
    ) -> None:
        stop = len(self._changes.atoms)
        self._steps.append(
            Step(
                number=len(self._steps),
                kind=kind,
                # What an implied sync is to cover has ended when the call began to sync.
                start_ns=event.end_ns if own else event.start_ns,
                end_ns=event.end_ns,
                call=self._call_of(event),
                path=path,
                first=stop if first is None else first,
                stop=stop,
                sync=sync,
                ack=ack,
            )
        )

    def _unseen(self, kind: str, file: int, reason: str) -> None:
        # Of a file that is gone pages are written back late: what it was is known by its last name.
        self._blind[kind, self._living.last_path(file), reason] += 1
