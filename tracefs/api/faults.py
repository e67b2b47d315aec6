"""Faults that are made on purpose in a directory, while what is done there is recorded."""

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from msgspec.structs import replace

from tracefs.capture.messages import Change, Holding, Standing
from tracefs.errors import UsageError
from tracefs.faults.model import Rule
from tracefs.faults.spelling import parse

AnyRule: TypeAlias = str | Rule
"""A rule as ``tracefs inject`` takes it, or as data."""


class Injectable(Protocol):
    """What makes the faults: `tracefs.capture.living.LivingMount`."""

    def inject(self, rules: Sequence[Rule], change: Change) -> Holding:
        """Change the rules."""

    def rules(self) -> Holding:
        """Return those that hold."""

    def release(self) -> int:
        """Let go what is stuck."""


class Faults:
    """The rules for one directory.

    >>> import os, tempfile
    >>> from tracefs import record
    >>> with tempfile.TemporaryDirectory() as directory, record(directory) as rec:
    ...     fd = os.open(os.path.join(directory, "a.db"), os.O_RDWR | os.O_CREAT)
    ...     with rec.faults.inject("fsync=EIO"):
    ...         try:
    ...             os.fsync(fd)
    ...         except OSError as error:
    ...             print(error)
    ...     os.fsync(fd)
    ...     os.close(fd)
    [Errno 5] Input/output error
    >>> rec.trace.calls("a.db", only="sync")
    [fsync("a.db", errno="EIO"), fsync("a.db")]

    Args:
        mount: Returns what makes them.
        below: The directory, path text relative to the traced one; empty: that.
    """

    def __init__(self, mount: Callable[[], Injectable], below: str = "") -> None:
        self._mount = mount
        self._below = below
        self._gone: list[Standing] = []
        """Rules that hold no longer, and what came of them."""

    def inject(self, *rules: AnyRule) -> "Injection":
        """Let *rules* hold beside those that do; return when they hold.

        In a ``with`` statement they hold until the block ends; calls that they have stuck go on
        then.
        Paths are relative to the directory.

        Raises:
            UsageError: One is no rule.
            MountError: The directory is traced no longer.
        """
        meant = parsed(rules)
        if not meant:
            raise UsageError("there is no rule to inject")
        told = tuple(replace(rule, below=self._below) for rule in meant)
        self._mount().inject(told, Change.ADD)
        return Injection(self, told)

    def clear(self) -> None:
        """Let no rule hold any more; calls that one has stuck go on."""
        self._gone += self._mount().inject((), Change.SET).ended

    def release(self) -> int:
        """Let the calls go on that rules have stuck so far; return how many there were."""
        return self._mount().release()

    @property
    def gone(self) -> tuple[Standing, ...]:
        """The rules that hold no longer, and what came of them."""
        return tuple(self._gone)

    @property
    def injected(self) -> tuple[Standing, ...]:
        """Each rule so far, with how many calls it has met (``met``) and struck (``struck``)."""
        return (*self._gone, *self._mount().rules().rules)

    def withdraw(self, rules: Iterable[Rule]) -> None:
        """Let these rules hold no longer, as far as they do."""
        self._gone += self._mount().inject(tuple(rules), Change.REMOVE).ended


class Injection:
    """Rules that were injected; as a context manager they hold until the block ends."""

    def __init__(self, faults: Faults, rules: tuple[Rule, ...]) -> None:
        self._faults = faults
        self._rules = rules

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._faults.withdraw(self._rules)


def parsed(rules: Iterable[AnyRule]) -> tuple[Rule, ...]:
    """Return *rules* as data.

    Raises:
        UsageError: One is none.
    """
    if isinstance(rules, str):
        raise UsageError(f"rules are a list, and {rules!r} is one rule: [{rules!r}]")
    return tuple(rule if isinstance(rule, Rule) else parse(rule) for rule in rules)
