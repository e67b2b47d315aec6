"""What a server holds, once the kernel has forgotten what it knew of its mount."""

import os
from pathlib import Path
from time import monotonic

from soak.arena import Place

_LONGEST_S = 600


def descriptors_below(pid: int, directory: Path) -> int:
    """Return how many descriptors process *pid* has of files in *directory*."""
    folder = f"/proc/{pid}/fd"
    links = []
    for name in os.listdir(folder):
        try:
            links.append(os.readlink(f"{folder}/{name}"))
        except FileNotFoundError:  # closed meanwhile
            continue
    return sum(Path(link).is_relative_to(directory) for link in links)


def resident_mib(pid: int) -> float:
    """Return how much memory process *pid* has resident (VmRSS in proc(5))."""
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no memory")


def forget(place: Place) -> None:
    """Let the kernel drop what it has cached, and the server hear of it; needs root.

    What is forgotten has no answer to wait for. But the server sleeps only when it has read all
    there is to read.
    """
    with open("/proc/sys/vm/drop_caches", "w") as caches:
        caches.write("2\n")
    end = monotonic() + _LONGEST_S
    while _state(place.server) != "S":
        if monotonic() > end:
            raise AssertionError("the server does not come to rest")
        os.sched_yield()


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]
