"""A descriptor held back for a moment when no other is free."""

import errno
import os
from typing import Final

_NONE_FREE: Final = (errno.EMFILE, errno.ENFILE)


class Spare:
    """One descriptor more than the limit leaves.

    Args:
        fd: any open descriptor that stays open; duplicates of it are what is held back.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._held = os.dup(fd)

    def close_duplicate(self, fd: int) -> None:
        """Close a duplicate of *fd*, so that its filesystem reports late write errors (close(2)).

        Raises:
            OSError: such an error; never EMFILE, since the program is giving a descriptor up.
        """
        try:
            duplicate = os.dup(fd)
        except OSError as error:
            if error.errno not in _NONE_FREE:
                raise
            os.close(self._held)
            duplicate = os.dup(fd)
            try:
                os.close(duplicate)
            finally:
                self._held = os.dup(self._fd)
        else:
            os.close(duplicate)

    def close(self) -> None:
        """Give it back."""
        os.close(self._held)
