"""Breaks `complete`: pwrite64 writes half of the page, says so, and nobody looks at what it said.

Why it matters: a full disk, a quota or a limit cuts a write short without any error; the result is
the only sign. Here RLIMIT_FSIZE cuts it (setrlimit(2)). Python ignores SIGXFSZ, which would end
another program at once when the limit leaves room for nothing.
"""

import os
import resource

from target import PAGE_SIZE, arguments, full_page

path, page_no = arguments()
offset = page_no * PAGE_SIZE
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (offset + PAGE_SIZE // 2, hard))

fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
os.pwrite(fd, full_page(b"half of a page"), offset)
os.fdatasync(fd)
os.close(fd)
