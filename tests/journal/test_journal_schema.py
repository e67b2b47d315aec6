import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from journal_samples import (
    CARRIED,
    EVENT_TYPES,
    EVENTS,
    HEADER,
    MARKED,
    NAMES,
    NOTICED,
    PAGE_WRITE,
    record,
)
from jsonschema import Draft202012Validator

from tracefs.events import AnyEvent
from tracefs.journal import schema
from tracefs.journal.format import decode_line, encode

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
GOLDEN = Path(__file__).parents[1] / "data" / "page-write-v5.jsonl"
VALIDATOR = Draft202012Validator(schema.schema())


def test_the_documented_schema_is_the_generated_one() -> None:
    documented = (REFERENCE / "journal.schema.json").read_text()
    assert documented == schema.text(), "run: python -m tracefs.journal.schema > that file"


def test_the_schema_is_valid_itself() -> None:
    Draft202012Validator.check_schema(schema.schema())


def test_every_kind_of_line_is_described() -> None:
    described = schema.schema()["$defs"]
    assert isinstance(described, dict)
    assert {kind.__name__ for kind in EVENT_TYPES} | {"Header", "Footer"} <= described.keys()


def test_a_written_journal_satisfies_it(tmp_path: Path) -> None:
    lines = (*PAGE_WRITE, *NAMES, *CARRIED, *NOTICED, MARKED)
    for line in record(tmp_path / "a.trace", lines).read_bytes().splitlines():
        VALIDATOR.validate(json.loads(line))


@given(EVENTS)
def test_every_event_satisfies_it(event: AnyEvent) -> None:
    VALIDATOR.validate(json.loads(encode(event)))


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"type": "teleport"},
        {"type": "write", "start_ns": 1},
        {**json.loads(encode(PAGE_WRITE[0])), "path": 5},
        {**json.loads(encode(HEADER)), "version": "1"},
    ],
)
def test_what_is_no_line_does_not_satisfy_it(line: dict[str, object]) -> None:
    assert not VALIDATOR.is_valid(line)


def test_the_examples_in_the_documentation_are_real_lines() -> None:
    text = (REFERENCE / "journal.md").read_text()
    blocks = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert set(GOLDEN.read_text().splitlines()) <= set(lines)
    for line in lines:
        assert encode(decode_line(line.encode())) == line.encode()


def test_every_field_is_documented() -> None:
    text = (REFERENCE / "journal.md").read_text()
    described = schema.schema()["$defs"]
    assert isinstance(described, dict)
    names = {name for kind in described.values() for name in kind["properties"]}
    assert not {name for name in names if f"`{name}`" not in text}
