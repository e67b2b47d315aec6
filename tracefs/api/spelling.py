"""A call as the text of the constructor that makes an equal one."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tracefs.api.anything import ANY
from tracefs.trace.families import OWN

if TYPE_CHECKING:
    from tracefs.api.call import Call


class Shape(NamedTuple):
    """How one constructor is called."""

    function: str
    given: tuple[str, ...] = ("path",)
    """Fields that go by position, in their order."""
    keywords: tuple[str, ...] = ()
    """Fields that go by keyword, if they are told."""


KEYWORDS: Final[Mapping[str, str]] = MappingProxyType({"offset": "at", "target": "to"})
"""Fields whose keyword has another name."""
_WRITE: Final = ("offset", "result", "synced_by")
_OPEN: Final = ("path", "flags")
_MOVE: Final = ("path", "target")
_LINK: Final = ("target", "path")
_SIZED: Final = ("path", "length")


def _shapes() -> dict[tuple[str, str], Shape]:
    shapes = {
        ("pwrite64", "write"): Shape("pwrite", _SIZED, _WRITE),
        ("mmap", "write"): Shape("store", _SIZED, _WRITE),
        ("mmap", "map"): Shape("mmap", _SIZED, ("offset",)),
        ("fsync", "syncdir"): Shape("fsyncdir", keywords=("datasync",)),
        ("fdatasync", "syncdir"): Shape("fsyncdir", keywords=("datasync",)),
        ("open", "open"): Shape("open_", _OPEN, ("created",)),
        ("lseek", "seek"): Shape("lseek", ("path", "offset", "flags"), ("result",)),
        ("sync", "syncfs"): Shape("sync", ()),
        ("fallocate", "allocate"): Shape("fallocate", _SIZED, ("offset", "flags")),
        ("sync_file_range", "range"): Shape("sync_file_range", _SIZED, ("offset", "flags")),
    }
    for family, names, given, keywords in (
        ("write", ("write", "writev", "pwritev", "sendfile", "splice"), _SIZED, _WRITE),
        ("write", ("pwritev2",), _SIZED, ("offset", "result", "flags", "synced_by")),
        ("write", ("copy_file_range",), _SIZED, ("offset", "target", "result")),
        ("sync", ("fsync", "fdatasync", "msync"), ("path",), ()),
        ("syncfs", ("syncfs",), ("path",), ()),
        ("open", ("openat", "openat2", "creat"), _OPEN, ("created",)),
        ("close", ("close",), ("path",), ()),
        ("truncate", ("truncate", "ftruncate"), _SIZED, ()),
        ("rename", ("rename", "renameat", "renameat2"), _MOVE, ("flags",)),
        ("link", ("link", "linkat"), _LINK, ()),
        ("symlink", ("symlink", "symlinkat"), _LINK, ()),
        ("unlink", ("unlink", "unlinkat"), ("path",), ()),
        ("mkdir", ("mkdir", "mkdirat"), ("path",), ()),
        ("rmdir", ("rmdir",), ("path",), ()),
    ):
        shapes |= {(name, family): Shape(name, given, keywords) for name in names}
    return shapes


SHAPES: Final[Mapping[tuple[str, str], Shape]] = MappingProxyType(_shapes())
"""By name and family of the call; others are spelt ``call(...)``."""
_OTHER: Final = Shape("call", ("name", "path"), ("family", "offset", "length", "flags", "target"))
_UNKNOWN: Final = Shape("unknown", ("path",), ("family", "offset", "length", "reason"))


def spell(call: "Call") -> str:
    """Return *call* as its constructor's text; what that takes for granted is left out."""
    other = _UNKNOWN if call.name == "unknown" else _OTHER
    shape = other if call.family is ANY else SHAPES.get((call.name, call.family), other)
    return f"{shape.function}({', '.join(_arguments(call, shape))})"


def function(call: "Call") -> str:
    """Return the name of the constructor."""
    return spell(call).partition("(")[0]


def text(value: object) -> str:
    """Return a string as a Python literal in double quotes, or anything else as itself."""
    if not isinstance(value, str):
        return repr(value)
    # Of a text with an apostrophe repr makes one in double quotes.
    return repr(value) if '"' in value else '"' + repr("'" + value)[2:]


def _arguments(call: "Call", shape: Shape) -> Iterator[str]:
    given = [_value(call, field) for field in shape.given]
    # ``openat("a.db")``, ``lseek("a.db", 0)``: at the end, what goes without saying.
    if shape.given and shape.given[-1] == "flags" and _goes_unsaid(call, "flags"):
        given.pop()
    yield from given
    for field in shape.keywords:
        if not _goes_unsaid(call, field):
            yield f"{KEYWORDS.get(field, field)}={_value(call, field)}"
    if call.errno is not None and not (call.errno is ANY and shape is _UNKNOWN):
        yield f"errno={text(call.errno)}"


def _value(call: "Call", field: str) -> str:
    value: Any = getattr(call, field)
    if field == "flags" and value is not ANY:
        return text("|".join(value))
    return text(value)


def _goes_unsaid(call: "Call", field: str) -> bool:
    """Tell whether a constructor that isn't told *field* makes a call that equals this one."""
    value = getattr(call, field)
    if field == "result":
        return _result_goes_unsaid(call)
    if field == "flags" and call.name == "lseek":
        return bool(value is not ANY and value == ("SEEK_SET",))
    if field == "offset" and call.name in _AT_ARGUMENT:
        return False  # the constructor must be told
    if field == "family":
        return bool(value == OWN.get(call.name))
    return value is ANY or value is None or value is False or value == ()


_AT_ARGUMENT: Final = frozenset({"pwrite64", "pwritev", "pwritev2"})


def _result_goes_unsaid(call: "Call") -> bool:
    if call.errno is not None:
        return True
    if call.family == "write":
        return call.is_whole
    return call.result is ANY or call.result is None or _sought(call)


def _sought(call: "Call") -> bool:
    """Tell whether an lseek went where its arguments alone say."""
    return call.name == "lseek" and (call.flags, call.result) == (("SEEK_SET",), call.offset)
