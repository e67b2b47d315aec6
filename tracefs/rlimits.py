"""How many descriptors a process of tracefs may have; never to be raised for the command."""

import resource
from typing import Final

_PLENTY: Final = 1 << 20


def raise_descriptor_limit() -> int:
    """Allow this process as many descriptors as the machine does; return how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = _PLENTY
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
