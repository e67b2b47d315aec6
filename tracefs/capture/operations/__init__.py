"""The pyfuse3 adapter: each request to one call of `Backing`, and one line in the journal.

A handler notes who asks, performs the backing call, records the outcome, and replies. Between a
handler's start and its first ``await`` no other request is read, so
`tracefs.capture.request.current` belongs to it until then.

``names``, ``files``, ``directories`` and ``attributes`` hold the handlers by what they are about,
``carried`` those that pyfuse3 has none for, ``handlers`` what they share.
"""

import errno
import os
import platform
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from tracefs.capture.request import shortcut, shortcut_faults, shortcut_open  # before pyfuse3

# isort: split
from tracefs.capture.backing import Backing
from tracefs.capture.coverage import Left
from tracefs.capture.keeping import Keeper, may_change
from tracefs.capture.operations.attributes import AttributeOperations
from tracefs.capture.operations.carried import CarriedOperations, carry_all
from tracefs.capture.operations.directories import DirectoryOperations
from tracefs.capture.operations.files import FileOperations
from tracefs.capture.operations.names import NameOperations
from tracefs.capture.recorder import Recorder
from tracefs.capture.syncer import Syncer
from tracefs.faults.engine import Faults
from tracefs.faults.model import Rule, is_of_contents
from tracefs.journal.writer import CHECK_EVERY, JournalWriter
from tracefs.pathtext import to_text
from tracefs.witness.proc import ProcWitness

T = TypeVar("T")

UNSUPPORTED: Final = {
    "access": errno.ENOSYS,  # never asked: default_permissions lets the kernel decide
    "poll": errno.ENOSYS,  # the kernel then answers as for any regular file
}
"""Handlers of pyfuse3 that are not implemented, and the error they answer with."""


class Operations(
    NameOperations, FileOperations, CarriedOperations, DirectoryOperations, AttributeOperations
):
    """All request handlers of one mount."""

    # NFS export would forbid that inode numbers come back.
    supports_dot_lookup = False
    # Two writes would be merged into one WRITE.
    enable_writeback_cache = False
    enable_acl = True

    def __init__(
        self,
        backing: Backing,
        recorder: Recorder,
        syncer: Syncer,
        *,
        direct_io: bool,
        ready: Callable[[], None],
    ) -> None:
        """Take what to serve, whom to tell, and what to call once requests are answered."""
        super().__init__(backing, recorder, syncer, direct_io=direct_io)
        carry_all()
        self._ready = ready
        self._shortcut: Callable[[], None] | None = None

    def take_shortcut(self, witness: ProcWitness, journal: JournalWriter) -> None:
        """Let requests on open files be answered in C, as far as nothing is out of the ordinary.

        *journal* is one that is shared.
        """

        def take() -> None:
            shortcut(self._files, witness.files, witness.descriptors, journal, CHECK_EVERY)

        take()
        shortcut_open(self._inodes.openable, self.opened, self._backing.stripped, self._direct_io)
        self._shortcut = take

    def inject(self, rules: Sequence[Rule], held_on: Sequence[int] = ()) -> None:
        """Let these rules hold from now on, and no others but, before them, these so far.

        *held_on* numbers them, in the order that `faults` has them in.
        """
        before = () if self._faults is None else self._faults.rules
        kept = [before[number] for number in held_on]
        if not (rules or kept):
            self._faults = None
        elif self._faults is None:
            self._faults = Faults(rules, platform.machine(), self._path_of)
        else:
            self._faults = self._faults.followed_by(rules, held_on)
        self._space.hold(kept)  # of a rule that is told anew the disk is empty again
        self._space.hold((*kept, *rules))
        self._rotting.clear()
        self.held.keep(kept)
        self.play((*kept, *rules))
        shortcut_faults(None if self._faults is None else self._faults.decide)
        if self._shortcut is not None:
            # What plays with contents must see each request.
            if self._disk is not None or any(map(is_of_contents, (*kept, *rules))):
                shortcut()
            else:
                self._shortcut()

    def keep_start(self, keeper: Keeper) -> None:
        """Let *keeper* keep what files of the starting tree hold, before it changes."""
        self._keeper = keeper

    async def rotate(self, begin: Callable[[], T]) -> T:
        """Return what *begin* does, which begins another recording, with a tree of its own."""
        if self._keeper is None:
            return begin()
        await self._keeper.settled()
        begun = begin()
        self._keeper.keep_now(
            [file.node for file in self._files.values() if may_change(file.flags)]
        )
        return begun

    @property
    def faults(self) -> Faults | None:
        """The rules that hold; None: there are none."""
        return self._faults

    def _path_of(self, ino: int) -> str:
        return to_text(self._inodes.path_by_number(ino))

    def init(self) -> None:
        """Note that the kernel has agreed on the protocol."""
        self._ready()

    def stacktrace(self) -> None:
        """Do nothing: the default writes to the log, on anybody's request."""

    def close(self) -> None:
        """Close every descriptor that is still open."""
        for opened in self._files.values():
            os.close(opened.fd)
        for directory in self._directories.values():
            os.close(directory.fd)
        self._spare.close()
        self._inodes.close()

    def in_use(self) -> int:
        """Return how many opens of files and directories were not released."""
        return len(self._files) + len(self._directories)

    def left(self) -> list[Left]:
        """Return the opens of files that were not released."""
        path = self._inodes.path
        return [Left(to_text(path(file.node)), file.closed) for file in self._files.values()]
