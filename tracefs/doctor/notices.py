"""Whether calls of a traced command can be notified, as a check."""

from typing import Final

from tracefs.doctor.check import Check, Status
from tracefs.witness.probe import Ability

NAME: Final = "notices"
_WITHOUT: Final = "lseek and other calls that no filesystem hears of go unseen"


def judge_notices(ability: Ability) -> Check:
    """Return what *ability* means for ``tracefs run``."""
    if ability.failure is not None:
        return Check(
            NAME, Status.WARN, f"{_WITHOUT}: {ability.failure}",
            "run tracefs outside the sandbox or supervisor, or use --witness proc",
        )  # fmt: skip
    if ability.degraded:
        return Check(
            NAME, Status.WARN, "; ".join(ability.degraded), "boot a kernel of 6.6 or later"
        )
    if ability.gives_up_privileges:
        seen = (
            "work; the command gets no_new_privs, so sudo and other setuid programs fail below it"
        )
        return Check(NAME, Status.OK, seen)
    return Check(NAME, Status.OK, "a seccomp filter with a listener works")
