"""Nothing is lost and nothing reordered: what a ``kill -9`` leaves.

The kernel has what a program wrote before it was killed, in the order of the calls.
"""

from typing import Final

from tracefs.persistence.promises import Rules

RULES: Final = Rules(
    name="prefix", title="nothing is lost but what was not called yet", loses=False
)
