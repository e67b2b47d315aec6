"""Breaks `positional-write`, `synced`, `no-seek`: the page is flushed, but not synced.

Why it matters: flush empties Python's buffer into the kernel's cache by write(2), and no further.
The word promises more than it does: a power failure in the next half minute loses the page. Mode
"r+b" keeps the other pages, and asks for the file to be there already.
"""

import sys
from pathlib import Path

MAGIC = 0x4453453150414745

path, page_no = sys.argv[1], int(sys.argv[2])
page = MAGIC.to_bytes(8, "little") + bytes(8) + b"flushed"
Path(path).touch()
with open(path, "r+b") as file:
    file.seek(page_no * 4096)
    file.write(page.ljust(4096, b"\0"))
    file.flush()
