"""Where in its source a call was made, found out after the fact from the addresses on its stack.

`location` is the answer as data, `elf` says whether a module is still the one that ran, `resolver`
asks binutils' addr2line for functions and lines, `symbols` which of its names are guesses. `site`
picks the place that its author wrote, by what `origin`, `go` and `native` say of whose each is.
"""

from tracefs.source.location import Location
from tracefs.source.resolver import Resolver
from tracefs.source.site import call_site, callers, which_site

__all__ = ["Location", "Resolver", "call_site", "callers", "which_site"]
