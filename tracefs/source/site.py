"""The place in a stack that its author wrote, in no C library, language runtime or interpreter."""

from tracefs.source.location import Location
from tracefs.source.origin import Origin, origin


def call_site(places: tuple[Location, ...]) -> Location | None:
    """Return the innermost place in the author's own source.

    Where no line of that is known, it is the innermost in a module that is the author's, then in a
    package. None: there is no such place.
    """
    known = [(origin(place), place) for place in places]
    ranks = (
        [place for who, place in known if who is Origin.AUTHOR and place.file and place.line],
        [place for who, place in known if who is Origin.AUTHOR and place.module is not None],
        [place for who, place in known if who is Origin.PACKAGE],
    )
    return next((rank[0] for rank in ranks if rank), None)
