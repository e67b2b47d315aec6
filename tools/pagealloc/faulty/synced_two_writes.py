"""Breaks `synced`: two pages are written, and one sync follows both.

Why it matters: until the sync the disk may take the second page and not the first. Who relies on
their order has none.
"""

import os

from target import PAGE_SIZE, arguments, full_page

path, page_no = arguments()
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, full_page(b"no sync of its own"), page_no * PAGE_SIZE)
os.pwrite(fd, full_page(b"synced"), (page_no + 1) * PAGE_SIZE)
os.fdatasync(fd)
os.close(fd)
