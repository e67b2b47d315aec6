"""The processes that a traced run or a mount consists of."""

import os
from contextlib import suppress
from pathlib import Path

from tracefs.journal.format import JOURNAL


def children(pid: int) -> list[int]:
    """Return the process ids of a process's children; none of one that is gone."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def role(pid: int) -> str | None:
    """Return what a process of tracefs is: server, guardian, supervisor, watch; None: none."""
    try:
        comm = Path(f"/proc/{pid}/comm").read_text().strip()
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    if b"tracefs.capture.server" in words:
        return "server"
    if b"-u -q -z" in b" ".join(words):
        return "watch"
    return {"tracefs-guard": "guardian", "tracefs-witness": "supervisor"}.get(comm)


def family(front: int) -> dict[str, int]:
    """Return the processes that the front end *front* has by now, by what they are."""
    found = {"front end": front}
    for pid in children(front):
        name = role(pid)
        if name is not None:
            found[name] = pid
            found |= {name: below for below in children(pid) if (name := role(below) or "")}
    return found


def recording(folder: Path) -> list[int]:
    """Return the processes that have the journal in *folder* open."""
    journal = os.fspath((folder / JOURNAL).resolve())
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            fds = os.listdir(f"/proc/{pid}/fd")
            if any(_leads_to(f"/proc/{pid}/fd/{fd}", journal) for fd in fds):
                found.append(int(pid))
    return found


def _leads_to(link: str, path: str) -> bool:
    try:
        return os.readlink(link) == path
    except OSError:
        return False
