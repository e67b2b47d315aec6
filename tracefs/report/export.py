"""What all exports have in common: calls go in, one by one, and bytes of a file come out."""

from collections.abc import Iterable

from tracefs.trace.call import Call, TraceItem


class Export:
    """One file in the making. Nothing is kept but what the format needs."""

    @property
    def left_out(self) -> int:
        """Calls that the format can't say."""
        return 0

    def begin(self) -> bytes:
        """Return what stands before the first call."""
        return b""

    def call(self, call: Call) -> bytes:
        """Return what stands for a call; nothing: it can't be said in this format."""
        raise NotImplementedError

    def end(self) -> bytes:
        """Return what stands behind the last one."""
        return b""


class Learning(Export):
    """One that must have seen all calls before it is given the first."""

    def learn(self, items: Iterable[TraceItem]) -> None:
        """Look at the whole trace."""
        raise NotImplementedError
