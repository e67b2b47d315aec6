"""Where calls were made, for the commands that show them."""

from collections.abc import Callable

from tracefs.source import Resolver, call_site
from tracefs.trace.call import Call


def locator(started: str) -> Callable[[Call], str | None]:
    """Return what says ``file:line in function`` of a call; it remembers what it has found.

    *started* is when the recording began, as its header says.
    """
    resolver = Resolver(started)

    def locate(call: Call) -> str | None:
        site = call_site(resolver.resolve(call.stack)) if call.stack else None
        return None if site is None else str(site)

    return locate
