"""How long a call is held, drawn from what a rule says."""

import math
from random import Random
from typing import Final

from tracefs.faults.model import Delay, Shape

LONGEST_NS: Final = 24 * 3600 * 1_000_000_000
"""A day. No call is held longer, whatever a distribution yields: the tails have no end."""
_NS_IN_MS: Final = 1_000_000
_MIB: Final = 1 << 20
_LARGEST_EXPONENT: Final = 100.0
"""Far beyond a day for any median that is not 0, and far below what a float holds."""


def duration_ns(delay: Delay, size: int, chance: Random) -> int:
    """Return how long to hold a call that moves *size* bytes, in nanoseconds.

    Never negative, and `LONGEST_NS` at most. The same state of *chance* gives the same duration.
    """
    milliseconds = _drawn(delay, chance) + delay.per_mib * size / _MIB
    return int(min(max(milliseconds, 0.0) * _NS_IN_MS, LONGEST_NS))


def _drawn(delay: Delay, chance: Random) -> float:
    match delay.shape:
        case Shape.FIXED:
            return delay.first
        case Shape.UNIFORM:
            return chance.uniform(delay.first, delay.second)
        case Shape.NORMAL:
            return chance.normalvariate(delay.first, delay.second)
        case Shape.EXPONENTIAL:
            # Not expovariate: it takes a rate, and there is none for a mean of 0.
            return -delay.first * math.log(1.0 - chance.random())
        case Shape.LOGNORMAL:
            # The median multiplied, so that a median of 0 is one, and no logarithm of it is needed.
            exponent = delay.second * chance.normalvariate(0.0, 1.0)
            return delay.first * math.exp(min(exponent, _LARGEST_EXPONENT))
