"""What was measured on: what a reader needs to compare figures with their own."""

import importlib.metadata
import os
import platform
import re
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class Machine(Struct, frozen=True, kw_only=True):
    """The machine and the versions of what ran on it."""

    kernel: str
    cores: int
    processor: str
    versions: dict[str, str]
    """Name of a program or library -> its version."""
    filesystems: dict[str, str]
    """Storage -> type of its filesystem."""

    def __str__(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        places = ", ".join(f"{storage}: {kind}" for storage, kind in self.filesystems.items())
        return (
            f"{self.cores} cores ({self.processor}), {self.kernel}; {versions}; "
            f"filesystems: {places}"
        )


def this_machine(folders: Mapping[str, Path]) -> Machine:
    """Describe this machine; *folders*: storage -> a directory on it."""
    return Machine(
        kernel=f"{platform.system()} {platform.release()}",
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        versions={
            "Python": platform.python_version(),
            "pyfuse3": importlib.metadata.version("pyfuse3"),
            "libfuse": _version("pkg-config", "--modversion", "fuse3"),
            "strace": _version("strace", "-V"),
            "SQLite": sqlite3.sqlite_version,
        },
        filesystems={storage: filesystem_of(folder) for storage, folder in folders.items()},
    )


def filesystem_of(folder: Path) -> str:
    """Return the type of the filesystem of *folder*, from the mount with its device number."""
    number = folder.stat().st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines():
        fields, _, rest = line.partition(" - ")
        if fields.split()[2] == device:
            return rest.split()[0]
    return "unknown"


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _version(*command: str) -> str:
    """Return the first number with a dot in what *command* prints."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        said = ""
    found = re.search(r"\d+(\.\d+)+", said)
    return found[0] if found else "unknown"
