"""Whether this machine can run tracefs, and how to mend what keeps it from that.

Three steps that know nothing of each other's insides: `probe` tries things in a process of its own
(a mount in a private namespace, a look at another process), `facts` gathers what it and the machine
say, `judge` turns facts into checks without touching the machine. `notices` judges what the seccomp
witness finds out for itself, the only other part of tracefs that is imported here.
"""

import platform

from msgspec.structs import replace

from tracefs.doctor.check import Check, Report, Status
from tracefs.doctor.facts import Facts, gather
from tracefs.doctor.judge import judge
from tracefs.doctor.notices import judge_notices
from tracefs.witness.probe import probe

__all__ = ["Check", "Facts", "Report", "Status", "examine", "gather", "judge"]


def examine(recordings: str) -> Report:
    """Return what this machine allows the calling user to do; leaves nothing mounted or written.

    *recordings* is the directory that recordings go to by default.
    """
    report = judge(gather(recordings))
    return replace(report, checks=(*report.checks, judge_notices(probe(platform.machine()))))
