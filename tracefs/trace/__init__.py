"""From recorded events to the calls that a program made.

`flags` spells bits, `naming` says which call a request belongs to, `handles` keeps the names of
open files, `writes` joins the fragments of one write, `fallocate` knows glibc's emulation, `join`
puts them together and `trace` reads a journal. Imports events, journals' structures and findings;
never what judges.
"""

from tracefs.trace.call import Call, Marked, Released, TraceItem
from tracefs.trace.join import join
from tracefs.trace.trace import Journal, Trace

__all__ = ["Call", "Journal", "Marked", "Released", "Trace", "TraceItem", "join"]
