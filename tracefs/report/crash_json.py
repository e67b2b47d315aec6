"""The answer of ``tracefs crash`` as JSON: the fixed shape that other tools read.

The structures of `tracefs.crashes` are that shape, field by field; ``docs/reference/crash.md``
describes it and a snapshot holds it.
"""

from tracefs.crashes import CrashReport
from tracefs.report.jsonline import line


def document(report: CrashReport) -> str:
    """Return *report* as one line of JSON, without a newline."""
    return line(report)
