"""What rules do to what files hold: short writes, full disks, rotten bits."""

import errno
import os

from tracefs.capture.inodes import Node
from tracefs.capture.operations.handlers import Handlers, OpenFile
from tracefs.faults.engine import Fault
from tracefs.faults.model import Rule
from tracefs.faults.rot import rotten
from tracefs.pathtext import to_text


class ContentsOfRules(Handlers):
    """Asked by the handlers of requests that move bytes, where a rule strikes."""

    def _rotten(
        self, fault: Fault, rule: Rule, opened: OpenFile, offset: int, data: bytes
    ) -> bytes:
        """Return what was read with the bits wrong that *rule* lets rot."""
        # By the path that it was first read by: inode numbers are others in the next run.
        path = to_text(self._inodes.path(opened.node))
        name = self._rotting.setdefault(opened.ino, path)
        end = max(os.fstat(opened.fd).st_size, offset + len(data))
        bits, seed = rule.rot or 0, rule.seed
        wrong = rotten(data, offset=offset, end=end, bits=bits, seed=seed, name=name)
        if wrong != data:
            fault.note(rule, "rot")
        return wrong

    def _fault_of_store(self, node: Node) -> Fault | None:
        """Return what becomes of a store through a mapping: no call, but it needs space, too."""
        rule = self._space.rule_for(node)
        if rule is None:
            return None
        fault = Fault()
        fault.outcome = rule
        return fault

    def _write(
        self,
        fault: Fault | None,
        opened: OpenFile,
        offset: int,
        data: bytes,
        sync: int,
        *,
        by_direct: bool,
    ) -> int:
        """Write as much of *data* as a rule lets through; return how many bytes that were.

        *sync* is the RWF_* flag of one for which no FSYNC will come, since it goes past the cache;
        *by_direct*: it is one by O_DIRECT.
        """
        if fault is None and not opened.uncached:
            return os.pwrite(opened.fd, data, offset)
        room = len(data)
        if fault is not None:
            in_part = opened.uncached or not by_direct
            room = self._room(fault, opened, offset, room, in_part=in_part)
        part = memoryview(data)[:room]
        result = os.pwritev(opened.fd, [part], offset, sync) if room else 0
        if fault is not None:
            self._wrote(fault, opened, offset, len(data), result)
        return result

    def _room(
        self, fault: Fault, opened: OpenFile, offset: int, size: int, *, in_part: bool = True
    ) -> int:
        """Return how many bytes of a write a rule lets through; OSError: it fails.

        not *in_part*: the kernel tells of a write in part as of one that failed.
        """
        rule = fault.outcome
        if rule is None:
            return size
        room = size
        if fault.limit is not None and in_part:
            room = min(size, fault.limit)
            if room < size:
                fault.note(rule, "short")
        elif rule.full is not None:
            room = self._space.fits(rule, opened.node, opened.fd, offset, size)
            if room < size:
                fault.note(rule, "full")
                if not (room and in_part):
                    self._wrote(fault, opened, offset, size, 0)
                    raise OSError(errno.ENOSPC, "the disk is full, by a rule")
        return room

    def _wrote(self, fault: Fault, opened: OpenFile, offset: int, size: int, result: int) -> None:
        """Take note of a write that did *result* of *size* bytes."""
        rule = fault.outcome
        if rule is not None and rule.full is not None:
            self._space.wrote(rule, opened.node, opened.fd, offset, result)
        if result < size and self._faults is not None:
            self._faults.ended_short(fault.tid)
