"""A Dask scheduler whose workers do work of ours; Dask is an extra."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tracefs.errors import SetupError

if TYPE_CHECKING:
    from distributed import Client

PATIENCE_S: Final = 10
"""How long a scheduler, and its first worker, may take to answer."""


@contextmanager
def connected(address: str) -> Iterator["Client"]:
    """Have the scheduler at *address* (``tcp://HOST:PORT``), to the end of the block.

    Raises:
        SetupError: Dask isn't installed, or nobody answers.
    """
    try:
        from distributed import Client  # noqa: PLC0415  # an extra
    except ImportError:
        raise SetupError(
            "a scheduler needs Dask, which is not installed",
            repair="python -m pip install 'tracefs[dask]'",
        ) from None
    try:
        client = Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SetupError(f"no scheduler answers at {address}: {error}") from None
    with client:
        yield client
