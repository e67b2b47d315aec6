"""What writes each format of a verdict that other programs read."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tracefs.findings import CheckResult
from tracefs.report.gradescope import gradescope
from tracefs.report.junit import junit
from tracefs.report.sarif import sarif
from tracefs.report.tap import tap
from tracefs.report.verdict_json import verdict_line

Writer = Callable[[CheckResult, str], str]
"""Takes the result, and the folder (path text) that files are named relative to."""

WRITERS: Final[Mapping[str, Writer]] = MappingProxyType(
    {
        "json": lambda result, _root: verdict_line(result) + "\n",
        "junit": lambda result, _root: junit(result),
        "sarif": sarif,
        "tap": lambda result, _root: tap(result),
        "gradescope": lambda result, _root: gradescope(result),
    }
)
"""All but text and GitHub's, which is two."""
