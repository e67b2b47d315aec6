"""Reports about crashes as JSON: all of it, in one line that is safe to print."""

import inspect
import json
import re
from enum import StrEnum
from pathlib import Path

import crash_reports as samples
import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from tracefs import crashes
from tracefs.crashes import CrashReport
from tracefs.report.crash_json import document

PAGE = Path(__file__).parents[2] / "docs/reference/crash.md"


@pytest.mark.parametrize("report", samples.ALL.values(), ids=samples.ALL)
def test_what_is_read_back_is_the_same(report: CrashReport) -> None:
    text = document(report)
    assert text.isprintable()
    assert msgspec.json.decode(text, type=CrashReport) == report


def test_the_shape_is_fixed(snapshot: SnapshotAssertion) -> None:
    assert json.dumps(json.loads(document(samples.BROKEN)), indent=1) == snapshot


def test_the_reference_has_every_field_and_word() -> None:
    section = PAGE.read_text("utf-8").partition("\n## JSON\n")[2].partition("\n## HTML\n")[0]
    written = set(re.findall(r"`([^`]+)`", section))
    classes = [one for _, one in inspect.getmembers(crashes, inspect.isclass)]
    ours = [one for one in classes if one.__module__ == crashes.__name__]
    fields = {name for one in ours for name in getattr(one, "__struct_fields__", ())}
    words = {str(word) for one in ours if issubclass(one, StrEnum) for word in one}
    assert fields
    assert (fields | words) - written == set()
