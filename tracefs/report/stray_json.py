"""A stray call as one JSON object: the output of ``tracefs show --stray --json``."""

from tracefs.report.call_json import CallRecord, fields
from tracefs.report.jsonline import line
from tracefs.report.stray import Use
from tracefs.source import Location, call_site, callers


class UseRecord(CallRecord, frozen=True, kw_only=True):
    """The call, and behind it what is said of one that is astray."""

    effect: str | None
    """What a seek did; null: no seek."""
    called_from: tuple[str, ...]
    """Who called the place that *source* is, the nearest first; each as *source* is spelled."""
    unlined: str | None
    """Why *source* is no line; null: it is one, or its module has none."""


def use_line(use: Use, page_size: int, stack: tuple[Location, ...]) -> str:
    """Return *use*, made at *stack* (innermost first), as one line of JSON; page size in bytes."""
    site = call_site(stack)
    known = fields(use.call, page_size, None if site is None else str(site))
    above = tuple(map(str, callers(stack, site, whole=use.call.unstacked is None)))
    unlined = None if site is None else site.unlined
    return line(UseRecord(**known, effect=use.effect, called_from=above, unlined=unlined))
