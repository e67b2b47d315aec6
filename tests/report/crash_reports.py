"""Reports about crashes, made by hand: one for each kind of answer."""

from typing import Any

import msgspec

from tracefs.crashes import (
    Answer,
    Blind,
    Change,
    Checked,
    Coverage,
    CrashReport,
    Failure,
    Loss,
    Point,
    Redundant,
    Repair,
)
from tracefs.findings import Verdict

LINUX = ("ext4-ordered", "xfs", "btrfs")
EVERY = ("prefix", "ext4-ordered", "xfs", "btrfs", "ext4-writeback", "posix-strict")


def pwrite(call: int, page: int, **fields: Any) -> Change:
    """Return the data of a page that is written to pages.db by writer.c."""
    known: dict[str, Any] = {
        "call": call, "shown": f"pwrite64(3<pages.db>, 4096 bytes, {page * 4096}) = 4096",
        "part": "data", "path": "pages.db", "first_page": page, "last_page": page,
        "source": "writer.c:31",
    }  # fmt: skip
    return Change(**(known | fields))


def point(number: int, call: int | None, shown: str, kind: str, **fields: Any) -> Point:
    known: dict[str, Any] = {"at_ns": 1_000_000 * number, "states": 8, "failed": 0}
    return Point(number=number, call=call, shown=shown, kind=kind, **(known | fields))


def points(**last: Any) -> tuple[Point, ...]:
    """Return five points, as of a program that acknowledges page 3 without a sync; *last* fits."""
    return (
        point(0, None, "the start", "start", states=1),
        point(1, 13, "fdatasync(3<pages.db>) = 0", "sync"),
        point(2, 14, "pwrite64(3<pages.db>, 4096 bytes, 12288) = 4096", "change"),
        point(3, 15, 'mkdir(".ack:page 3", 0777) = -1 EEXIST (File exists)', "ack"),
        point(
            4, 16, "pwrite64(3<pages.db>, 4096 bytes, 16384) = 4096", "change", states=20, **last
        ),
    )


COVERED = Coverage(
    points=5, possible=12.52, generated=1204, same_operations=702, same_content=190, explored=312,
    left=0, blind=(),
)  # fmt: skip


def report(verdict: Verdict, **fields: Any) -> CrashReport:
    known: dict[str, Any] = {
        "recording": "rec", "check": "./check {dir}", "profiles": LINUX, "strategy": "default",
        "seed": 0, "reasons": (), "failures": (), "points": points(), "coverage": COVERED,
        "acks": ("page 3", "page 4"), "seconds": 1.25, "states_a_second": 249.6,
        "checker_seconds": 2.1,
    }  # fmt: skip
    return CrashReport(verdict=verdict, **(known | fields))


def failure(**fields: Any) -> Failure:
    """Return a lost acknowledgement: the data of call 14 is gone, that of call 16 is there."""
    known: dict[str, Any] = {
        "id": "4-12", "loss": Loss.ACKNOWLEDGED, "point": 4, "after_call": 16, "before_call": 17,
        "acks": 1, "ack": "page 3",
        "answer": Answer(checked=Checked.BAD, said="page 3 of pages.db is all zeros"),
        "dropped": (pwrite(14, 3),), "kept": (pwrite(16, 4),), "profiles": LINUX,
        "rule": "data that no sync covers may be written back in any order",
        "where": "on ext4-ordered, xfs and btrfs",
    }  # fmt: skip
    return Failure(**(known | fields))


REPAIR = Repair(
    sync="fdatasync", path="pages.db", after_call=14, before_call=15, verified=True, states=312
)

KEPT = report(Verdict.KEPT)

BROKEN = report(
    Verdict.BROKEN,
    failures=(failure(repairs=(REPAIR,), states=14),),
    points=points(failed=14, failures=("4-12",)),
)

CORRUPT = report(
    Verdict.BROKEN,
    failures=(
        failure(
            id="2", loss=Loss.CORRUPT, point=2, after_call=14, before_call=None, acks=0, ack=None,
            answer=Answer(checked=Checked.BAD), dropped=(), kept=(), profiles=EVERY,
            rule="the crash alone does it, nothing needs to be lost", where="on every profile",
        ),
        failure(
            id="3-1.4", where="only where the standard allows more than any Linux filesystem does",
            point=3, after_call=15, before_call=16, profiles=("posix-strict",), ack=None,
            rule="the name of a new file is durable only after fsync of its directory",
            dropped=(
                Change(
                    call=3, shown='openat("new/pages.db", O_RDWR|O_CREAT, 0644) = 3', part="name",
                    path="new/pages.db", source="writer.c:12",
                ),
                Change(call=None, shown="write", part="size", path="new/pages.db"),
                Change(call=5, shown="fchmod(3<new/pages.db>, 0600) = 0", part="attributes",
                       path=None),
            ),
            kept=(),
            repairs=(
                Repair(sync="fsync", path="new/pages.db", after_call=5, before_call=None,
                       verified=True, left=2, states=290),
                Repair(sync="fsync of the directory", path="new", after_call=None, before_call=15,
                       verified=True, left=2, states=290),
            ),
        ),
    ),
    profiles=EVERY,
)  # fmt: skip

