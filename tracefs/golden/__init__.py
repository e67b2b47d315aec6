"""Golden traces: what a program did, without what changes from run to run, to be compared.

`normalise` takes from calls what two runs have in common, `temporary` knows names made up on the
spot, `format` is the file, `align` finds what two sequences share, and `compare` says what differs.
Imports trace; never what renders or records.
"""

from tracefs.golden import files
from tracefs.golden.compare import Comparison, Order, Outcome, compare
from tracefs.golden.entry import Entry, Golden
from tracefs.golden.normalise import normalised, selected
from tracefs.golden.recorded import golden_of

__all__ = [
    "Comparison",
    "Entry",
    "Golden",
    "Order",
    "Outcome",
    "compare",
    "files",
    "golden_of",
    "normalised",
    "selected",
]
