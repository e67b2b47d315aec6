"""What takes a call: by name, one function each."""

from collections.abc import Callable

from tracefs.strace.heard import Heard
from tracefs.strace.world import World

Handler = Callable[[World, Heard], None]
"""Raises `tracefs.strace.words.UnreadableError`, ValueError or IndexError where something isn't as
strace prints it."""
