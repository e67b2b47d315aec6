"""What the doctor answers, as data."""

from enum import StrEnum

from msgspec import Struct


class Status(StrEnum):
    """What a check found."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Check(Struct, frozen=True):
    """One thing that was looked at."""

    name: str
    status: Status
    seen: str
    """What was found, one line."""
    repair: str | None = None
    """What to do about it; None where there is nothing to do."""


class Report(Struct, frozen=True, kw_only=True):
    """The answer of ``tracefs doctor``."""

    can_mount: bool
    checks: tuple[Check, ...]
