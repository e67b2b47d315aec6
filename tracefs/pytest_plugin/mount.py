"""The one mount of a session of tests, and a recording for each of them."""

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from tracefs.capture.living import LivingMount, Options
from tracefs.capture.messages import Change, Holding, Settled
from tracefs.errors import MountError, TracefsError
from tracefs.faults.model import Rule

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_LENGTH: Final = 40


class Place(NamedTuple):
    """Where something is recorded."""

    directory: Path
    root: str
    """The same, relative to the traced directory."""
    recording: Path


class SessionMount:
    """Traces a folder of directories in place, and has one recording after the other of it.

    Args:
        base: An empty directory of its own.
        witness: Who looks for callers.
        payload: Keep the bytes written too, and the tree that there was.
    """

    def __init__(self, base: Path, witness: str, *, payload: bool = False) -> None:
        self._base = base
        self._options = Options(witness=witness, payload=payload)
        self._living: LivingMount | None = None
        self._begun = 0
        self._now: Path | None = None
        """The recording under way."""
        self._between: Path | None = None
        """The same, if nobody asks for it any more."""
        (base / "recordings").mkdir()

    def begin(self, name: str) -> Place:
        """Make an empty directory, and begin a recording of what is done in it.

        Raises:
            MountError: It can't be mounted.
        """
        return self._begin(self.start(), name)

    def start(self) -> LivingMount:
        """Mount, unless that is done.

        Raises:
            MountError: It can't be mounted.
        """
        if self._living is not None:
            try:
                self._living.settle()
            except MountError:
                # Its server was ended; whoever used it has been told.
                with suppress(MountError):
                    self.close()
        if self._living is None:
            self._living = self._start()
        return self._living

    def aside(self, name: str) -> Place:
        """Make an empty directory that is not in the mount."""
        place = self._place(self._base / "commands", name)
        place.directory.mkdir(parents=True)
        return place

    def end(self, recording: Path) -> None:
        """End *recording*, if it is the one under way; what comes next is nobody's."""
        if self._living is not None and recording == self._now:
            between = self._recording(f"between-{self._begun}")
            # Where that can't be, the recording goes on, or lacks its end and says so.
            with suppress(TracefsError):
                self._living.begin(between)
                self._now = self._between = between

    def discard(self, recording: Path) -> None:
        """Remove *recording*; if it is under way, once the next has begun."""
        if recording == self._now:
            self._between = recording
        else:
            remove(recording)

    def mark(self, text: str) -> None:
        """Mark this place in the recording."""
        assert self._living is not None
        self._living.mark(text)

    def settle(self, recording: Path) -> Settled | None:
        """Return once all that was answered can be read; None: *recording* has ended."""
        if self._living is None or recording != self._now:
            return None
        return self._living.settle()

    def inject(self, rules: Sequence[Rule], change: Change) -> Holding:
        """Change the rules of faults.

        Raises:
            MountError: Its server is gone.
        """
        return self._served().inject(rules, change)

    def rules(self) -> Holding:
        """Return the rules of faults that hold.

        Raises:
            MountError: Its server is gone.
        """
        return self._served().rules()

    def release(self) -> int:
        """Let the calls go on that rules have stuck.

        Raises:
            MountError: Its server is gone.
        """
        return self._served().release()

    def close(self) -> None:
        """Unmount.

        Raises:
            MountError: It was not as it should be; nothing is left mounted where that can be.
        """
        try:
            if self._living is not None:
                living, self._living = self._living, None
                living.close()
        finally:
            self._now = None
            self._forget_between()

    def _served(self) -> LivingMount:
        if self._living is None:
            raise MountError("nothing is traced any more")
        return self._living

    def _begin(self, living: LivingMount, name: str) -> Place:
        place = self._place(self._top, name)
        place.directory.mkdir()
        living.begin(place.recording)
        self._now = place.recording
        self._forget_between()
        return place

    def _place(self, top: Path, name: str) -> Place:
        self._begun += 1
        safe = _UNSAFE.sub("_", name)[:_NAME_LENGTH].strip(".") or "test"
        root = f"{safe}-{self._begun}"
        return Place(top / root, root, self._recording(root))

    def _start(self) -> LivingMount:
        # Where one was that is gone, another is not to be mounted.
        self._top = self._base / f"mount-{self._begun}"
        self._top.mkdir()
        self._now = self._between = self._recording(f"between-{self._begun}-start")
        return LivingMount.start(self._top, self._top, self._now, self._options)

    def _recording(self, name: str) -> Path:
        return self._base / "recordings" / f"{name}.trace"

    def _forget_between(self) -> None:
        if self._between is not None:
            remove(self._between)
            self._between = None


def remove(directory: Path) -> None:
    """Remove what a passed test left, as far as it lets itself be removed."""
    shutil.rmtree(directory, ignore_errors=True)
