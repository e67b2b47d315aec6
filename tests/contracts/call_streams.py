"""Streams of calls that nobody thought of: hypothesis strategies."""

from hypothesis import strategies as st
from page_write_calls import PAGE

from tracefs.trace.call import Call, Released

_SMALL = st.integers(min_value=0, max_value=4)
_TIME = st.integers(min_value=0, max_value=40)
_BYTES = st.sampled_from([None, 0, 1, 100, PAGE, PAGE + 100, 2 * PAGE])
_FAMILIES = [
    "open",
    "write",
    "sync",
    "syncdir",
    "close",
    "truncate",
    "allocate",
    "attr",
    "xattr",
    "rename",
    "link",
    "unlink",
    "mkdir",
    "seek",
    "read",
]
_NAMES = [
    "pwrite64",
    "write",
    "pwritev2",
    "mmap",
    "unknown",
    "fdatasync",
    "fsync",
    "msync",
    "lseek",
    "openat",
]
_FLAGS = [
    "O_RDWR",
    "O_WRONLY",
    "O_RDONLY",
    "O_CREAT",
    "O_TRUNC",
    "O_APPEND",
    "O_DSYNC",
    "SEEK_CUR",
    "SEEK_SET",
]
_PATHS = st.sampled_from([None, ".", "a.db", "sub/b.db", "sub"])

calls = st.builds(
    Call,
    index=_SMALL,
    call=st.sampled_from(_NAMES),
    family=st.sampled_from(_FAMILIES),
    known_by=st.sampled_from([None, "proc", "fuse"]),
    path=_PATHS,
    start_ns=_TIME,
    end_ns=_TIME,
    tid=st.none() | _SMALL,
    ino=st.none() | _SMALL,
    handle=st.none() | _SMALL,
    offset=_BYTES,
    length=_BYTES,
    result=_BYTES,
    errno=st.sampled_from([0, 0, 0, 4, 5, 28]),
    flags=st.lists(st.sampled_from(_FLAGS), max_size=3).map(tuple),
    position=_BYTES,
    synced_by=st.sampled_from([None, None, "O_DSYNC"]),
    target=_PATHS,
    created=st.booleans(),
    size=_BYTES,
    datasync=st.booleans(),
    note=st.sampled_from([None, None, "glibc's posix_fallocate", "something else"]),
    reason=st.sampled_from([None, "EACCES"]),
)
items = calls | st.builds(Released, handle=_SMALL, ino=_SMALL, end_ns=_TIME)
