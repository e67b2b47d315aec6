"""The table's columns are those that the page has, and hold a call whole."""

import re
from pathlib import Path

import duckdb
import msgspec
from hypothesis import given
from hypothesis import strategies as st
from index_support import index
from journal_samples import PAGE_WRITE, PATHS, record

from tracefs.events import Frame, Injected
from tracefs.index.table import COLUMNS, bounded, call_of, rows
from tracefs.journal.format import TABLE
from tracefs.trace import Call

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "calls-table.md"


def documented() -> dict[str, str]:
    found = re.findall(r"^\| (`.*?`) \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: kind for names, kind in found for name in re.findall(r"`(\w+)`", names)}


def test_the_page_has_the_columns() -> None:
    assert documented() == COLUMNS
    assert list(documented()) == list(COLUMNS)


def test_a_table_has_them_too(tmp_path: Path) -> None:
    record(tmp_path / "r", PAGE_WRITE)
    index(tmp_path / "r")
    with duckdb.connect() as base:
        found = base.execute(f"DESCRIBE SELECT * FROM '{tmp_path / 'r' / TABLE}'").fetchall()
    bare = {name: kind.replace('"', "") for name, kind, *_ in found}
    assert bare == COLUMNS


NUMBERS = st.integers(-(2**65), 2**65) | st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1])
CALLS = st.builds(
    Call,
    index=st.just(-1) | st.integers(0, 2**40),
    call=PATHS,
    family=PATHS,
    known_by=st.none() | PATHS,
    path=st.none() | PATHS | st.text(max_size=5),
    start_ns=NUMBERS,
    end_ns=NUMBERS,
    tid=st.none() | NUMBERS,
    ino=st.none() | NUMBERS,
    result=st.none() | NUMBERS,
    flags=st.lists(PATHS, max_size=2).map(tuple),
    writable=st.none() | st.booleans(),
    stack=st.lists(
        st.builds(Frame, module=st.none() | PATHS, address=NUMBERS, line=st.none() | NUMBERS),
        max_size=2,
    ).map(tuple),
    injected=st.lists(
        st.builds(Injected, rule=PATHS, kind=PATHS, delay_ns=NUMBERS), max_size=2
    ).map(tuple),
)


@given(st.lists(CALLS, min_size=1, max_size=5))
def test_each_row_holds_its_call(calls: list[Call]) -> None:
    for number, row in enumerate(rows(calls, 7).splitlines(keepends=True)):
        fits, exact = bounded(row)
        fields = msgspec.json.decode(fits)
        assert fields["line"] == number + 7
        values = [fields.get(name) for name in COLUMNS]
        assert call_of(tuple(values)) == calls[number]
        assert exact == (fields.get("exact") is not None)
        numbers = [value for value in values if isinstance(value, int)]
        assert all(-(2**63) <= each < 2**63 for each in numbers)
