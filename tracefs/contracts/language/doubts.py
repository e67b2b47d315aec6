"""What is doubtful in one pattern or condition."""

from collections.abc import Callable, Iterator
from typing import Final

from tracefs.contracts.language.bindings import paths_of
from tracefs.contracts.language.evaluate import compiled, uses
from tracefs.contracts.language.globs import can_meet
from tracefs.contracts.language.model import (
    CallPattern,
    Comparison,
    ContractSpec,
    Expression,
    Field,
    Logic,
    Not,
    PathPattern,
    Pattern,
    Text,
)
from tracefs.placed.place import Place
from tracefs.trace.call import Call
from tracefs.trace.families import TARGETED, families_of

Doubt = tuple[Place, str, str]
"""Where it is, what is doubtful, and what to do about it."""

_ON_FILES: Final = frozenset({"write", "truncate", "seek", "allocate", "map", "range"})
"""Families of calls that no directory takes."""
_HAVE: Final = {
    "created": frozenset({"open"}),
    "datasync": frozenset({"sync", "syncdir"}),
    "length": frozenset({"allocate", "map", "none", "range", "read", "truncate", "write", "xattr"}),
    "offset": frozenset({"allocate", "map", "range", "read", "seek", "write"}),
    "page": frozenset({"allocate", "map", "range", "read", "seek", "write"}),
    "size": frozenset({"open"}),
    "target": frozenset({"link", "rename", "symlink", "write"}),
}
"""Families of calls by fields that others never have."""


def of_pattern(pattern: Pattern) -> Iterator[Doubt]:
    """Look at the paths and conditions of *pattern*."""
    for call in pattern.calls:
        for path in paths_of(call):
            yield from _of_path(call, path)
        if "read" in call.families:
            yield (
                call.place,
                f"{call.text}: no recording has reads, so it is never known",
                "Leave it out.",
            )
        if call.target is not None and not _has_target(call):
            yield (
                call.place,
                f"{call.text}: a call like this has no second path, so it never matches",
                "Leave the second path out.",
            )
        if call.where is not None:
            yield from of_condition(
                call.where, f"the condition of {call.text}", call.place, (call,)
            )


def _of_path(call: CallPattern, path: PathPattern) -> Iterator[Doubt]:
    families = _families(call)
    directory = path.parent or path.glob == "." or (path.glob or "").endswith("/")
    if path is call.path and directory and families and families <= _ON_FILES:
        yield (
            call.place,
            f"{path.text} is a directory, and no call like {call.text} is done to one",
            "Name a file; a directory is synced by fsyncdir.",
        )
    text = path.glob or path.before
    if path is call.path and text.startswith("/"):
        yield (
            call.place,
            f"{path.text} begins with a slash: paths are relative to the traced directory",
            "Leave out what leads to the traced directory.",
        )
    if len(text) > 1 and text.startswith("./"):
        yield (
            call.place,
            f"{path.text} begins with ./, and no recorded path does",
            "Leave the ./ out.",
        )


def of_condition(
    condition: Expression, what: str, place: Place, calls: tuple[CallPattern, ...]
) -> Iterator[Doubt]:
    """Look at *condition*, which is asked of *calls*; messages call it *what*."""
    asked = uses(condition)
    if not asked:
        yield (
            place,
            f"{what} is the same for all calls: it asks for no field",
            "Compare a field of the call, as in length == 4096.",
        )
    families = [_families(call) for call in calls]
    for name in sorted(asked & _HAVE.keys()):
        if all(each and not each & _HAVE[name] for each in families):
            yield (
                place,
                f"{what} asks for {name}, which no such call has: it is never known",
                "Ask for a field that these calls have.",
            )
    for glob in _globs_compared(condition):
        yield (
            place,
            f"{what} compares a path with the text {glob}, not with a glob",
            "Put the glob in brackets behind the call's name, as in pwrite(*.db).",
        )


def _globs_compared(condition: Expression) -> Iterator[str]:
    match condition:
        case Comparison(_, Field("path" | "target"), Text(text)) | Comparison(
            _, Text(text), Field("path" | "target")
        ):
            if "*" in text or "?" in text:
                yield text
        case Comparison(_, left, right) | Logic(_, left, right):
            yield from _globs_compared(left)
            yield from _globs_compared(right)
        case Not(operand):
            yield from _globs_compared(operand)


def of_files(spec: ContractSpec, first: Pattern) -> Iterator[Doubt]:
    """What a clause begins with must be one of the files; what else it asks for need not."""
    for call in first.calls:
        glob = None if call.path is None else call.path.glob
        # Of a rename or link either name will do.
        if glob is None or call.target is not None or not spec.files:
            continue
        if not any(can_meet(glob, each) for each in spec.files):
            yield (
                call.place,
                f"no path is like {glob} and like one of files, so it never matches",
                "Change the path or files.",
            )


class _Nothing:
    """A view that knows nothing."""

    page_size = 1

    def __getattr__(self, name: str) -> None:
        return None


_SUCCESS: Final = Call(0, "unknown", "", None, None, 0, 0, None)
_UNASKED: Final = frozenset({"note", "synced_by", "emulated", "fragments", "family", "page_size"})
"""Fields that have a value even of a call of which nothing is known."""


def of_failures(pattern: Pattern) -> Iterator[Doubt]:
    """Look at the conditions of *pattern*, which only calls that succeeded are compared with."""
    for call in pattern.calls:
        if call.where is not None and _is_false_of_success(call.where):
            yield (
                call.place,
                f"only calls that succeed count here, and {call.text} asks for one that failed",
                "Leave the condition out, or say never with it.",
            )


def _is_false_of_success(condition: Expression) -> bool:
    asked = uses(condition)
    if "errno" not in asked or asked & _UNASKED:
        return False
    holds: Callable[..., bool | None] = compiled(condition)
    return holds(_SUCCESS, _Nothing()) is False


def alike(call: CallPattern, other: CallPattern) -> bool:
    """Return whether some call may be like both."""
    return bool(
        call.names & other.names
        or call.families & _families(other)
        or other.families & _families(call)
    )


def _families(call: CallPattern) -> frozenset[str]:
    return call.families | families_of(call.names)


def _has_target(call: CallPattern) -> bool:
    families = _families(call)
    return not families or bool(families & TARGETED) or "copy_file_range" in call.names
