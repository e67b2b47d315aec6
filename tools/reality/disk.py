"""An image file as a disk: made, mounted, and copied as a power failure would leave it."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reality.filesystems import Filesystem

_BLOCK: Final = 4096
_CHUNK: Final = 1 << 20
_IN_FLIGHT: Final = 8
"""Which field of ``/sys/block/NAME/stat`` counts requests under way (kernel: block/stat.rst)."""


def make(filesystem: Filesystem, image: Path) -> None:
    """Make an empty filesystem in the new file *image*; OSError: its mkfs did not."""
    with image.open("xb") as file:
        file.truncate(filesystem.size)
    _run(filesystem.maker, *filesystem.making, os.fspath(image))


@contextmanager
def mounted(filesystem: Filesystem, image: Path, place: Path) -> Iterator[Path]:
    """Mount *image* at *place*, recovering what is in its log; OSError: that failed.

    The loop device goes with the mount (LO_FLAGS_AUTOCLEAR), also if this process is killed.
    """
    options = f"loop,{filesystem.options}"
    _run("mount", "-t", filesystem.type, "-o", options, os.fspath(image), os.fspath(place))
    try:
        yield place
    finally:
        _run("umount", os.fspath(place))


def copy(image: Path, device: Path, to: Path) -> str:
    """Copy what *device* has been sent so far from *image* to the new file *to*, holes left out.

    Returns:
        A hash of the bytes.

    Raises:
        OSError: it was written to all the time.
    """
    for _ in range(100):
        before = _counts(device)
        digest = duplicate(image, to)
        # A copy that took a part before and another part after a write is of no moment at all.
        if before[_IN_FLIGHT] == 0 and before == _counts(device):
            return digest
        to.unlink()
    raise OSError(f"{device} is written to all the time")


def device_of(place: Path) -> Path:
    """Return the sysfs directory of the block device that is mounted at *place*."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields, rest = line.split(" - ")
        if fields.split()[4] == os.fspath(place):
            return Path("/sys/block", Path(rest.split()[1]).name)
    raise OSError(f"nothing is mounted at {place}")


def sparse(image: Path) -> None:
    """Make holes of the zeros that mkfs wrote."""
    thin = image.with_suffix(".thin")
    duplicate(image, thin)
    thin.rename(image)


def duplicate(image: Path, to: Path) -> str:
    """Copy *image* to the new file *to*, zeros left out, and return a hash of the rest."""
    digest = hashlib.blake2b(digest_size=16)
    with image.open("rb") as source, to.open("xb") as target:
        size = os.fstat(source.fileno()).st_size
        target.truncate(size)
        for start, end in _data(source.fileno(), size):
            for offset in range(start, end, _CHUNK):
                piece = os.pread(source.fileno(), min(_CHUNK, end - offset), offset)
                for at in range(0, len(piece), _BLOCK):
                    block = piece[at : at + _BLOCK]
                    if block.strip(b"\0"):
                        os.pwrite(target.fileno(), block, offset + at)
                        digest.update(b"%d" % (offset + at) + block)
    return digest.hexdigest()


def _data(fd: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each part that is no hole."""
    end = 0
    while end < size:
        try:
            start = os.lseek(fd, end, os.SEEK_DATA)
        except OSError:  # ENXIO: only a hole is left
            return
        end = os.lseek(fd, start, os.SEEK_HOLE)
        yield start, end


def _counts(device: Path) -> list[int]:
    return [int(word) for word in (device / "stat").read_text(encoding="ascii").split()]


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{words[0]}: {done.stderr.strip() or done.stdout.strip()}")
