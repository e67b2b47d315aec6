"""What went back to what the disk had, below the calls."""

from tracefs.events import Fallen
from tracefs.report.frame import went_back

RULE = "fsync:error=EIO:mode=xfs"
NOW = 1_500_000_000


def line(path: str, offset: int, size: int, file_size: int | None = None) -> str:
    fallen = Fallen(
        start_ns=NOW, end_ns=NOW, tid=0, path=path, ino=7,
        offset=offset, size=size, file_size=file_size, rule=RULE,
    )  # fmt: skip
    (told,) = went_back([fallen], NOW - 1_000_000_000)
    assert told.path == path
    return told.line


def test_bytes_that_went_back() -> None:
    assert line("a\nb", 4096, 1) == (
        "# 1.000000 s, 'a\\x0ab': 1 byte at 4096 went back to what a failed sync left on the disk "
        f"({RULE})"
    )


def test_bytes_that_are_gone() -> None:
    assert line("c", 100, 50, 100) == (
        f"# 1.000000 s, 'c': 50 bytes at 100 are gone, as a failed sync left the disk ({RULE})"
    )
