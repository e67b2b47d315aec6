"""Breaks `open-flags`: the file is opened with O_APPEND.

Why it matters: on Linux pwrite64 then ignores its offset and appends (pwrite(2), BUGS). The page
lands where it was meant to only while PAGE_NO is the file's next page, as on a new file 0 is: with
any other number the page lies elsewhere than the call says.
"""

import os

from target import PAGE_SIZE, arguments, full_page

path, page_no = arguments()
fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
os.pwrite(fd, full_page(b"appended"), page_no * PAGE_SIZE)
os.fdatasync(fd)
os.close(fd)
