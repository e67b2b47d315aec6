"""What the handlers share: state, guard, and how a request becomes a line and a reply.

Only FUSEError leaves a handler: `guarded` turns a bug into EIO for one request, since any other
exception would end the mount (pyfuse3, request handlers). The recording ends with it: what the
request has done, no line tells.
"""

import errno
import functools
import os
from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar, cast

from tracefs import events
from tracefs.capture.request import unique  # before pyfuse3

# isort: split
import pyfuse3
import trio

from tracefs.capture.backing import Backing, Caller, errno_of
from tracefs.capture.held import Held
from tracefs.capture.inodes import Node
from tracefs.capture.loop import DONE
from tracefs.capture.recorder import Recorder
from tracefs.capture.space import Space
from tracefs.capture.spare import Spare
from tracefs.capture.syncer import Syncer
from tracefs.faults.engine import Fault, Faults, is_for
from tracefs.faults.model import Rule
from tracefs.pathtext import to_text

if TYPE_CHECKING:
    from tracefs.capture.disk import PlayedDisk
    from tracefs.capture.keeping import Keeper

Made: TypeAlias = tuple[int, Node, os.stat_result]
"""Descriptor, node and attributes of a file that was made and opened."""

P = ParamSpec("P")
T = TypeVar("T")
H = TypeVar("H", bound="Handlers")


class OpenFile:
    """One open of a regular file."""

    __slots__ = ("closed", "fd", "fh", "flags", "in_memory", "ino", "node", "uncached")

    def __init__(self, fh: int, fd: int, node: Node, flags: int, *, in_memory: bool) -> None:
        self.fh = fh
        self.fd = fd
        self.node = node
        self.ino = node.ino
        self.flags = flags
        """As the kernel gave them; those of *fd* are fewer."""
        self.in_memory = in_memory
        """A sync of it does nothing, and so takes no time."""
        self.uncached = False
        """It goes past the kernel's cache for the sake of a rule."""
        self.closed = False
        """A descriptor of it was closed, and none used since: by all signs the last one."""


class OpenDirectory:
    """One open of a directory, with its entries as they were when listing began."""

    __slots__ = ("entries", "fd", "node")

    def __init__(self, fd: int, node: Node) -> None:
        self.fd = fd
        self.node = node
        self.entries: list[os.DirEntry[str]] = []


