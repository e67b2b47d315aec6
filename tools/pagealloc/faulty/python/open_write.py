"""Breaks `positional-write`, `synced`, `no-seek`, `open-flags`: Python's open, seek, write.

Why it matters: mode "wb" empties the file of all the pages it had, seek and write go by the file
position, and leaving the `with` block closes the file, which is no sync. It is how files are
written nearly everywhere, and the right way for a file that is written once from its beginning.
"""

import sys

MAGIC = 0x4453453150414745

path, page_no = sys.argv[1], int(sys.argv[2])
page = MAGIC.to_bytes(8, "little") + bytes(8) + b"open().write"
with open(path, "wb") as file:
    file.seek(page_no * 4096)
    file.write(page.ljust(4096, b"\0"))
