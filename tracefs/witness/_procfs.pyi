from collections.abc import Callable

from tracefs.events import Sighting

def call(fd: int, /) -> tuple[int, tuple[int, ...], int, int] | None: ...
def fdinfo(fd: int, /) -> tuple[int, int, int | None, int | None]: ...
def comm(fd: int, /) -> str | bytes: ...
def sight(
    make: Callable[..., Sighting],
    descriptors: bytes,
    pid: int,
    syscall: int,
    comm: int,
    kept: dict[int, int],
    /,
) -> Sighting | None: ...
