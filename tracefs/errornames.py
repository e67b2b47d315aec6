"""Error numbers of the system by their names in errno(3)."""

import errno
from typing import Final

ERRNOS: Final = frozenset(errno.errorcode.values())


def errno_name(name: str) -> str | None:
    """Return the one name that the error *name* has here, or None where there is no such error.

    >>> errno_name("EWOULDBLOCK"), errno_name("EIO"), errno_name("EVIL")
    ('EAGAIN', 'EIO', None)
    """
    number = errno_number(name)
    return None if number is None else errno.errorcode.get(number)


def errno_number(name: str) -> int | None:
    """Return the number of the error *name*, or None where there is no such error.

    >>> errno_number("EIO"), errno_number("EVIL")
    (5, None)
    """
    number = getattr(errno, name, None) if name.startswith("E") else None
    return number if isinstance(number, int) else None


def name_of(number: int) -> str:
    """Return the name of the error *number*; the number itself where it has none.

    >>> name_of(5), name_of(41)
    ('EIO', '41')
    """
    return errno.errorcode.get(number, str(number))
