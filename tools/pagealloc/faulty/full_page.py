"""Breaks `full-page`: the call writes 100 bytes of the page and not all 4096.

Why it matters: what lies behind the 100 bytes is whatever was there before, and the kernel has to
read the page in order to change a part of it.
"""

import os

from target import PAGE_SIZE, arguments, full_page

path, page_no = arguments()
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, full_page(b"a part of a page")[:100], page_no * PAGE_SIZE)
os.fdatasync(fd)
os.close(fd)
