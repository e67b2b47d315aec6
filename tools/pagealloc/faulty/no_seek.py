"""Breaks `no-seek`: a stray lseek beside a correct pwrite64.

Why it matters: the page lands where it should, for pwrite64 doesn't look at the position. But the
position now lies a thousand pages further, and the next write(2) or read(2) on this descriptor,
perhaps in another thread, happens there.
"""

import os

from target import PAGE_SIZE, arguments, full_page

path, page_no = arguments()
fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
os.lseek(fd, (page_no + 1000) * PAGE_SIZE, os.SEEK_SET)
os.pwrite(fd, full_page(b"beside a seek"), page_no * PAGE_SIZE)
os.fdatasync(fd)
os.close(fd)
