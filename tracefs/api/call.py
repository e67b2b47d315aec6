"""One system call as a value that a test can write down and compare.

Two calls are equal where everything that both tell is equal. What a constructor wasn't told is
`ANY`, but for its success: a call that failed must be asked for by ``errno``, one that wrote less
than it was to by ``result``. A call that nobody could name equals only what asks for ``unknown``.
"""

from typing import Any, Final

from tracefs.api.anything import ANY
from tracefs.api.spelling import spell

UNKNOWN: Final = "unknown"


class _Whole:
    """The result of a write that wrote all it was to."""

    __slots__ = ()

    def __reduce__(self) -> str:
        return "WHOLE"  # copies and pickles are this one


WHOLE: Final[Any] = _Whole()


class Call:
    """One system call on a file of the traced directory.

    Made by `tracefs.api.Trace.calls`, or written down with the constructors in `tracefs.api`. Names
    and meanings are those of ``tracefs show --json``. None stands for what is not known or does not
    apply; what was not told to a constructor is `ANY`.

    Equality looks at the names and fields down to *reason*; it isn't transitive where `ANY` is
    among them, so calls have no hash.
    """

    __slots__ = (
        "_names",
        "_result",
        "comm",
        "created",
        "datasync",
        "errno",
        "family",
        "fd",
        "flags",
        "fragments",
        "index",
        "length",
        "name",
        "offset",
        "page_size",
        "path",
        "pid",
        "position",
        "reason",
        "source",
        "synced_by",
        "target",
        "tid",
    )
    __match_args__ = ("name", "path")

    def __init__(
        self,
        name: str,
        path: str | None = ANY,
        *,
        family: str = ANY,
        also: frozenset[str] = frozenset(),
        offset: int | None = ANY,
        length: int | None = ANY,
        result: int | None = ANY,
        errno: str | None = None,
        flags: tuple[str, ...] = ANY,
        target: str | None = ANY,
        created: bool = ANY,
        synced_by: str | None = ANY,
        datasync: bool = ANY,
        reason: str | None = ANY,
        index: int | None = None,
        page_size: int = 4096,
        fd: int | None = None,
        pid: int | None = None,
        tid: int | None = None,
        comm: str | None = None,
        position: int | None = None,
        fragments: int = 0,
        source: str | None = None,
    ) -> None:
        """Make a call; *also*: other names under which it may come (rename, renameat)."""
        self.name = name
        """Name as in ``man 2``; ``mmap`` of family write is a store through a mapping."""
        self.family = family
        self.path = path
        """Path text, relative to the traced directory."""
        self.target = target
        """New name for rename, existing name for link, contents of a symlink."""
        self.offset = offset
        """Bytes from the start of the file."""
        self.length = length
        """Bytes the program asked for; new size of a truncate."""
        self.errno = errno
        """Name such as ``EIO``; None: success."""
        self.flags = flags
        self.created = created
        """The open made the file."""
        self.synced_by = synced_by
        """``O_DSYNC`` or another flag that made the write synchronous."""
        self.datasync = datasync
        self.reason = reason
        """Why the name, or something else, is not known."""
        self.index = index
        """Number in the recording, as in ``tracefs show``; None: it is no recorded call."""
        self.page_size = page_size
        self.fd = fd
        self.pid = pid
        self.tid = tid
        self.comm = comm
        self.position = position
        """File position of the descriptor while the call was held; before an lseek."""
        self.fragments = fragments
        """Number of WRITE requests that the kernel made of it."""
        self.source = source
        """``file:line`` it was made at; None: not known."""
        self._result = result
        self._names = also | {name}

    @property
    def result(self) -> int | None:
        """What the call returned; None: not known, or it failed."""
        return self.length if self._result is WHOLE else self._result

    @property
    def page(self) -> int | None:
        """Number of the page that *offset* lies in."""
        return self.offset // self.page_size if isinstance(self.offset, int) else None

    @property
    def pages(self) -> tuple[int, int] | None:
        """First and last page that it touches."""
        if not isinstance(self.offset, int) or not isinstance(self.length, int):
            return None
        last = (self.offset + max(self.length, 1) - 1) // self.page_size
        return self.offset // self.page_size, last

    @property
    def is_whole(self) -> bool:
        """Whether it succeeded, and wrote as much as it was to."""
        if self.errno is not None or self._result is ANY:
            return False
        return self._result is WHOLE or bool(self._result == self.length)

    @property
    def is_aligned(self) -> bool:
        """Whether it begins and ends at page boundaries, as far as that is known."""
        numbers = (self.offset, self.length)
        return all(not isinstance(each, int) or each % self.page_size == 0 for each in numbers)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Call):
            return NotImplemented
        return (
            not self._names.isdisjoint(other._names)
            and bool(self.family == other.family)
            and bool(self.path == other.path)
            and bool(self.target == other.target)
            and bool(self.offset == other.offset)
            and bool(self.length == other.length)
            and bool(self.errno == other.errno)
            and _same_result(self, other)
            and _same_flags(self.flags, other.flags)
            and bool(self.created == other.created)
            and bool(self.synced_by == other.synced_by)
            and bool(self.datasync == other.datasync)
            and (self.name != UNKNOWN or bool(self.reason == other.reason))
        )

    # Two calls that equal a third need not equal each other, so no hash can agree.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return spell(self)


def _same_result(one: Call, other: Call) -> bool:
    first, second = one._result, other._result  # noqa: SLF001  # its own class's
    if first is WHOLE and second is WHOLE:
        return True
    if first is WHOLE:
        return bool(second == other.length)
    if second is WHOLE:
        return bool(first == one.length)
    return bool(first == second)


def _same_flags(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if one is ANY or other is ANY:
        return True
    return frozenset(one) == frozenset(other)
