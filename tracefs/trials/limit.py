"""Run a command until it and all that it started are gone, or kill them when time is up.

A program by itself, ``python -I -S limit.py SECONDS WAIT REPORT OUTPUT COMMAND [ARG]...``, inside
the trace: when it ends, nothing of the command is left, so that the mount can end. It imports
nothing of tracefs, and little else: it starts in the traced directory of each submission.

WAIT is 1 where what the command leaves running may go on until time is up, 0 where it is killed as
soon as the command has ended. REPORT gets one line, ``ENDING STATUS PID MESSAGE``: how it ended
(``ended``, ``late``, ``left``, ``unstarted``; ``moved`` where the mount is no longer where it was),
the exit status, 128 + N for signal N, its process id, and why it could not be started. OUTPUT gets
the first bytes of what it prints. It ends with that status: the trace around it is to have the
command's own.
"""

import ctypes
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself takes as long as all else here
    from typing import BinaryIO

PR_SET_CHILD_SUBREAPER = 36
MOST_OUTPUT = 64 * 1024
CUT = b"\n[... more was printed]\n"


def main(words: list[str]) -> int:
    """Do what the module says; return the status to end with: the command's own."""
    seconds, wait, report, output, *command = words
    deadline = time.monotonic() + float(seconds)
    # Python opens with O_CLOEXEC: the command inherits neither.
    with (
        open(report, "w", encoding="utf-8", errors="surrogateescape") as said,
        open(output, "wb", buffering=0) as kept,
    ):
        line, status = run(command, deadline, kept, patient=wait == "1")
        said.write(line)
    return status


def run(
    command: list[str], deadline: float, kept: "BinaryIO", *, patient: bool
) -> "tuple[str, int]":
    """Return the line for the report, and the command's status."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    mount = Mount() if os.path.ismount(".") else None
    wake, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    output, theirs = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(output, False)
    try:
        child = os.posix_spawnp(
            command[0], command, os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 1), (os.POSIX_SPAWN_DUP2, theirs, 2)],
            setsid=True,
            # Python ignores them for itself alone.
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
        )  # fmt: skip
    except OSError as error:
        return f"unstarted 127 0 {command[0]}: {error.strerror}\n", 127
    os.close(theirs)
    family = Family(child)
    printed = Output(output, kept)
    poller = select.poll()
    poller.register(wake, select.POLLIN)
    poller.register(output, select.POLLIN)
    while family.reap() and (family.status is None or patient):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        for descriptor, _ in poller.poll(left * 1000):
            if descriptor == wake:
                os.read(wake, 4096)
            elif not printed.read():
                poller.unregister(output)
    ending = family.ending(patient=patient)
    family.kill()
    printed.read()
    if mount is not None and not mount.is_there():
        ending = "moved"
    return f"{ending} {family.status} {child}\n", family.status or 0


class Mount:
    """What is mounted at the working directory."""

    def __init__(self) -> None:
        self._name = os.getcwd()
        self._root = os.open(".", os.O_PATH | os.O_CLOEXEC)

    def is_there(self) -> bool:
        """Return whether its path leads to it still, and not to what is below it or over it."""
        try:
            return os.path.samestat(os.stat(self._name), os.fstat(self._root))
        except OSError:
            return False


class Output:
    """What the command prints: its beginning is kept."""

    def __init__(self, pipe: int, kept: "BinaryIO") -> None:
        self._pipe, self._kept, self._left = pipe, kept, MOST_OUTPUT

    def read(self) -> bool:
        """Take what there is; return whether there may be more."""
        while True:
            try:
                data = os.read(self._pipe, 65536)
            except BlockingIOError:
                return True
            if not data:
                return False
            if self._left:
                self._kept.write(data[: self._left])
                self._left -= min(self._left, len(data))
                if not self._left:
                    self._kept.write(CUT)


class Family:
    """The command and its descendants; this process adopts those that lose their parent."""

    def __init__(self, child: int) -> None:
        self._child = child
        self.status: int | None = None

    def reap(self) -> bool:
        """Collect those that have ended; return whether any is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._child:
                code = os.waitstatus_to_exitcode(status)
                self.status = code if code >= 0 else 128 - code

    def ending(self, *, patient: bool) -> str:
        """Return how it ended, as the report says it."""
        if self.status is None:
            return "late"
        return "left" if patient and self.reap() else "ended"

    def kill(self) -> None:
        """Kill all of them: each loses its parent in turn, and so becomes a child of this one."""
        while self.reap():
            for pid in children():
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    continue
            self._one_ends()

    def _one_ends(self) -> None:
        """Wait for a child's end, and collect it, without a look at what the others do."""
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return


def children() -> list[int]:
    """Return the process ids of this one's children (proc_pid_stat(5): the fourth field)."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return []  # a look at every process of the machine takes milliseconds
    found, own = [], b"%d" % os.getpid()
    for name in os.listdir(b"/proc"):
        if not name.isdigit():
            continue
        try:
            with open(b"/proc/%s/stat" % name, "rb") as file:
                fields = file.read().rpartition(b") ")[2].split()
        except OSError:
            continue
        if fields[1] == own:
            found.append(int(name))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
