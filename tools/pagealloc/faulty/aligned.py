"""Breaks `aligned`: a whole page is written 512 bytes behind the page's boundary.

Why it matters: the write changes two pages, and after a crash one of them may be new and the other
old.
"""

import os

from target import PAGE_SIZE, arguments, full_page

path, page_no = arguments()
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, full_page(b"across two pages"), page_no * PAGE_SIZE + 512)
os.fdatasync(fd)
os.close(fd)
