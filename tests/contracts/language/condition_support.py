"""Conditions and calls that tests of the contract language are made of."""

from typing import Any, cast

from hypothesis import strategies as st

from tracefs.contracts.language.evaluate import View
from tracefs.contracts.language.fields import KINDS, OF_FILE
from tracefs.contracts.language.model import (
    Arithmetic,
    Comparison,
    Contains,
    Expression,
    Field,
    FlagSet,
    Kind,
    Logic,
    Not,
    Number,
    Text,
)
from tracefs.placed.place import Place
from tracefs.placed.snippet import Snippet
from tracefs.trace.call import Call

HEAD = 'version = 1\n[[contract]]\nid = "c"\n'
"""Three lines, so that what a test adds begins at line 4."""


def snippet(text: str) -> Snippet:
    """Return *text* as if it stood at the beginning of a file."""
    return Snippet("c.toml", text, tuple(Place(1, at + 1) for at in range(len(text) + 1)))


FLAGS = ("O_RDWR", "O_CREAT", "O_APPEND", "O_DIRECT", "SEEK_SET")
_FLAG = st.sampled_from(FLAGS)
_KNOWN_VALUES = {"call", "errno", "family", "synced_by"}


def _fields(kind: Kind) -> st.SearchStrategy[Expression]:
    return st.sampled_from([Field(name) for name, each in KINDS.items() if each is kind])


_free_texts = st.text(
    st.characters(blacklist_characters="'\"\\", blacklist_categories=["Cs", "Cc"]), max_size=4
).map(Text)
_numbers = st.recursive(
    st.integers(-3, 5).map(Number)
    | st.integers(-(2**64) + 1, 2**64 - 1).map(Number)
    | _fields(Kind.NUMBER),
    lambda inner: st.builds(Arithmetic, st.sampled_from(["+", "-", "*", "//", "%"]), inner, inner),
    max_leaves=5,
)
_flag_sets = _fields(Kind.FLAGS) | st.frozensets(_FLAG, max_size=3).map(FlagSet)
_ORDERED = ["==", "!=", "<", "<=", ">", ">="]
_EQUAL = ["==", "!="]


def _compared(left: Any, right: Any, operators: list[str]) -> st.SearchStrategy[Expression]:
    return st.builds(Comparison, st.sampled_from(operators), left, right)


_free = st.sampled_from([Field("path"), Field("target"), Field("note")])
_texts = (
    _compared(_free | _free_texts, _free | _free_texts, _EQUAL)
    | _compared(st.just(Field("call")), st.sampled_from([Text("pwrite64"), Text("fsync")]), _EQUAL)
    | _compared(st.sampled_from([Text("EIO"), Text("")]), st.just(Field("errno")), _EQUAL)
    | _compared(st.just(Field("family")), st.just(Text("write")), _EQUAL)
    | _compared(st.just(Field("synced_by")), st.sampled_from([Text("O_SYNC"), Text("")]), _EQUAL)
)
conditions: st.SearchStrategy[Expression] = st.recursive(
    _fields(Kind.TRUTH)
    | _texts
    | _compared(_numbers, _numbers, _ORDERED)
    | _compared(_flag_sets, _flag_sets, _ORDERED)
    | st.builds(Contains, _FLAG, _flag_sets, st.booleans()),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(Logic, st.sampled_from(["and", "or"]), inner, inner)
        | _compared(inner, inner, _EQUAL)
    ),
    max_leaves=6,
)

_AMOUNT = st.none() | st.integers(-2, 5) | st.sampled_from([4096, 8192, 2**63 - 1])
_NAME = st.sampled_from([None, "", "a", "a.db"])
calls = st.builds(
    Call,
    index=st.just(0),
    call=st.sampled_from(["pwrite64", "fsync", "openat", "mmap", "unknown"]),
    family=st.sampled_from(["write", "sync", "syncdir", "open", "seek"]),
    known_by=st.none(),
    path=_NAME,
    start_ns=st.just(0),
    end_ns=st.just(1),
    tid=st.none() | st.integers(1, 3),
    pid=st.none() | st.integers(1, 3),
    fd=_AMOUNT,
    offset=_AMOUNT,
    length=_AMOUNT,
    result=_AMOUNT,
    errno=st.sampled_from([0, 0, 5, 999]),
    flags=st.lists(_FLAG, max_size=3).map(tuple),
    fragments=st.integers(0, 3),
    position=_AMOUNT,
    synced_by=st.sampled_from([None, "O_SYNC"]),
    target=_NAME,
    created=st.booleans(),
    size=_AMOUNT,
    datasync=st.booleans(),
    note=st.sampled_from([None, "posix_fallocate of the C library"]),
)


class Facts:
    """A view whose facts are given."""

    def __init__(self, page_size: int, facts: dict[str, bool | None]) -> None:
        self.page_size = page_size
        self._facts = facts

    def __getattr__(self, name: str) -> bool | None:
        return self._facts.get(name)


def facts(page_size: int, known: dict[str, bool | None]) -> View:
    """Return a view that knows this."""
    return cast("View", Facts(page_size, known))


views: st.SearchStrategy[View] = st.builds(
    facts,
    st.sampled_from([1, 512, 4096]),
    st.fixed_dictionaries({name: st.none() | st.booleans() for name in OF_FILE}),
)
