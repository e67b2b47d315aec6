"""A mount that this process keeps while it goes on, with one recording after the other.

The mount is served by a process of its own, so this one may use it as it likes. It ends with
`LivingMount.close`, at the latest when this process does, however that ends: the server notices
that nobody holds the other end of its socket.
"""

import atexit
import contextlib
import os
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from msgspec import Struct

from tracefs.capture import mounts
from tracefs.capture.messages import (
    Asked,
    Begin,
    Begun,
    Change,
    Config,
    Done,
    Gone,
    Holding,
    Inject,
    Let,
    Mark,
    Rules,
    Settle,
    Settled,
    Told,
)
from tracefs.capture.place import Place
from tracefs.capture.session import Session, open_directory
from tracefs.capture.spawn import Spawned
from tracefs.errors import MountError, UsageError
from tracefs.faults.model import Rule
from tracefs.journal.format import JOURNAL, PAYLOAD
from tracefs.pathtext import to_text
from tracefs.witness.level_names import NONE, PROC

_PATIENCE_S: Final = 10.0
"""For an answer of the server, which may wait for a disk; then it is taken for stuck."""
_HASHED: Final = 20 << 20
"""Bytes of a recording that are surely hashed in a second."""
_DUE_MS: Final = 50
"""How long `LivingMount.settle` waits for what the kernel has still to say, if others are busy."""

_STUCK: Final = "its server does not answer"

WITNESSES: Final = (NONE, PROC)
"""Who may look for callers here: a seccomp filter can't be put on a process from outside."""


class Options(Struct, frozen=True, kw_only=True):
    """How to record."""

    witness: str = PROC
    """One of `WITNESSES`."""
    queries: bool = False
    """Also requests that only ask: lookup, getattr, readdir …"""
    payload: bool = False
    """Also the bytes written."""
    digests: bool = False
    """Also a hash of the bytes written."""
    direct_io: bool = False
    page_size: int = 4096
    """Bytes in a page that reports count in."""
    faults: tuple[Rule, ...] = ()
    """Rules of faults that hold from the start."""


