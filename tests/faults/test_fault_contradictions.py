"""What can't stand together in one rule."""

import pytest

from tracefs.errors import RuleError
from tracefs.faults import able, asked
from tracefs.faults.spelling import parse


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fsync:mode=xfs", "expected error= beside mode=xfs: a mode is how a sync fails"),
        ("fsync=EIO:retval=0", "expected one of error and retval: a call ends once"),
        ("write:short=1:full=1", "expected one of short and full: a call ends once"),
        ("read=EIO:rot=1", "expected one of error and rot: a call ends once"),
        (
            "write=EIO:mode=xfs",
            "expected calls that sync a file, as sync or fdatasync, beside mode=xfs, saw write",
        ),
        (
            "syncdir=EIO:mode=xfs",
            "expected calls that sync a file, as sync or fdatasync, beside mode=xfs, saw syncdir",
        ),
        (
            "write,fsync:short=1",
            "expected calls that write, as write or pwrite, beside short, saw fsync",
        ),
        (
            "truncate:full=1",
            "expected calls that take room, as write or allocate, beside full, saw truncate",
        ),
        ("write:rot=1", "expected calls that read, as read, beside rot, saw write"),
        (
            "open:retval=0",
            (
                "expected calls that only say that they are done, as sync or close, "
                "beside retval=0, saw open"
            ),
        ),
        (
            "write:retval=0",
            (
                "expected calls that only say that they are done, as sync or close, "
                "beside retval=0, saw write"
            ),
        ),
        (
            "fsync:retval=1",
            (
                "expected calls that return how much they wrote, as write or pwrite, "
                "beside retval=1, saw fsync"
            ),
        ),
        (
            "fsync=EIO:after_bytes=1",
            "expected calls that move bytes, as read and write, beside after_bytes, saw fsync",
        ),
        (
            "fsync:delay_per_mib=1",
            "expected calls that move bytes, as read and write, beside delay_per_mib, saw fsync",
        ),
        (
            "rename=ESTALE",
            (
                "expected calls that the kernel passes ESTALE of on, as write or sync, beside "
                "error=ESTALE, saw rename"
            ),
        ),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)
    assert str(caught.value) == f"rule '{text}': {said}"


@pytest.mark.parametrize(
    ("text", "struck"),
    [
        ("sync=EIO", {"fsync", "fsyncdir"}),
        ("sync=EIO:mode=xfs", {"fsync"}),
        ("all:rot=1", {"read"}),
        ("all:short=1", {"copy", "write"}),
        ("all:full=1M", {"copy", "fallocate", "mkdir", "symlink", "write"}),
        ("all=ESTALE", {"copy", "fallocate", "flush", "fsync", "fsyncdir", "read", "write"}),
        ("all:retval=0", {"flush", "fsync", "fsyncdir"}),
        ("write,read:after_bytes=1M:error=EIO", {"copy", "read", "write"}),
        ("write=EXDEV", {"write"}),
        ("copy_file_range=EXDEV", {"write"}),
        ("fallocate=EIO", {"fallocate"}),
        ("write=EIO", {"copy", "write"}),
        ("lseek=EIO", set()),
        ("all=EIO", asked.EVERY),
    ],
)
def test_a_rule_strikes_what_it_can_do_that_to(text: str, struck: set[str]) -> None:
    assert able.struck(parse(text)) == struck


@pytest.mark.parametrize("text", ["lseek:short=1", "sync_file_range=EIO:mode=xfs", "dup:retval=0"])
def test_what_no_filesystem_hears_is_not_refused_but_warned_about(text: str) -> None:
    assert parse(text).text == text.replace("=EIO:", ":error=EIO:")
