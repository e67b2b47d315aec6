"""A recorded call as a value to compare, seen from a directory below the traced one."""

import posixpath
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from tracefs.api.call import Call
from tracefs.report.strace import error_name
from tracefs.trace import Call as Recorded
from tracefs.trace.families import TWO_NAMES

Locate = Callable[[Recorded], str | None]

_TOP: Final = "."


def below(call: Recorded, root: str) -> Recorded | None:
    """Return *call* with its paths relative to *root* (path text); None: it is elsewhere.

    A call whose file is not known may be below it, and stays; a rename or link that leads in or out
    keeps its other name, which begins with ``..``.
    """
    if not root or call.path is None:
        return call
    path = _relative(call.path, root)
    target = call.target
    if call.family in TWO_NAMES and target is not None:
        target = _relative(target, root)
        if _is_outside(path) and _is_outside(target):
            return None
    elif _is_outside(path):
        return None
    return replace(call, path=path, target=target)


def value(call: Recorded, page_size: int, locate: Locate) -> Call:
    """Return *call* as a value; *locate* says where it was made."""
    return Call(
        call.call,
        call.path,
        family=call.family,
        offset=call.offset,
        length=call.length,
        result=call.result,
        errno=error_name(call.errno) if call.errno else None,
        flags=call.flags,
        target=call.target,
        created=bool(call.created),
        synced_by=call.synced_by,
        datasync=call.datasync,
        reason=call.reason,
        index=call.index,
        page_size=page_size,
        fd=call.fd,
        pid=call.tid if call.pid is None else call.pid,
        tid=call.tid,
        comm=call.comm,
        position=call.position,
        fragments=call.fragments,
        source=locate(call) if call.stack else None,
    )


def _relative(path: str, root: str) -> str:
    if path == root:
        return _TOP
    if path.startswith(f"{root}/"):
        return path[len(root) + 1 :]
    return posixpath.relpath(f"/{path}", f"/{root}")


def _is_outside(path: str) -> bool:
    return path == ".." or path.startswith("../")