class LivingMount:
    """A directory that is traced from `start` to `close`; also a context manager.

    All processes of the user see the mount, as root those of all users. Every method may be called
    in any thread, and once the mount is served returns within a bounded time. In a process that was
    forked off they refuse, but for `close`, which does nothing there.

    Each recording is whole in itself: header, footer, and between them what was answered in its
    time. Opens from before it are not known in it; numbers of opens never come back.

    Any method raises MountError where the server is gone, doesn't answer, or belongs to another
    process.
    """

    def __init__(self, session: Session, place: Place, recording: Path) -> None:
        """See `start`."""
        self._session = session
        self._recording = recording
        self._place = place
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._number = 0
        self._past: tuple[str, ...] = ()
        """What this process had of the directory before it was mounted over."""
        self._last_word: Done | None = None
        self._closed = False
        self._sees_same_pids = _sees_same_pids()

    @classmethod
    def start(
        cls,
        source: Path,
        mountpoint: Path,
        recording: Path,
        options: Options = Options(),  # noqa: B008  # frozen
    ) -> Self:
        """Show *source* at *mountpoint*, and record into *recording*; return once that is served.

        Args:
            source: directory to trace.
            mountpoint: an empty directory, or *source* itself: then it is traced in place, and
                this process, if its working directory is inside, goes on inside the mount.
            recording: folder to be made, or an empty one; outside both.
            options: how to record.

        Raises:
            MountError: *source* can't be traced, or *recording* can't be made; nothing is left.
            RecordingError: *recording* lies inside *source* or *mountpoint*.
        """
        _collect_lingering()
        with Spawned() as spawned:  # first: it takes longest
            root_fd = open_directory(os.fspath(source))
            try:
                mounts.require_free(os.fspath(source), os.fspath(mountpoint))
                place = Place(root_fd, mountpoint)
                folder = place.outside(recording)
                past = place.bypassed_by(root_fd)
                session = Session(spawned, _config(source, folder, options, past), root_fd)
            finally:
                os.close(root_fd)
        try:
            session.mount(to_text(place.target), allow_other=os.geteuid() == 0)
            place.note_mount()
            living = cls(session, place, folder)
        except BaseException:
            session.close()
            session.await_exit()
            raise
        _living.add(living)
        try:
            living._enter(past)
        except BaseException:
            living.close()
            raise
        return living

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def server(self) -> int:
        """Process id of the server."""
        return self._session.pid

    def begin(self, recording: Path) -> Begun:
        """End the recording, and begin another in the folder *recording*; return once that holds.

        What this thread was told before is in the former, whatever it does from now on in the
        latter. Lines of other threads are in one of them, too, and in no other.

        Returns:
            How many events the former has, and whether it is whole.

        Raises:
            RecordingError: *recording* can't be begun; the former goes on.
        """
        folder = self._place.outside(recording)
        # Who has no way past the mount can't come to one, but from another process.
        past = self._place.bypassed_by() if self._past else ()
        answer = self._ask(Begin, recording=to_text(os.fsencode(folder)), bypassed_by=past)
        assert isinstance(answer, Begun)
        self._recording = folder
        return answer

    def mark(self, text: str) -> None:
        """Mark this place in the recording: what this thread was told so far is above it.

        Raises:
            UsageError: *text* has what is no character.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"A mark is a text of characters, which {text!r} is not.") from error
        tid = threading.get_native_id() if self._sees_same_pids else 0
        self._ask(Mark, text=text, tid=tid)

    def inject(self, rules: Sequence[Rule], change: Change = Change.SET) -> Holding:
        """Change the rules of faults; return once each call that begins now meets the new ones.

        Recordings that begin later have them, too.

        Returns:
            Those that hold from now on.
        """
        answer = self._ask(Inject, rules=tuple(rules), change=change)
        assert isinstance(answer, Holding)
        return answer

    def rules(self) -> Holding:
        """Return the rules of faults that hold, with what they have struck so far."""
        answer = self._ask(Rules)
        assert isinstance(answer, Holding)
        return answer

    def release(self) -> int:
        """Let the calls go on that rules have stuck; return how many. The rules hold on."""
        answer = self._ask(Let)
        assert isinstance(answer, Gone)
        return answer.calls

    def settle(self) -> Settled:
        """Return once all that was answered so far can be read in the recording.

        That includes the release of each file whose last descriptor was closed before, unless
        others keep the server busy for so long that it gives up waiting (50 ms).

        Returns:
            How many opens are left, and whether the recording is whole so far.
        """
        answer = self._ask(Settle, patience_ms=_DUE_MS)
        assert isinstance(answer, Settled)
        return answer

    def close(self) -> Done | None:
        """End the mount and its last recording; do nothing the second time.

        Who still has files open, or is inside, goes on with them unrecorded, and the directory
        can't be traced again before they have ended. A server that doesn't answer is ended, and
        its connection cut: what was open there fails then.

        Returns:
            The server's last word; None: there was none, or this process is another.

        Raises:
            MountError: the server is gone, or was stuck; the mount is gone all the same, and if
                not, the error says so.
        """
        if os.getpid() != self._owner:
            return None
        with self._lock:
            if not self._closed:
                try:
                    self._last_word = self._end()
                except MountError:
                    self._forget()
                    raise
                self._forget()  # not where it was interrupted: then it is done again, at exit
            return self._last_word

    def _enter(self, past: tuple[str, ...]) -> None:
        """Go on inside the mount; make sure that what the recording says of ways past it is so."""
        inside = self._place.working_directory()
        if self._place.in_place and inside:
            os.chdir(inside)
        self._past = past
        late = [name for name in self._place.bypassed_by() if name not in past]
        if late:
            raise MountError(
                f"{late[0]}: opened in {os.fsdecode(self._place.target)} while it was mounted over",
                repair="try again",
            )

    def _ask(self, kind: type[Asked], **fields: Any) -> Told:
        where = os.fsdecode(self._place.target)
        if os.getpid() != self._owner:
            raise MountError(f"{where} is traced by process {self._owner}, which alone may ask")
        with self._lock:
            if self._closed:
                raise MountError(f"{where} is traced no longer")
            self._number += 1
            try:
                message = kind(number=self._number, **fields)
                return self._session.ask(message, patience_s(self._recording))
            except TimeoutError:
                raise MountError(f"{where}: {_STUCK}") from None
            except MountError as error:
                raise MountError(f"{where} is traced no longer: {error}") from error

    def _forget(self) -> None:
        self._closed = True
        _living.discard(self)

    def _end(self) -> Done:
        where = os.fsdecode(self._place.target)
        try:
            # Whoever is stuck is found out before anything touches the mount.
            self._session.ask(Settle(number=self._number + 1, patience_ms=_DUE_MS), _PATIENCE_S)
            # The recording ends first: what takes the mount away is no part of it.
            done = self._session.finish(patience_s(self._recording))
            self._leave()
            lingers = self._linger()
        except TimeoutError:
            self._place.cut_off()
            self._session.kill()
            self._leave()
            raise MountError(f"{where}: {_STUCK}; it was ended") from None
        except MountError as error:
            self._leave()
            self._session.close()
            raise MountError(f"{where} is traced no longer: {error}") from error
        self._session.close()
        if lingers:
            _lingering.append(self._session)
        else:
            self._session.await_exit()
        return msgspec.structs.replace(done, lingers=lingers)

    def _linger(self) -> bool:
        """Return whether the mount goes on without us, unmounted as it is.

        Where only a copy of it is left, in the mount namespace of a process that has nothing open
        there, the directory can be traced again.
        """
        left = self._session.finish(_PATIENCE_S)
        if left.lingers and not left.opens and not self._place.is_entered():
            left = self._session.finish(_PATIENCE_S, free=True)
        return left.lingers

    def _leave(self) -> None:
        """Take the mount away, and go on in the directory below."""
        inside = self._place.working_directory()
        try:
            self._place.unmount()
        except MountError:
            self._session.stop()  # which leaves a dead mount; a living one would go unwatched
            raise
        if self._place.in_place and inside:
            os.chdir(inside)

    def disown(self) -> None:
        """Have nothing to do with it any more: this process was forked off."""
        self._session.forget()


def patience_s(recording: Path) -> float:
    """Return for how many seconds the server may hash a recording before it is taken for stuck."""
    size = 0
    for name in (JOURNAL, PAYLOAD):
        with contextlib.suppress(OSError):
            size += os.stat(recording / name).st_size
    return _PATIENCE_S + size / _HASHED


def _config(
    source: Path, recording: Path, options: Options, bypassed_by: tuple[str, ...]
) -> Config:
    return Config(
        source=to_text(os.fsencode(source)),
        recording=to_text(os.fsencode(recording)),
        command=None,
        direct_io=options.direct_io,
        witness=options.witness,
        notified=(),
        degraded=(),
        visible=True,
        bypassed_by=bypassed_by,
        queries=options.queries,
        payload=options.payload,
        digests=options.digests,
        page_size=options.page_size,
        faults=options.faults,
    )


def _sees_same_pids() -> bool:
    """Return whether children have our process ids: the server is one (pid_namespaces(7))."""
    try:
        ours = os.readlink("/proc/self/ns/pid")
        return ours == os.readlink("/proc/self/ns/pid_for_children")
    except OSError:
        return False


_living: Final[weakref.WeakSet[LivingMount]] = weakref.WeakSet()
_lingering: Final[list[Session]] = []
"""Servers of mounts that are still used, though not by us."""


def _collect_lingering() -> None:
    _lingering[:] = [session for session in _lingering if not session.has_ended()]


def _close_all() -> None:
    for living in list(_living):
        with contextlib.suppress(MountError):
            living.close()
    _forget_lingering()


def _forget_lingering() -> None:
    while _lingering:
        _lingering.pop().forget()


def _forked() -> None:
    for living in list(_living):
        living.disown()
    _living.clear()
    _forget_lingering()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_forked)
