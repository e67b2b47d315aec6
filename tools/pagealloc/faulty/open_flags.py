"""Breaks `open-flags`: the file is opened with O_TRUNC.

Why it matters: all pages that the file had are gone before the new one is written; a crash in
between leaves neither.
"""

import os

from target import PAGE_SIZE, arguments, full_page

path, page_no = arguments()
fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
os.pwrite(fd, full_page(b"all that is left"), page_no * PAGE_SIZE)
os.fdatasync(fd)
os.close(fd)
