"""Reports about crashes as JSON: all of it, in one line that is safe to print."""

import json

import crash_samples as samples
import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from tracefs.crashes import CrashReport
from tracefs.report.crash_json import document


@pytest.mark.parametrize("report", samples.ALL.values(), ids=samples.ALL)
def test_what_is_read_back_is_the_same(report: CrashReport) -> None:
    text = document(report)
    assert text.isprintable()
    assert msgspec.json.decode(text, type=CrashReport) == report


def test_the_shape_is_fixed(snapshot: SnapshotAssertion) -> None:
    assert json.dumps(json.loads(document(samples.BROKEN)), indent=1) == snapshot
