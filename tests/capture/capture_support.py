"""Helpers of these tests."""

import os
from collections.abc import Callable


def failure(call: Callable[..., object], *args: object) -> OSError:
    """The error that *call* ends with, which it must."""
    try:
        call(*args)
    except OSError as error:
        return error
    raise AssertionError("it succeeded")


def descriptors() -> int:
    """How many this process has open."""
    return len(os.listdir("/proc/self/fd"))
