"""A model of the kernel: it cuts the calls of a program into the requests that FUSE would get.

The model is the oracle of `test_trace_model`: it knows the calls, `tracefs.trace` has to find them.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from trace_support import BUFFER, O_APPEND, O_DSYNC, O_RDWR, O_SYNC, Recording, sight

from tracefs.events import AnyEvent, Fsync, Sighting, Write

STRENGTH = ("O_SYNC", "RWF_SYNC", "O_DSYNC", "RWF_DSYNC")
SYNC_FLAGS = {O_DSYNC: "O_DSYNC", O_SYNC: "O_SYNC"}
RWF = {2: "RWF_DSYNC", 4: "RWF_SYNC"}
EIO, ENOSPC = 5, 28

Expected = tuple[str, int | None, int | None, int | None, int, int, str | None]
"""Name, offset, length, result, errno, fragments, synced_by."""


@dataclass(frozen=True)
class Act:
    """What one call asks for, and what becomes of it."""

    name: str
    offset: int
    length: int
    cuts: tuple[int, ...]
    """Where the kernel cuts it."""
    fate: str
    """ok, limit (RLIMIT_FSIZE), error or short (from the filesystem), syncfail."""
    rwf: int
    fault: int
    """Number of the fragment that *fate* hits."""


@dataclass
class Thread:
    """One thread with an open file of its own."""

    tid: int
    flags: int
    events: list[AnyEvent] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    position: int = 0
    end: int = 0

    @property
    def ino(self) -> int:
        return 1000 + self.tid

    def run(self, acts: list[Act]) -> None:
        for act in acts:
            if act.name in {"fsync", "fdatasync"}:
                self._sync(act)
            else:
                self._write(act)

    def _seen(self, act: Act) -> Sighting:
        if act.name in {"fsync", "fdatasync"}:
            args: tuple[int, ...] = (3,)
        elif act.name == "write":
            args = (3, BUFFER, act.length)
        elif act.name == "pwrite64":
            args = (3, BUFFER, act.length, act.offset)
        else:
            args = (3, BUFFER, 2, act.offset, 0, act.rwf)
        vector = act.length if act.name in {"pwritev", "pwritev2"} else None
        return sight(
            act.name, *args, pid=self.tid, position=self.position, fd_ino=self.ino,
            fd_flags=self.flags, vector_bytes=vector,
        )  # fmt: skip

    def _add(self, kind: type[Any], **fields: Any) -> None:
        event = kind(start_ns=0, end_ns=0, tid=self.tid, ino=self.ino, fh=self.tid, **fields)
        self.events.append(event)

    def _sync(self, act: Act) -> None:
        errno = EIO if act.fate == "syncfail" else 0
        self._add(Fsync, datasync=act.name == "fdatasync", seen=self._seen(act), errno=errno)
        self.expected.append((act.name, None, None, None if errno else 0, errno, 0, None))

    def _start(self, act: Act) -> int:
        if self.flags & O_APPEND:
            return self.end
        return self.position if act.name == "write" else act.offset

    def _pieces(self, act: Act) -> list[int]:
        length = act.length
        if act.fate == "limit" and not self.flags & O_APPEND:
            length = max(1, length // 2)
        edges = sorted({0, length, *(cut for cut in act.cuts if cut < length)})
        return [b - a for a, b in pairwise(edges)]

    def _write(self, act: Act) -> None:
        seen, start, done, fragments, errno = self._seen(act), self._start(act), 0, 0, 0
        for number, size in enumerate(self._pieces(act)):
            hit = number == act.fault
            errno = ENOSPC if hit and act.fate == "error" else 0
            result = 0 if errno else size
            if hit and act.fate == "short":
                result = size // 2
            self._add(
                Write, offset=start + done, size=size, result=result, errno=errno, seen=seen,
                zero=size == 1,
            )  # fmt: skip
            fragments += 1
            done += result
            if result < size:
                break
        flags = {SYNC_FLAGS.get(self.flags & O_SYNC), RWF.get(act.rwf)}
        flag = next((name for name in STRENGTH if name in flags), None)
        failed = errno if not done else 0
        if flag and done:
            failed = EIO if act.fate == "syncfail" else 0
            self._add(Fsync, datasync="D" in flag, seen=seen, errno=failed)
        told = None if failed else done
        if act.name == "write" and told:
            self.position = start + told
        self.end = max(self.end, start + done)
        synced = flag if told else None
        self.expected.append((act.name, start, act.length, told, failed, fragments, synced))


def acts() -> st.SearchStrategy[Act]:
    names = ["write", "pwrite64", "pwritev", "pwritev2", "fsync", "fdatasync"]
    sizes = st.sampled_from([1, 2, 100, 4096])

    def build(name: str, rwf: int, **fields: Any) -> Act:
        return Act(name=name, rwf=rwf if name == "pwritev2" else 0, **fields)

    return st.builds(
        build,
        st.sampled_from(names),
        st.sampled_from([0, 2, 4]),
        offset=st.sampled_from([0, 1, 100, 4096]),
        length=sizes,
        cuts=st.lists(sizes, max_size=3).map(tuple),
        fate=st.sampled_from(["ok", "ok", "ok", "limit", "error", "short", "syncfail"]),
        fault=st.integers(0, 2),
    )


@st.composite
def programs(draw: st.DrawFn) -> tuple[Recording, dict[int, list[Expected]]]:
    """Draw a program; return what is recorded of it and the calls of each thread."""
    recording = Recording()
    threads = []
    for tid in range(1, draw(st.integers(1, 3)) + 1):
        kinds = st.sampled_from([0, 0, O_DSYNC, O_SYNC, O_APPEND, O_APPEND | O_DSYNC])
        thread = Thread(tid, O_RDWR | draw(kinds))
        thread.run(draw(st.lists(acts(), max_size=6)))
        recording.open(thread.flags, fh=tid, ino=thread.ino, tid=tid)
        threads.append(thread)
    queues = [list(thread.events) for thread in threads]
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        recording.events.append(queue.pop(0))
    return recording, {thread.tid: thread.expected for thread in threads}
