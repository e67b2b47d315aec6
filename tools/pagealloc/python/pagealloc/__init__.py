"""Pages of 4096 bytes in a file: each written whole, at its own offset, and synced.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     path = folder + "/pages"
...     write_page(path, 0, b"first page")
...     read_page(path, 0)[:10]
b'first page'
"""

from pagealloc.errors import ArgumentError, ContentError, PageError, SyncError, SystemCallError
from pagealloc.filling import fill_pages
from pagealloc.page import LAST_PAGE_NO, MAGIC, PAGE_SIZE, PAGES_MAX, PAYLOAD_MAX
from pagealloc.store import read_page, write_page

__all__ = [
    "LAST_PAGE_NO",
    "MAGIC",
    "PAGES_MAX",
    "PAGE_SIZE",
    "PAYLOAD_MAX",
    "ArgumentError",
    "ContentError",
    "PageError",
    "SyncError",
    "SystemCallError",
    "fill_pages",
    "read_page",
    "write_page",
]
