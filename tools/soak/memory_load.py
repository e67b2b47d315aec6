"""A long run of many small operations, and how much memory tracefs has meanwhile.

``python memory_load.py EVENTS PARTS``, under ``tracefs run`` in the traced directory. After each
part it prints one JSON object: the MiB resident (VmRSS), and at most (VmHWM), in each process of
tracefs: ``server``, and the others by number.
"""

import json
import os
import sys

EVENTS_A_ROUND = 10
FILES = 500


def work(number: int) -> None:
    """Make a file under one of many names, with all that is usual."""
    name = f"file{number % FILES}"
    fd = os.open("new", os.O_RDWR | os.O_CREAT, 0o644)
    os.pwrite(fd, b"p" * 4096, 0)
    os.lseek(fd, 4096, os.SEEK_SET)
    os.write(fd, b"w" * 4096)
    os.pwrite(fd, b"q" * 4096, 8192)
    os.fdatasync(fd)
    os.ftruncate(fd, 4096)
    os.close(fd)
    os.rename("new", name)
    if number % FILES == FILES - 1:
        directory = os.open(".", os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)


def relatives(pid: int) -> list[int]:
    """Return the children of process *pid*, and theirs."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            for child in map(int, file.read().split()):
                found += [child, *relatives(child)]
    return found


def memory(pid: int) -> dict[str, float]:
    """Return what the process has resident, and has had at most, in MiB."""
    with open(f"/proc/{pid}/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return {name: int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")}


def report() -> None:
    """Print what tracefs's processes have."""
    told: dict[str, dict[str, float]] = {}
    for pid in relatives(os.getppid()):
        if pid == os.getpid():
            continue
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().decode().split("\0")
        server = "tracefs.capture.server" in words
        told["server" if server else f"other{len(told)}"] = memory(pid)
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    events, parts = int(sys.argv[1]), int(sys.argv[2])
    rounds = events // EVENTS_A_ROUND // parts
    for part in range(parts):
        for number in range(part * rounds, (part + 1) * rounds):
            work(number)
        report()
