"""The names for ``--format``, apart from all else: `tracefs run` reads them first."""

from typing import Final

TEXT: Final = "text"
GITHUB: Final = "github"

FORMATS: Final = (TEXT, "json", "junit", GITHUB, "sarif", "tap", "gradescope")

WITH_FOLDERS: Final = frozenset((GITHUB, "sarif"))
"""Formats whose readers open the file that a finding names."""
