"""Breaks `positional-write`: pages are written with write(2), at the file position.

Why it matters: the position is state that every thread and every duplicate of the descriptor
shares; whoever moves it in between makes the page land elsewhere. pwrite64 names the offset itself.

The pages from 0 to PAGE_NO are written in order, so that the position is right without any seek.
"""

import os

from target import arguments, full_page

path, page_no = arguments()
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
for _ in range(page_no + 1):
    os.write(fd, full_page(b"written at the file position"))
    os.fdatasync(fd)
os.close(fd)
