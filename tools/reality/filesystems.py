"""The filesystems that are tried, as small as they can be made."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Filesystem:
    """One filesystem with the options it is tried with."""

    profile: str
    """The profile of `tracefs.persistence` that is to allow what it shows."""
    type: str
    """As mount(8) and ``/proc/filesystems`` name it."""
    package: str
    """Package of Debian that has its mkfs."""
    size: int
    """Bytes of the image, most of them holes."""
    making: tuple[str, ...]
    """Options of mkfs; nothing may be left to a thread that writes later."""
    options: str
    """Options of mount(8). No commit by the clock: a cut would see it or not, as chance has it."""

    @property
    def maker(self) -> str:
        """Name of its mkfs."""
        return f"mkfs.{self.type}"

    def missing(self) -> str | None:
        """Say what keeps it from being tried here; None: nothing that can be seen beforehand."""
        if os.geteuid() != 0:
            return "needs root, to mount"
        for program in (self.maker, "unshare", "mount"):
            if shutil.which(program) is None:
                return f"needs {program}" + (f" ({self.package})" if program == self.maker else "")
        if self.type not in Path("/proc/filesystems").read_text(encoding="ascii").split():
            return f"needs a kernel with {self.type}"
        if not Path("/dev/loop-control").exists():
            return "needs loop devices (/dev/loop-control)"
        return None


_EXT4: Final = ("-q", "-F", "-b4096", "-Jsize=4", "-Elazy_itable_init=0,lazy_journal_init=0")
_MIB: Final = 1 << 20

EXT4_ORDERED: Final = Filesystem(
    "ext4-ordered", "ext4", "e2fsprogs", 16 * _MIB, _EXT4, "data=ordered,commit=300"
)
EXT4_WRITEBACK: Final = Filesystem(
    "ext4-writeback", "ext4", "e2fsprogs", 16 * _MIB, _EXT4, "data=writeback,commit=300"
)
# mkfs.xfs refuses anything smaller; without checks of the medium it is made in 50 ms.
XFS: Final = Filesystem("xfs", "xfs", "xfsprogs", 300 * _MIB, ("-q", "-K"), "nodiscard")
BTRFS: Final = Filesystem(
    "btrfs", "btrfs", "btrfs-progs", 128 * _MIB, ("-q", "-K"), "commit=300,nodiscard"
)

ALL: Final = {one.profile: one for one in (EXT4_ORDERED, EXT4_WRITEBACK, XFS, BTRFS)}
"""By the name of the profile."""