BLIND = report(
    Verdict.UNKNOWN,
    reasons=("stores to a mapping of index.db are not in the recording",),
    coverage=Coverage(
        points=5, possible=2.1, generated=40, same_operations=0, same_content=3, explored=30,
        left=7,
        blind=(
            Blind(kind="mapped stores", path="index.db", count=3,
                  reason="the kernel shows them only when they are written back"),
            Blind(kind="fallocate", path="pages.db", count=1, reason="its mode is not played",
                  harmless="nothing was written to the range afterwards"),
            Blind(kind="sync", path=None, count=2, reason="sync(2) does not reach a FUSE mount"),
        ),
    ),
    acks=(),
)  # fmt: skip

HUNG = report(
    Verdict.UNKNOWN,
    reasons=("the checker gave no answer for 3 states",),
    failures=(
        failure(id="4-3", loss=Loss.CHECKER, ack=None,
                answer=Answer(checked=Checked.LATE, said="killed after 10 s", seconds=10.0)),
        failure(id="4-4", loss=Loss.CHECKER, ack=None, states=2,
                answer=Answer(checked=Checked.CRASHED, said="ended by SIGSEGV")),
        failure(id="2-2", loss=Loss.CREATION, ack=None, acks=0, point=2, after_call=14,
                before_call=15, answer=Answer(checked=Checked.BAD, said="no header")),
    ),
    points=(
        *points()[:2],
        msgspec.structs.replace(points()[2], failed=1, failures=("2-2",)),
        *points(failed=3, failures=("4-3", "4-4"))[3:],
    ),
)  # fmt: skip

REDUNDANT = report(
    Verdict.KEPT,
    profiles=("ext4-ordered",),
    strategy="deep",
    redundant=(
        Redundant(call=13, shown="fdatasync(3<pages.db>) = 0", source="writer.c:33",
                  redundant=False, states=300, failed=41),
        Redundant(call=9, shown="fsync(4<.>) = 0", source="writer.c:40", redundant=True,
                  states=312, failed=0),
    ),
    recovered=24,
)  # fmt: skip

TORN = report(
    Verdict.BROKEN,
    strategy="deep",
    failures=(
        failure(
            id="4t12x0f", loss=Loss.CORRUPT, ack=None,
            dropped=(pwrite(14, 3, torn=True), pwrite(15, 5, last_page=20)),
            answer=Answer(checked=Checked.BAD, said="checksum of page 3 is wrong"),
            repairs=(Repair(sync="fdatasync", path="pages.db", after_call=14, before_call=15,
                            verified=False, left=5, states=312),),
        ),
    ),
)  # fmt: skip

HOSTILE_NAME = "</script><img src=x onerror=alert(1)>\x1b[2Jkept: all well\n\u202egnp.exe\"'&<!--"
"""Ends a script block, steers a terminal, forges a line, turns the writing direction."""

HOSTILE = report(
    Verdict.BROKEN,
    recording=HOSTILE_NAME,
    check=HOSTILE_NAME,
    profiles=(HOSTILE_NAME,),
    acks=(HOSTILE_NAME,),
    reasons=(HOSTILE_NAME,),
    failures=(
        failure(
            id=HOSTILE_NAME, ack=HOSTILE_NAME, rule=HOSTILE_NAME, where=HOSTILE_NAME,
            profiles=(HOSTILE_NAME,),
            answer=Answer(checked=Checked.BAD, said=HOSTILE_NAME),
            dropped=(pwrite(14, 3, shown=HOSTILE_NAME, path=HOSTILE_NAME, source=HOSTILE_NAME),),
            repairs=(Repair(sync="fsync", path=HOSTILE_NAME, after_call=14, before_call=15,
                            verified=False),),
        ),
    ),
    points=(point(4, 17, HOSTILE_NAME, "ack", failed=1, failures=(HOSTILE_NAME,)),),
    coverage=Coverage(
        points=1, possible=0.0, generated=1, same_operations=0, same_content=0, explored=1, left=0,
        blind=(Blind(kind=HOSTILE_NAME, path=HOSTILE_NAME, count=1, reason=HOSTILE_NAME),),
    ),
    redundant=(Redundant(call=None, shown=HOSTILE_NAME, source=HOSTILE_NAME, redundant=True,
                         states=1, failed=0),),
)  # fmt: skip

MANY = report(
    Verdict.BROKEN,
    failures=tuple(
        failure(
            id=f"4-{n}", ack=f"page {n}", before_call=None,
            dropped=tuple(pwrite(100 + n, page) for page in range(9)),
            kept=tuple(pwrite(200 + page, page) for page in range(6)),
        )
        for n in range(7)
    ),
    points=points(failed=7, failures=tuple(f"4-{n}" for n in range(7))),
)  # fmt: skip

ALL = {
    "kept": KEPT,
    "broken": BROKEN,
    "corrupt": CORRUPT,
    "blind": BLIND,
    "hung": HUNG,
    "redundant": REDUNDANT,
    "torn": TORN,
    "hostile": HOSTILE,
    "many": MANY,
}
