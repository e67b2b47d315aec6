"""The place in a stack that its author wrote, in no C library, language runtime or interpreter."""

from tracefs.source.location import Location
from tracefs.source.origin import Origin, origin


def call_site(places: tuple[Location, ...]) -> Location | None:
    """Return the innermost place in the author's own source.

    Where no line of that is known, it is the innermost in a module that is the author's, then in a
    package, then of a library in the author's module. None: there is no such place.
    """
    known = [(origin(place), place) for place in places]
    ranks = (
        [place for who, place in known if who is Origin.AUTHOR and place.file and place.line],
        [place for who, place in known if who is Origin.AUTHOR and place.module is not None],
        [place for who, place in known if who is Origin.PACKAGE],
        [place for who, place in known if who is Origin.INSTANCE],
    )
    return next((rank[0] for rank in ranks if rank), None)


def which_site(places: tuple[Location, ...], site: Location) -> str:
    """Return a text that tells *site*, one of *places*, from others.

    Where a module has no names, the innermost of it may be a library that was compiled in, the same
    for all its callers: there it is the whole run of addresses.
    """
    named = site.function is not None and origin(site) is not Origin.INSTANCE
    if named or site.line is not None:
        return str(site)
    rest = places[places.index(site) :]
    return " ".join(str(place) for place in rest if place.module == site.module)


def callers(
    places: tuple[Location, ...], site: Location | None, *, whole: bool
) -> tuple[Location, ...]:
    """Return the places that *site* was called from, without what calls a program's ``main``.

    *whole*: the stack is not cut short, so its outermost place is where the program starts.
    """
    if site is None:
        return places
    left = list(places[places.index(site) + 1 :])
    if not whole:
        return tuple(left)
    if len(left) > 1 and left[-1].function is None and _is_system(left[-2]):
        left.pop()
    while left and (_is_system(left[-1]) or _is_start_of_rust(left)):
        left.pop()
    return tuple(left)


def _is_system(place: Location) -> bool:
    return origin(place) in {Origin.SYSTEM, Origin.INSTANCE}


def _is_start_of_rust(left: list[Location]) -> bool:
    """Return whether the outermost place is the ``main`` that rustc makes."""
    return (
        left[-1].function == "main"
        and left[-1].line is None
        and len(left) > 1
        and (left[-2].function or "").startswith("std::rt::")
    )
