"""How long a call is held."""

import random
from typing import Final

from tracefs.faults.model import Delay

_MS_NS: Final = 1_000_000
_MIB: Final = 1 << 20


def duration_ns(delay: Delay, size: int, chance: random.Random) -> int:
    """Return how long a call that moves *size* bytes is held, in nanoseconds."""
    del chance
    return int((delay.first + delay.per_mib * size / _MIB) * _MS_NS)