class Handlers(pyfuse3.Operations):
    """State of one mount, for the handlers in the other modules of this package."""

    def __init__(
        self, backing: Backing, recorder: Recorder, syncer: Syncer, *, direct_io: bool
    ) -> None:
        super().__init__()
        self._backing = backing
        self._inodes = backing.inodes
        self._recorder = recorder
        self._record = recorder.record
        self._look = recorder.look
        self._syncer = syncer
        self._direct_io = direct_io
        self._spare = Spare(backing.inodes.root.fd)
        self._files: dict[int, OpenFile] = {}
        self._directories: dict[int, OpenDirectory] = {}
        self._last_fh = 0
        self._direct_writes = trio.Lock()
        self._inside_exec = 0, 0
        """Thread that seems to be inside exec, and until when that is believed."""
        self._asked_again: tuple[int, bytes] | None = None
        """Thread and path of the last open that ended with ESTALE, and so is asked for again."""
        self._faults: Faults | None = None
        """None: no rule holds."""
        self.held = Held(syncer.through_trio)
        self._space = Space(self._is_open, self._is_for)
        self._rotting: dict[int, str] = {}
        """File -> the path that it was read by first, under rules that let it rot."""
        self._keeper: Keeper | None = None
        """None: no starting tree is kept."""
        self._disk: PlayedDisk | None = None
        """None: no rule plays one."""
        self.given_up: str | None = None
        """Says so, if the mount's end found a request waiting: what it has done, no line tells."""

    async def _answer_carried(self) -> bytes:
        """Answer the request that READ stands for."""
        raise pyfuse3.FUSEError(errno.ENOSYS)

    def _text(self, parent: Node, name: bytes) -> str:
        return to_text(self._inodes.path_of(parent, name))

    def _is_open(self, node: Node) -> bool:
        return any(opened.node is node for opened in self._files.values())

    def _is_for(self, rule: Rule, node: Node) -> bool:
        return self._faults is not None and is_for(rule, to_text(self._inodes.path(node)))

    def opened(self, fd: int, node: Node, flags: int) -> int:
        """Keep an open of a file; return its number."""
        self._last_fh += 1
        in_memory = self._syncer.in_memory(node, fd)
        self._files[self._last_fh] = OpenFile(self._last_fh, fd, node, flags, in_memory=in_memory)
        return self._last_fh

    def _record_made(
        self,
        start_ns: int,
        tid: int,
        seen: events.Sighting | None,
        failed: int,
        made: Made | None,
        *,
        path: bytes,
        flags: int,
        mode: int,
        fault: Fault | None = None,
    ) -> int:
        """Keep and record the open of a file that was to be made; return its number, or 0."""
        fh = size = ino = 0
        uid = gid = None
        uncached = False
        if made is not None:
            fd, node, info = made
            ino, size, uid, gid = node.ino, info.st_size, info.st_uid, info.st_gid
            self._begin_rules(node)
            fh = self.opened(fd, node, flags)
            uncached = self._goes_past_cache(fh, to_text(path))
        self._record(
            events.Create(
                start_ns=start_ns,
                end_ns=monotonic_ns(),
                tid=tid,
                errno=failed,
                injected=injected(fault),
                seen=seen,
                path=to_text(path),
                ino=ino,
                fh=fh,
                flags=flags,
                mode=mode,
                uncached=uncached,
                size=size,
                uid=uid,
                gid=gid,
            )
        )
        return fh

    def _fault(
        self,
        request: str,
        tid: int,
        seen: events.Sighting | None,
        ino: int,
        offset: int = 0,
        size: int = 0,
    ) -> Fault | None:
        """Return what rules make of the request on a file that is being handled; None: nothing.

        To be called before its handler awaits anything.
        """
        if self._faults is None:
            return None
        return self._faults.of_file(unique(), request, tid, seen, ino, offset, size)

    def _fault_of_names(
        self, request: str, tid: int, seen: events.Sighting | None, *paths: str
    ) -> Fault | None:
        """Return what rules make of a request on names; None: nothing."""
        if self._faults is None:
            return None
        return self._faults.of_names(request, tid, seen, *paths)

    def _forget_rules(self, node: Node | None) -> None:
        """Let it be found out anew which rules are for a file that got another name."""
        if self._faults is not None and node is not None:
            self._faults.changed(node.ino)

    def _begin_rules(self, node: Node) -> None:
        """Let nothing hold for a file that was just made because of one that had its number."""
        if self._faults is not None:
            self._faults.made(node.ino)
            self._rotting.pop(node.ino, None)

    def _goes_past_cache(self, fh: int, path: str) -> bool:
        """Let reads and writes of an open go past the kernel's cache, if a rule needs that."""
        opened = self._files[fh]
        if self._faults is not None:
            opened.uncached = self._faults.needs_no_cache(opened.flags, path)
        return opened.uncached

    def let_go(self) -> int:
        """Let go the requests that a rule holds until they are released; return how many."""
        return self.held.release()

    def _before_change(self, node: Node, *, changes: bool) -> Awaitable[None]:
        """Return once what the file holds is kept, if it is to be, since a request *changes* it."""
        if self._keeper is None or not changes:
            return DONE
        return self._keeper.before_change(node)

    def _enter(self, fault: Fault | None) -> Awaitable[None]:
        """Hold the request for as long as a rule says, before it does anything."""
        return DONE if fault is None else self._entered(fault)

    async def _entered(self, fault: Fault) -> None:
        if fault.enter_ns:
            await self.held.for_ns(fault.enter_ns, fault.tid)
        if fault.stuck is not None:
            since = monotonic_ns()
            fault.given_up = await self.held.until_released(fault.stuck, fault.tid)
            fault.note(fault.stuck, "stuck", monotonic_ns() - since)

    def _leave(self, fault: Fault | None) -> Awaitable[None]:
        """Hold it before it is answered."""
        if fault is None or not fault.exit_ns:
            return DONE
        return self.held.for_ns(fault.exit_ns, fault.tid)

    def _query(self, operation: str, start_ns: int, tid: int, failed: int, node: Node) -> None:
        """Record a request that only asks about *node*, if that is wanted."""
        if self._recorder.queries:
            path = to_text(self._inodes.path(node))
            self._recorder.query(operation, start_ns, tid, failed, node.shown, path)


def guarded(
    handler: Callable[Concatenate[H, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[H, P], Coroutine[Any, Any, T]]:
    """Let nothing but FUSEError out of *handler*."""

    @functools.wraps(handler)
    async def guard(self: H, *args: Any) -> T:
        try:
            return await handler(self, *args)  # type: ignore[call-arg]  # by position
        except pyfuse3.FUSEError:
            raise
        except trio.Cancelled:
            self.given_up = f"the mount ended during a request: {handler.__name__}"
            raise
        except OSError as error:
            raise pyfuse3.FUSEError(errno_of(error)) from None
        except Exception as error:  # noqa: BLE001  # a bug of ours must not end the mount
            # No traceback: it would read source files, perhaps through this very mount.
            self._recorder.miss(f"the request {handler.__name__} failed: {error!r}")
            raise pyfuse3.FUSEError(errno.EIO) from None

    return cast("Callable[Concatenate[H, P], Coroutine[Any, Any, T]]", guard)


def attempt(call: Callable[..., T], *args: object) -> tuple[int, T | None]:
    """Return (0, result) or (error number, None)."""
    try:
        return 0, call(*args)
    except OSError as error:
        return errno_of(error), None


def caller(ctx: pyfuse3.RequestContext) -> Caller:
    """Return whose request it is."""
    return Caller(ctx.uid, ctx.gid)


def injected(fault: Fault | None) -> tuple[events.Injected, ...]:
    """Return what the journal is to say of *fault*."""
    return () if fault is None else fault.injected


def attempt_unless(
    fault: Fault | None, call: Callable[..., T], *args: object
) -> tuple[int, T | None]:
    """Return what `attempt` does, or how a rule lets the request end instead."""
    if fault is not None and fault.error:
        return fault.error, None
    return attempt(call, *args)
