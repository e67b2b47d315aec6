"""What a machine lacks that a test needs."""

import os
from typing import NoReturn

import pytest


def lacking(why: str) -> NoReturn:
    """Skip the test, and say *why*; where CI is set all that is needed must be there: fail."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
