"""Breaks `synced`: the file is closed first, then opened again and synced.

Why it matters: a write-back error that happens in between is reported to descriptors that were
open at the time (fsync(2), NOTES); the new one need not hear of it, and between the close and the
sync the page is not on the disk.
"""

import os

from target import PAGE_SIZE, arguments, full_page

path, page_no = arguments()
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, full_page(b"synced too late"), page_no * PAGE_SIZE)
os.close(fd)
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
os.fdatasync(fd)
os.close(fd)
