"""The answer of ``tracefs check`` as JSON: the fixed shape that other tools read.

The structures of `tracefs.findings` are that shape, field by field; ``docs/reference/cli.md``
describes it and a snapshot holds it.
"""

from tracefs.findings import CheckResult
from tracefs.report.jsonline import line


def verdict_line(result: CheckResult) -> str:
    """Return *result* as one line of JSON."""
    return line(result)
