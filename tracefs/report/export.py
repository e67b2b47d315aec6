"""What all exports have in common: calls go in, one by one, and bytes of a file come out."""

from typing import Protocol, runtime_checkable

from tracefs.findings import TraceSummary
from tracefs.trace.call import Call


class Export(Protocol):
    """One file in the making. Nothing is kept but what the format needs."""

    def begin(self) -> bytes:
        """Return what stands before the first call."""

    def call(self, call: Call) -> bytes:
        """Return what stands for a call; nothing: it can't be said in this format."""

    def end(self, summary: TraceSummary) -> bytes:
        """Return what stands behind the last one."""

    @property
    def left_out(self) -> int:
        """Calls that the format can't say."""


@runtime_checkable
class Learning(Export, Protocol):
    """One that must have seen all calls before it is given the first."""

    def learn(self, call: Call) -> None:
        """Take note of a call."""
