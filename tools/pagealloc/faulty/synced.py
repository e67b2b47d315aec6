"""Breaks `synced`: the page is written and the file closed, without any sync.

Why it matters: close(2) promises nothing. The page is in memory, and a power failure within the
next half minute loses it, although the program has said that it was stored.
"""

import os

from target import PAGE_SIZE, arguments, full_page

path, page_no = arguments()
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, full_page(b"never synced"), page_no * PAGE_SIZE)
os.close(fd)
