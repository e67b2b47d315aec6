"""What was tried, as data: passed from the probing process to the one that asked for it."""

from msgspec import Struct


class Attempt(Struct, frozen=True):
    """One thing that was really tried."""

    step: str
    """The last step taken: the one that failed, or the one that completed it."""
    errno: int = 0
    """Error number of that step; 0: it worked."""

    @property
    def worked(self) -> bool:
        """Whether every step succeeded."""
        return self.errno == 0


class Module(Struct, frozen=True):
    """One Python module that tracing needs."""

    name: str
    version: str | None = None
    """Of its distribution; None: not installed as one."""
    error: str | None = None
    """Why it can't be imported, one line; None: it was imported."""


class Probed(Struct, frozen=True, kw_only=True):
    """Everything that has to be tried in a process of its own."""

    open_device: Attempt
    """open(2) of /dev/fuse for reading and writing."""
    mount: Attempt
    """A FUSE mount in a new mount namespace, with the caller's own privileges."""
    mount_userns: Attempt
    """The same in a new user namespace: needs no privilege where it is allowed."""
    mount_seen: Attempt
    """A FUSE mount in the caller's own mount namespace, which others see; attached nowhere."""
    look: Attempt
    """Reading ``/proc/PID/syscall`` of a process of the same user that is no descendant."""
    look_userns: Attempt
    """The same where that process is in a new user namespace, which the user then owns."""
    modules: tuple[Module, ...]
    libfuse: str | None
    """Version of the libfuse that pyfuse3 loaded; None: not known."""
