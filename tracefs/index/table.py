"""The table of calls: its columns, and one call as a row.

The columns are the fields of `tracefs.trace.call.Call`, with their names, units and meanings;
NULL stands for what is not known or does not apply. ``docs/reference/index.md`` has them for users.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from tracefs.events import Frame, Injected
from tracefs.trace.call import Call

LINE: Final = "line"
"""Column that numbers the rows from 0, in the order of ``tracefs show --reads``."""
EXACT: Final = "exact"
"""Column with the call as JSON, where another column can't hold what it is to hold; else NULL."""

_Struct = TypeVar("_Struct", Frame, Injected)

_FRAME: Final = (
    "STRUCT(module VARCHAR, address UBIGINT, build VARCHAR, file VARCHAR, line BIGINT, "
    "function VARCHAR)[]"
)
_INJECTED: Final = "STRUCT(rule VARCHAR, kind VARCHAR, delay_ns BIGINT)[]"
_TYPES: Final = {
    int: "BIGINT",
    bool: "BOOLEAN",
    str: "VARCHAR",
    tuple[str, ...]: "VARCHAR[]",
    tuple[Frame, ...]: _FRAME,
    tuple[Injected, ...]: _INJECTED,
}
_FIELDS: Final = msgspec.structs.fields(Call)
_NAMES: Final = tuple(field.name for field in _FIELDS)
_INDEX, _FLAGS, _STACK, _FAULTS = (
    _NAMES.index(name) for name in ("index", "flags", "stack", "injected")
)


def _sql_type(annotation: Any) -> str:
    for each in getattr(annotation, "__args__", ()):
        if annotation not in _TYPES and each in _TYPES:
            return _TYPES[each]  # of X | None
    return _TYPES[annotation]


COLUMNS: Final = {
    LINE: "BIGINT",
    **{field.name: _sql_type(field.type) for field in _FIELDS},
    EXACT: "VARCHAR",
}
"""SQL type by name, in order."""

_ENCODE: Final = msgspec.json.Encoder().encode
_DECODE: Final = msgspec.json.Decoder(Call).decode

_NEEDED: Final = frozenset(field.name for field in _FIELDS if field.type is int)
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def rows(calls: Iterable[Call], start: int) -> bytes:
    """Return *calls* as JSON Lines for DuckDB, numbered from *start*.

    DuckDB refuses a number that its column can't hold; then `bounded` has what it takes.
    """
    lines = [
        b'{"line":%d,%b' % (number, _ENCODE(call)[1:]) for number, call in enumerate(calls, start)
    ]
    return b"\n".join(lines) + b"\n"


def bounded(row: bytes) -> tuple[bytes, bool]:
    """Return a row of `rows` with numbers that its columns hold, and all of the call in `EXACT`.

    A row that is so already stays as it is; whether it isn't is told, too.
    """
    call = _DECODE(row)
    beyond: dict[str, Any] = {
        name: 0 if name in _NEEDED else None
        for name in _NAMES
        if isinstance(value := getattr(call, name), int) and not _LOWEST <= value <= _HIGHEST
    }
    if any(not _holds(frame) for frame in call.stack):
        beyond["stack"] = ()
    if any(not _LOWEST <= one.delay_ns <= _HIGHEST for one in call.injected):
        beyond["injected"] = ()
    if not beyond:
        return row, False
    start, _, _ = row.partition(b",")
    whole, kept = _ENCODE(call), _ENCODE(replace(call, **beyond))
    return b'%b,%b,"exact":%b}\n' % (start, kept[1:-1], _ENCODE(whole.decode())), True


def _holds(frame: Frame) -> bool:
    line_fits = frame.line is None or _LOWEST <= frame.line <= _HIGHEST
    return line_fits and 0 <= frame.address < 2**64


def call_of(row: tuple[Any, ...]) -> Call:
    """Return the call that *row*, with all `COLUMNS`, holds."""
    if row[-1] is not None:
        return _DECODE(row[-1])
    fields = list(row[1:-1])
    if fields[_INDEX] is None:
        fields[_INDEX] = -1
    fields[_FLAGS] = tuple(fields[_FLAGS])
    fields[_STACK] = tuple(_known(Frame, fields[_STACK]))
    fields[_FAULTS] = tuple(_known(Injected, fields[_FAULTS]))
    return Call(*fields)


def _known(kind: type[_Struct], rows: Iterable[dict[str, Any]]) -> Iterator[_Struct]:
    for row in rows:
        # What the JSON left out is its default, which is NULL in the table.
        yield kind(**{name: value for name, value in row.items() if value is not None})
