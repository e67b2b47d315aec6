"""What a call does to the bytes of its file."""

import pytest
from report_support import PAGE, call, close, fdatasync, pwrite

from tracefs.events import Injected
from tracefs.report.effects import Effect, effect
from tracefs.trace.call import Call

PRETENDED = Injected(kind="retval", rule="all:retval=0")


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (pwrite(5, 9), Effect("write", 5, 14)),
        (pwrite(5, 9, result=3), Effect("write", 5, 8)),
        (pwrite(0, synced_by="O_DSYNC"), Effect("synced write", 0, PAGE)),
        (pwrite(0, result=0), Effect("none")),
        (pwrite(0, ino=None), Effect("unplaced")),
        (pwrite(0, result=None), Effect("unplaced")),
        (call("write", "write", result=5), Effect("unplaced")),
        (call("write", "write", result=0), Effect("none")),
        (call("mmap", "write", offset=5, result=9), Effect("store", 5, 14)),
        (pwrite(0, errno=5, result=None), Effect("none")),
        (pwrite(0, injected=(PRETENDED,)), Effect("none")),
        (fdatasync(), Effect("sync")),
        (fdatasync(injected=(PRETENDED,)), Effect("none")),
        (call("fsync", "syncdir"), Effect("sync")),
        (fdatasync(errno=5, result=None), Effect("loses")),
        (fdatasync(errno=4, result=None), Effect("none")),
        (fdatasync(ino=None), Effect("none")),
        (call("fsync", "syncdir", errno=5), Effect("none")),
        (call("sync", "syncfs", ino=None, result=0), Effect("sync all")),
        (call("syncfs", "syncfs", result=0), Effect("sync all")),
        (call("syncfs", "syncfs", reason="not visible"), Effect("none")),
        (call("ftruncate", "truncate", length=5), Effect("cut", 5)),
        (call("ftruncate", "truncate"), Effect("none")),
        (call("openat", "open", flags=("O_TRUNC",)), Effect("emptied")),
        (call("openat", "open", flags=("O_TRUNC",), created=True), Effect("made")),
        (call("openat", "open", flags=("O_TRUNC",), created=None), Effect("emptied")),
        (call("openat", "open", created=True, errno=2), Effect("none")),
        (call("unlink", "unlink"), Effect("unlinked")),
        (close(), Effect("none")),
    ],
)
def test_what_a_call_does_to_its_file(one: Call, what: Effect) -> None:
    assert effect(one) == what
