"""Whole lines from a descriptor, many at a time, in constant memory, also of a growing file."""

import os
import stat
from collections.abc import Callable
from typing import IO, Final

from tracefs.journal import lock
from tracefs.journal.format import MAX_LINE

READ_SIZE: Final = 256 << 10
"""Bytes asked for at once: large enough that per-read costs vanish, small enough for the cache."""


class LineSource:
    """Blocks of whole lines from *descriptor*.

    Args:
        descriptor: a file, pipe or terminal, read from where it stands; not closed here.
        wait: None: the end of the file is the end. Else called at the end of a regular file that
            is still being written, to pass some time; it returns False to stop following.
        copy: what was read is written there, too.
    """

    def __init__(
        self,
        descriptor: int,
        wait: Callable[[], bool] | None = None,
        copy: IO[bytes] | None = None,
    ) -> None:
        self.tail = bytearray()
        """Bytes after the last newline that was read."""
        self.problem: str | None = None
        """Why no more is read, when that isn't the end of the file."""
        self._descriptor = descriptor
        self._regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._wait = wait
        self._copy = copy
        self._last_look = wait is None or not self._regular

    @property
    def overlong(self) -> bool:
        """Reading stopped in the middle of a line above `MAX_LINE` bytes."""
        return len(self.tail) > MAX_LINE

    def block(self) -> bytes:
        """Return the next bytes that end in a newline; empty: there are none, see `tail`."""
        while not self.overlong:
            chunk = self._read()
            if not chunk:
                return b""
            end = chunk.rfind(b"\n") + 1
            if end:
                block = bytes(self.tail) + chunk[:end]
                self.tail = bytearray(chunk[end:])
                return block
            self.tail += chunk
        return b""

    def anything_left(self) -> bool:
        """Return whether more follows; doesn't wait for a pipe that is being followed."""
        if self.tail:
            return True
        if self._wait is not None and not self._regular:
            return False
        try:
            return bool(os.read(self._descriptor, 1))
        except OSError:
            return False

    def _read(self) -> bytes:
        while True:
            try:
                chunk = os.read(self._descriptor, READ_SIZE)
            except OSError as error:
                self.problem = f"reading failed: {error.strerror}"
                return b""
            if self._copy is not None:
                self._copy.write(chunk)
            if chunk or self._is_over():
                return chunk

    def _is_over(self) -> bool:
        """At the end of what is there: say whether to give up, or wait for more."""
        if self._last_look or self._wait is None:
            return True
        if not os.fstat(self._descriptor).st_nlink:
            self.problem = "the journal was deleted while it was followed"
            self._last_look = True
        elif not lock.is_held(self._descriptor):
            # The last line may have come between the read and the writer's end: read once more.
            self._last_look = True
        else:
            return not self._wait()
        return False
