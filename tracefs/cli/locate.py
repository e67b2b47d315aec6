"""Where calls were made, for the commands that show them."""

from collections.abc import Callable

from tracefs.source import Resolver, call_site
from tracefs.trace.call import Call


def locator(started: str, *, folders: bool = False) -> Callable[[Call], str | None]:
    """Return what says ``file:line in function`` of a call; it remembers what it has found.

    Args:
        started: when the recording began, as its header says.
        folders: name the file with its folders, for who opens it.
    """
    resolver = Resolver(started)

    def locate(call: Call) -> str | None:
        site = call_site(resolver.resolve(call.stack)) if call.stack else None
        if site is None:
            return None
        return site.with_folders() if folders else str(site)

    return locate
