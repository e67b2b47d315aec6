"""Calls, plans and results, as tests of torture make them up."""

from typing import Any

from hypothesis import strategies as st

from tracefs.findings import Verdict
from tracefs.torture import kinds
from tracefs.torture.plan import Asked
from tracefs.tortures import Checked, Ending, Result, Struck, Target

TARGETS = st.builds(
    Target,
    family=st.sampled_from(sorted(kinds.FAMILIES)),
    number=st.integers(1, 1000),
    index=st.integers(0, 1000),
    call=st.sampled_from(["pwrite64", "fsync", "rename", "unknown"]),
    shown=st.text(max_size=20),
    path=st.none() | st.text(max_size=20),
    offset=st.none() | st.integers(0),
    length=st.none() | st.integers(0, 1 << 40),
    created=st.booleans(),
)
RESULTS = st.builds(
    Result,
    key=st.text(max_size=30),
    ending=st.sampled_from(Ending),
    struck=st.sampled_from(Struck),
    status=st.none() | st.integers(0, 255),
    contracts=st.none() | st.sampled_from(Verdict),
    finding=st.none() | st.text(max_size=20),
    checked=st.sampled_from(Checked),
    said=st.none() | st.text(max_size=20),
    seconds=st.floats(0, 1e6),
    after=st.lists(TARGETS, max_size=2).map(tuple),
)


def target(family: str, number: int, path: str | None = "pages.db", **more: Any) -> Target:
    fields: dict[str, Any] = {
        "index": number,
        "call": family,
        "shown": f"{family}({path})",
        "path_number": number,
    }
    return Target(family=family, number=number, path=path, **(fields | more))


def asked(**more: Any) -> Asked:
    fields: dict[str, Any] = {
        "command": ("./prog",),
        "directory": "/work",
        "content": "c0ffee",
        "check": "true {dir}",
        "contracts": (),
        "by_fault": (),
        "faults": kinds.DEFAULT,
        "calls": (),
        "paths": (),
        "pairs": False,
        "limit": None,
        "seed": 0,
        "page_size": 4096,
        "limit_s": None,
        "witness": "proc",
        "tool": "tracefs 0",
    }
    return Asked(**fields | more)


def result(key: str, **more: Any) -> Result:
    fields: dict[str, Any] = {
        "ending": Ending.ENDED,
        "status": 0,
        "struck": Struck.AS_MEANT,
        "contracts": Verdict.KEPT,
        "checked": Checked.GOOD,
    }
    return Result(key=key, **fields | more)
