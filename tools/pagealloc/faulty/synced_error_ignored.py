"""Breaks `synced`: the sync is called with a wrong descriptor, a pipe's, and its error passed over.

Why it matters: fdatasync(2) answers EINVAL for a pipe, and nothing reached the disk. Who doesn't
look at the result of a sync has not synced.
"""

import os
from contextlib import suppress

from target import PAGE_SIZE, arguments, full_page

path, page_no = arguments()
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
wrong, _ = os.pipe()
os.pwrite(fd, full_page(b"the sync failed"), page_no * PAGE_SIZE)
with suppress(OSError):
    os.fdatasync(wrong)
os.close(fd)
