"""Breaks `synced`: the sync goes to another file, FILE.other.

Why it matters: fdatasync(2) forces the file of its descriptor and no other. One wrong variable,
and every test passes as long as the power stays on.
"""

import os

from target import PAGE_SIZE, arguments, full_page

path, page_no = arguments()
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
other = os.open(path + ".other", os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, full_page(b"the other file was synced"), page_no * PAGE_SIZE)
os.fdatasync(other)
os.close(other)
os.close(fd)
