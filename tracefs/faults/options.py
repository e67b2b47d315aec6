"""The options of a rule, each read from its text."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from msgspec import Struct

from tracefs.errornames import ERRNOS, errno_number
from tracefs.faults import amounts, delay_text, when_text
from tracefs.faults.model import Delay, Mode, Per, When
from tracefs.faults.refused import RefusedError
from tracefs.pathtext import quoted
from tracefs.suggestion import suggestion

_HIGHEST_ERROR: Final = 511
"""The kernel takes no higher one from a filesystem (fuse_dev_do_write in fs/fuse/dev.c)."""
_USUAL: Final = (
    "EACCES", "EAGAIN", "EBUSY", "EDQUOT", "EEXIST", "EFBIG", "EINTR", "EINVAL", "EIO", "EISDIR",
    "EMFILE", "ENFILE", "ENOENT", "ENOMEM", "ENOSPC", "ENOTDIR", "ENOTEMPTY", "EPERM", "EROFS",
    "ESTALE", "ETIMEDOUT", "EXDEV",
)  # fmt: skip
"""Errors that files have: of those that a word resembles, it rather means one of these."""
_NO_SUCH_CALL: Final = "ENOSYS"
_MOST_BITS: Final = 1 << 20

FLAGS: Final = frozenset({"stuck"})
"""Options without a value."""
OF_STRACE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "poke_enter": "nothing here writes into a program's memory",
        "poke_exit": "nothing here writes into a program's memory",
        "signal": "nothing here sends signals",
        "syscall": "nothing here makes another call",
    }
)
"""Options that strace alone has, and why."""
_GLOBS: Final = frozenset({"file", "glob", "path"})
"""What a glob is called elsewhere, in files of rules among others."""


def _meant(key: str) -> str:
    """Return what somebody may have wanted who wrote *key*, which is no option."""
    if errno_number(key) is not None:
        return f"; did you mean error={key}?"
    if key in _GLOBS:
        return ": a glob stands behind the calls, as in write(*.db)=EIO"
    return suggestion(key, KEYS)


def _error(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else None
    if number is None:
        number = errno_number(text)
        if number is None:
            instead = suggestion(text, _USUAL) or suggestion(text, ERRNOS)
            raise RefusedError(f"expected an error name, as in EIO, saw {quoted(text)}{instead}")
    if number == errno_number(_NO_SUCH_CALL):
        raise RefusedError(
            f"expected an error that a file can have, saw {_NO_SUCH_CALL}: the kernel takes it for "
            "a filesystem without this call, hides it and doesn't ask again"
        )
    if not 1 <= number <= _HIGHEST_ERROR:
        raise RefusedError(
            f"expected an error from 1 to {_HIGHEST_ERROR}, as the kernel takes from a filesystem, "
            f"saw {quoted(text)}"
        )
    return number


_Choice = TypeVar("_Choice", Mode, Per)


def _one_of(kind: type[_Choice]) -> Callable[[str], _Choice]:
    def read(text: str) -> _Choice:
        known = [choice.value for choice in kind]
        if text not in known:
            raise RefusedError(
                f"expected {', '.join(known[:-1])} or {known[-1]}, saw {quoted(text)}"
                f"{suggestion(text, known)}"
            )
        return kind(text)

    return read


def _retval(text: str) -> int:
    if text.startswith("-"):
        raise RefusedError(
            f"expected a number from 0 on, saw {quoted(text)}: what fails is made by error="
        )
    return amounts.size(text)


def _rot(text: str) -> int:
    bits = amounts.count(text, least=1)
    if bits > _MOST_BITS:
        raise RefusedError(f"expected at most {_MOST_BITS} bits, saw {quoted(text)}")
    return bits


_READERS: Final[Mapping[str, Callable[[str], object]]] = MappingProxyType(
    {
        "error": _error,
        "retval": _retval,
        "short": lambda text: amounts.size(text, least=1),
        "full": amounts.size,
        "rot": _rot,
        "mode": _one_of(Mode),
        "delay_enter": delay_text.read,
        "delay_exit": delay_text.read,
        "delay_per_mib": amounts.milliseconds,
        "when": when_text.read,
        "per": _one_of(Per),
        "after_bytes": amounts.size,
        "probability": lambda text: amounts.fraction(text, 1),
        "seed": amounts.count,
    }
)
KEYS: Final = (*_READERS, *sorted(FLAGS))
"""All options."""


class Options(Struct):
    """The values of the options, as far as there are any."""

    error: int | None = None
    retval: int | None = None
    short: int | None = None
    full: int | None = None
    rot: int | None = None
    stuck: bool = False
    mode: Mode | None = None
    delay_enter: Delay | None = None
    delay_exit: Delay | None = None
    delay_per_mib: float = 0.0
    when: When | None = None
    per: Per | None = None
    after_bytes: int = 0
    probability: float = 1.0
    seed: int = 0

    def take(self, key: str, text: str | None) -> None:
        """Set the option *key* to what *text* says; None: it was written without a value.

        Raises:
            RefusedError: There is no such option, or *text* is no value of it.
        """
        if key in OF_STRACE:
            raise RefusedError(f"{key} is strace's alone: {OF_STRACE[key]}")
        if key in FLAGS:
            if text is not None:
                raise RefusedError(f"expected {key} without a value, saw {quoted(text)}")
            self.stuck = True
            return
        read = _READERS.get(key)
        if read is None:
            raise RefusedError(f"expected an option, saw {quoted(key)}{_meant(key)}")
        if text is None:
            raise RefusedError(f"expected {key}=VALUE, saw {key} alone")
        try:
            setattr(self, key, read(text))
        except RefusedError as refused:
            raise RefusedError(f"{key}: {refused.what}") from None
