"""Breaks `positional-write`, `no-seek`: flushed and synced, but written at the file position.

Why it matters: the page is on the disk, which is more than most programs can say. But the position
belongs to the open file, not to the thread: two threads that seek and then write, with one lock
forgotten, put a page where the other one was meant to go.
"""

import os
import sys
from pathlib import Path

MAGIC = 0x4453453150414745

path, page_no = sys.argv[1], int(sys.argv[2])
page = MAGIC.to_bytes(8, "little") + bytes(8) + b"synced"
Path(path).touch()
with open(path, "r+b") as file:
    file.seek(page_no * 4096)
    file.write(page.ljust(4096, b"\0"))
    file.flush()
    os.fsync(file.fileno())
