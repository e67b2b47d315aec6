"""Whether this process may put a filter on a command, found out by doing it in another one."""

import errno
import os
from typing import Final

import msgspec
from msgspec import Struct

from tracefs.witness import seccomp
from tracefs.witness.levels import filter_code

_NAMES: Final = ("lseek",)


class Ability(Struct, frozen=True, kw_only=True):
    """What the kernel lets a seccomp witness do here."""

    failure: str | None
    """Why it can't be used at all; None: it can."""
    degraded: tuple[str, ...] = ()
    """What it has to do without, a sentence each."""
    gives_up_privileges: bool = False
    """The command gets no_new_privs: setuid programs below it run as the caller."""


def probe(machine: str) -> Ability:
    """Install a filter in a process made for that; takes a few milliseconds."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(write_end, msgspec.json.encode(_try(machine)))
        finally:
            os._exit(0)
    os.close(write_end)
    with open(read_end, "rb") as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    return msgspec.json.decode(said, type=Ability)


def _try(machine: str) -> Ability:
    try:
        listener, degraded = seccomp.install(machine, filter_code(machine, _NAMES))
    except (OSError, KeyError) as error:
        return Ability(failure=_why(error))
    if not seccomp.wake_in_place(listener):
        degraded = (*degraded, seccomp.NO_SYNC_WAKE_UP)
    return Ability(
        failure=None, degraded=degraded, gives_up_privileges=seccomp.has_no_new_privileges()
    )


def _why(error: OSError | KeyError) -> str:
    if isinstance(error, KeyError):
        return f"there is no filter for {error.args[0]} machines"
    if error.errno == errno.EBUSY:
        return "another supervisor listens to this process already (EBUSY)"
    return f"this kernel, or a sandbox around this process, refuses it ({error.strerror})"
