"""Record what this process and its children do to a directory, and ask about it."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tracefs.api.faults import AnyRule, Faults, parsed
from tracefs.api.folder import AnyPath, Folder
from tracefs.api.sofar import RecordedTrace
from tracefs.api.trace import Trace
from tracefs.capture.living import WITNESSES, LivingMount, Options
from tracefs.capture.messages import Settled
from tracefs.errors import MountError, TracefsError
from tracefs.witness.level_names import LEVELS, PROC


def record(
    directory: AnyPath,
    *,
    witness: str = PROC,
    payload: bool = False,
    page_size: int = 4096,
    keep: AnyPath | None = None,
    inject: Sequence[AnyRule] = (),
) -> "Recorded":
    """Trace *directory* in place, in a ``with`` block: this process, its threads, its children.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as directory, record(directory) as rec:
    ...     fd = os.open(os.path.join(directory, "a.db"), os.O_RDWR | os.O_CREAT)
    ...     _ = os.pwrite(fd, bytes(4096), 0)
    ...     os.fdatasync(fd)
    ...     os.close(fd)
    >>> rec.trace.calls("a.db", only=("write", "sync"))
    [pwrite("a.db", 4096, at=0), fdatasync("a.db")]

    A process of its own serves the mount, so code in the block may do with the directory whatever
    it likes. Other processes of the user see the mount, too, and are recorded. To begin takes about
    0.3 s, to end a few milliseconds. A working directory inside is moved into the mount and back.

    What this process has open in the directory from before leads past the mount and is not
    recorded. Then the recording says so (``bypassed_by`` in its header), and no contract is kept.
    Other processes that have something open from before go unnoticed: begin before they do.

    ``lseek`` and other calls that no filesystem hears of are not seen; `run` sees them.

    Args:
        directory: What to trace; it need not be empty.
        witness: ``"proc"``: calls get their names from ``/proc``. ``"none"``: they get none.
        payload: Also keep the bytes written, and the tree that there was.
        page_size: Bytes in a page, for whoever counts in pages.
        keep: Folder for the recording, new or empty, outside *directory*. None: a temporary one,
            which goes once neither the result nor a trace of it is used any more.
        inject: Rules of faults that hold from the start, as ``tracefs inject`` takes them; they
            can be changed by `Recorded.faults`.

    Raises:
        UsageError: There is no such rule.
        ValueError: There is no such witness, or it is one for `run`.
        MountError: The directory can't be traced, or nothing be written to *keep*; ``tracefs
            doctor`` tells why.
        RecordingError: *keep* lies in the directory, or holds something.
    """
    if witness not in WITNESSES:
        raise ValueError(
            f"witness {witness!r}: {' or '.join(map(repr, WITNESSES))}; a filter for seccomp can't "
            "be taken off this process again, so use run()"
            if witness in LEVELS
            else f"there is no witness {witness!r}: {', '.join(map(repr, WITNESSES))}"
        )
    options = Options(witness=witness, payload=payload, page_size=page_size, faults=parsed(inject))
    return Recorded(Path(directory), keep, options)


class _Mounted:
    """The mount of *directory*, while there is one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.mount: LivingMount | None = None

    def living(self) -> LivingMount:
        """Return it; MountError: there is none."""
        if self.mount is None:
            raise MountError(f"{self.directory} is not being traced")
        return self.mount


class Recorded:
    """A directory being traced, from the beginning of a ``with`` block to its end: see `record`."""

    def __init__(self, directory: Path, keep: AnyPath | None, options: Options) -> None:
        self._options = options
        self._keep = keep
        self._folder: Folder | None = None
        self._mounted = _Mounted(directory)
        self._failed: str | None = None
        # It has no part of this object, which goes with the last who uses it, and the folder too.
        self._faults = Faults(self._mounted.living)

    def __enter__(self) -> Self:
        if self._folder is not None:
            raise ValueError("a recording is made once")
        directory = self._mounted.directory = Path(os.path.realpath(self._mounted.directory))
        self._folder = Folder(directory, self._keep)
        self._mounted.mount = LivingMount.start(
            directory, directory, self._folder.path, self._options
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        mount, self._mounted.mount = self._mounted.mount, None
        assert mount is not None
        try:
            done = mount.close()
        except TracefsError as problem:
            self._failed = str(problem)
            if error is None:
                raise
            # What went wrong in the block matters more.
            error.add_note(f"tracefs: {problem}")
        else:
            self._failed = None if done is None else done.failed

    @property
    def directory(self) -> Path:
        """The traced directory, absolute."""
        return self._mounted.directory

    @property
    def recording(self) -> Path:
        """Folder of the recording, as ``tracefs show`` takes it."""
        return self._needed().path

    @property
    def failed(self) -> str | None:
        """After the block: why the recording is incomplete; None: it is whole."""
        return self._failed

    def mark(self, text: str) -> None:
        """Mark this place: what this thread did so far is before it, what it does then, after.

        Raises:
            MountError: The block has ended, the server is gone, or this process was forked off.
        """
        self._mounted.living().mark(text)

    @property
    def faults(self) -> Faults:
        """Faults that are made in the directory; in the block they can be changed."""
        return self._faults

    @property
    def trace(self) -> Trace:
        """What was recorded: asked in the block, all that was done until then.

        It may be kept, and used after the block.

        Raises:
            MountError: In the block: the server is gone.
            RecordingError: The recording can't be read.
        """
        return RecordedTrace(self._needed(), self._settle)

    def _settle(self) -> Settled | None:
        mount = self._mounted.mount
        return None if mount is None else mount.settle()

    def _needed(self) -> Folder:
        if self._folder is None:
            raise ValueError("nothing was recorded yet: use it in a with statement")
        return self._folder
