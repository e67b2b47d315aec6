"""Differences between mount and bare directory that are expected, each with its cause.

docs/reference/limits.md tells users of them. A suite fails when one is gone.
"""

from typing import Final

from soak.compare import Difference

_LINK_MAX: Final = (
    "pathconf(_PC_LINK_MAX): glibc guesses from the filesystem's type, and knows none for FUSE"
)

PJDFSTEST: Final = (Difference("link::link_count_max", "ok", "skipped", _LINK_MAX),)

FSX: Final[tuple[Difference, ...]] = ()

FIO: Final[tuple[Difference, ...]] = ()

STRESS_NG: Final = (
    Difference("fiemap", "passed", "skipped", "the kernel asks no FUSE filesystem"),
)
