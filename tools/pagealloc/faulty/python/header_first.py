"""Breaks `positional-write`, `full-page`, `aligned`, `no-seek`: header and payload, one by one.

Why it matters: without a buffer each write becomes a call of its own. Between the two a crash, or
a reader, finds a page with a header and no payload, and the payload alone is not a page.
"""

import os
import sys
from pathlib import Path

MAGIC = 0x4453453150414745

path, page_no = sys.argv[1], int(sys.argv[2])
Path(path).touch()
with open(path, "r+b", buffering=0) as file:
    file.seek(page_no * 4096)
    file.write(MAGIC.to_bytes(8, "little") + bytes(8))
    os.fsync(file.fileno())
    file.write(b"header first".ljust(4080, b"\0"))
    os.fsync(file.fileno())
