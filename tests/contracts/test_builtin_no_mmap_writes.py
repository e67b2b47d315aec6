"""no-mmap-writes, rule by rule."""

import pytest
from builtin_support import Found, Program, found, judged

from tracefs.findings import Verdict


def test_calls_alone() -> None:
    program = Program()
    file = program.open()
    program.page(file)
    program.end(file)
    result = judged("no-mmap-writes", program)
    assert result.verdict is Verdict.KEPT
    assert found(result) == []


def test_a_mapping_and_its_stores() -> None:
    program = Program()
    file = program.open()
    program.map(file)
    program.store(file, 3)
    program.sync(file, "msync")
    program.end(file)
    assert found(judged("no-mmap-writes", program)) == [
        Found("no-shared-mapping", "broken", 1, "a.db"),
        Found("no-stores", "broken", 2, "a.db", 3),
    ]


def test_stores_are_seen_without_a_notice_of_their_mapping() -> None:
    program = Program()
    file = program.open()
    program.store(file, 3)
    assert found(judged("no-mmap-writes", program)) == [Found("no-stores", "broken", 1, "a.db", 3)]


def test_a_write_that_nobody_named_is_no_store() -> None:
    program = Program()
    file = program.open()
    program.write(file, name="unknown")
    assert judged("no-mmap-writes", program).verdict is Verdict.KEPT


@pytest.mark.parametrize("witness", ["proc", "none"])
def test_mappings_need_the_seccomp_witness(witness: str) -> None:
    program = Program()
    file = program.open()
    program.page(file)
    result = judged("no-mmap-writes", program, witness=witness)
    assert found(result) == [Found("no-shared-mapping", "unknown", None, None)]
    program.store(file, 3)
    assert judged("no-mmap-writes", program, witness=witness).verdict is Verdict.BROKEN
