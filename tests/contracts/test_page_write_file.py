"""page-write's file and its Python find the same in programs of any kind.

So they do in every other test of page-write: `page_write_calls.judge` compares them.
"""

from errno import EINTR, EIO, ENOSPC
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from page_write_calls import PAGE, Opened, Script, advice, judge

_WRITES: list[dict[str, Any]] = [
    {},
    {},
    {"name": "write", "position": None},
    {"name": "unknown", "length": None},
    {"name": "writev", "length": None},
    {"name": "mmap", "tid": None, "position": None},
    {"name": "mmap", "tid": None, "position": None, "offset": 100, "length": 9, "result": 9},
    {"length": 100},
    {"result": 100},
    {"result": 0},
    {"result": None},
    {"offset": PAGE + 100, "length": PAGE - 100},
    {"offset": None},
    {"errno": EINTR},
    {"errno": ENOSPC},
    {"synced_by": "O_DSYNC"},
    {"position": 3 * PAGE},
    {"note": "glibc's posix_fallocate", "length": 1, "result": 1},
    {"note": "O_APPEND was set after the open"},
]
_WHOLE = [each for each in _WRITES if each.keys().isdisjoint({"result", "errno"})]
_SYNCS: list[dict[str, Any]] = [
    {},
    {},
    {"name": "fsync"},
    {"name": "msync"},
    {"errno": EIO, "result": None},
    {"errno": EINTR, "result": None},
]
_SEEKS: list[dict[str, Any]] = [
    {"offset": PAGE, "result": PAGE, "flags": ("SEEK_SET",)},
    {"offset": 0, "result": 0, "flags": ("SEEK_CUR",)},
    {"offset": -1, "errno": 22, "flags": ("SEEK_SET",)},
]
_STEPS = ["write"] * 6 + ["sync"] * 4 + ["again", "close", "seek", "resize", "style", "name", "dir"]


def _open(draw: st.DrawFn, script: Script) -> Opened:
    flags = draw(
        st.sampled_from(
            [("O_RDWR", "O_CREAT")] * 4
            + [("O_WRONLY",), ("O_RDWR", "O_TRUNC"), ("O_WRONLY", "O_APPEND")]
        )
    )
    path = draw(st.sampled_from(["a.db", "a.db", "d/b.db"]))
    new = path not in script._inos and draw(st.booleans())
    return script.open(path, flags=flags, created=new)


@st.composite
def any_programs(draw: st.DrawFn, *, seeks: bool) -> Script:
    """Return a program that does right and wrong.

    Of several opens of a file none writes short: the Python counts what one leaves and another one
    takes up as one write, and the file as two.
    """
    script = Script()
    opened = [_open(draw, script)]
    several = draw(st.booleans())
    writes = _WHOLE if several else _WRITES
    for _ in range(draw(st.integers(min_value=1, max_value=14))):
        _step(draw, script, opened, writes, seeks=seeks)
        if not several:
            del opened[:-1]
        if not opened:
            opened.append(_open(draw, script))
    return script


def _step(
    draw: st.DrawFn,
    script: Script,
    opened: list[Opened],
    writes: list[dict[str, Any]],
    *,
    seeks: bool,
) -> None:
    file = draw(st.sampled_from(opened))
    match draw(st.sampled_from(_STEPS)):
        case "write":
            page = draw(st.integers(min_value=0, max_value=9))
            script.write(file, page, **draw(st.sampled_from(writes)))
        case "sync":
            script.sync(file, **draw(st.sampled_from(_SYNCS)))
        case "again":
            opened.append(_open(draw, script))
        case "close":
            script.close(file)
            if draw(st.booleans()):
                script.release(file)
                opened.remove(file)
        case "seek" if seeks:
            of = {"path": file.path, "ino": file.ino, "handle": file.handle, "position": 0}
            script.call("lseek", "seek", **of, **draw(st.sampled_from(_SEEKS)))
        case "resize":
            script.call("ftruncate", "truncate", path=file.path, ino=file.ino, length=PAGE)
        case "style":
            script.call("fchmod", "attr", path=file.path, ino=file.ino)
        case "name":
            _rename(script, opened, file, draw(st.sampled_from(["a.db", "new.db", "e/b.db"])))
        case _:
            script.syncdir(draw(st.sampled_from([".", "d", "e"])), errno=draw(_FAILED))


def _rename(script: Script, opened: list[Opened], file: Opened, target: str) -> None:
    script.call("rename", "rename", path=file.path, target=target, ino=file.ino)
    script._inos[target] = script._inos.pop(file.path, file.ino)
    for other in opened:
        other.path = target if other.ino == file.ino else other.path


_FAILED = st.sampled_from([0, 0, EIO])


@settings(deadline=None)
@given(any_programs(seeks=True), st.booleans())
def test_both_find_the_same_where_seeks_are_heard(script: Script, complete: bool) -> None:
    judge(script.items, complete=complete, witness="seccomp")


@settings(deadline=None)
@given(any_programs(seeks=False), st.booleans(), st.sampled_from([(), ("a.db",)]))
def test_both_find_the_same_by_the_file_position(
    script: Script, complete: bool, paths: tuple[str, ...]
) -> None:
    judge(script.items, complete=complete, paths=paths)


def test_a_name_that_another_new_file_takes_over() -> None:
    script = Script()
    first, second = script.open("d/b.db", created=True), script.open("a.db", created=True)
    script.page(first)
    _rename(script, [first, second], first, "a.db")
    assert advice(judge(script.items)) == ["directory-synced"]
