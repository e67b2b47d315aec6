"""Saves `c.json`, beside it and by a rename, and acknowledges that by the directory `.ack:saved`.

The only argument is how it deals with calls that fail: `right`, or one of the mistakes below.
"""

import contextlib
import os
import sys
from pathlib import Path

CONTENTS = b'{"balance": 70}\n' * 1000
way = sys.argv[1]


def write_all(fd: int, data: bytes) -> None:
    """Write all of it; Python calls again after EINTR by itself (PEP 475)."""
    while data:
        data = data[os.write(fd, data) :]


def save() -> None:
    """Save, or raise OSError with the old contents as they were."""
    fd = os.open("c.json.tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        if way == "count-ignored":
            os.write(fd, CONTENTS)
        else:
            write_all(fd, CONTENTS)
        if way == "suppressed":
            with contextlib.suppress(OSError):
                os.fsync(fd)
        else:
            os.fsync(fd)
        os.rename("c.json.tmp", "c.json")
    except OSError:
        os.unlink("c.json.tmp")
        raise
    finally:
        os.close(fd)


try:
    if way == "in-place":
        Path("c.json").write_bytes(CONTENTS)
    else:
        save()
except OSError as error:
    if way != "logged":
        sys.exit(f"c.json is not saved: {error.strerror}")
    print(f"c.json is not saved: {error.strerror}", file=sys.stderr)
else:
    with contextlib.suppress(FileExistsError):
        os.mkdir(".ack:saved")
