"""Mounts with rules of faults."""

from collections.abc import Callable
from typing import TypeAlias

from mounted_support import Mount

Injected: TypeAlias = Callable[..., Mount]
"""Takes rules, and gives a mount that they hold on from the start."""
