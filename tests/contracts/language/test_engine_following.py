"""``every``/``next`` over scripts of calls: what must come after, and in time."""

import errno

from language_support import assert_kept, contract, found, judged
from page_write_calls import Script

SYNCED = 'every = "@write(*.db)"\nnext = "fdatasync|fsync($path)"'
OPEN = {"per": "open"}


def test_a_sync_after_each_write() -> None:
    script = Script()
    opened = script.open()
    script.page(opened, 0)
    script.page(opened, 1)
    script.end(opened)
    assert_kept(judged(contract(SYNCED, **OPEN), script.items))
    assert_kept(judged(contract(SYNCED), script.items))


def test_the_next_write_is_too_late() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, 3)
    script.page(opened, 4)
    script.end(opened)
    for keys in (OPEN, {}, {"per": "file"}, {"per": "process"}):
        result = judged(contract(SYNCED, **keys), script.items)
        assert found(result) == [("next", "broken", 1)], keys
    (finding,) = result.findings
    assert finding.page == 3
    assert "pwrite64 of 4096 bytes at offset 16384 (page 4) (call 2) came first" in finding.message


def test_the_end_of_the_open_is_too_late() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.end(opened)
    again = script.open()
    script.sync(again)
    script.end(again)
    assert found(judged(contract(SYNCED, **OPEN), script.items)) == [("next", "broken", 1)]
    # The file is over with its last open, the trace isn't.
    assert found(judged(contract(SYNCED, per="file"), script.items)) == [("next", "broken", 1)]
    assert_kept(judged(contract(SYNCED), script.items))


def test_a_sync_through_another_open_counts_before_the_close() -> None:
    script = Script()
    first, second = script.open(), script.open()
    script.write(first)
    script.sync(second)
    script.end(first)
    script.end(second)
    assert_kept(judged(contract(SYNCED, **OPEN), script.items))


def test_a_sync_through_another_open_after_the_last_close_is_too_late() -> None:
    script = Script()
    first, second = script.open(), script.open()
    script.write(first)
    script.close(first)
    script.sync(second)
    script.release(first)
    script.end(second)
    assert found(judged(contract(SYNCED, **OPEN), script.items)) == [("next", "broken", 2)]


def test_a_close_that_was_not_the_last_one_is_no_end() -> None:
    script = Script()
    first, second = script.open(), script.open()
    script.write(first)
    script.close(first)
    script.sync(second)
    script.page(first, 1)
    script.end(first)
    script.end(second)
    assert_kept(judged(contract(SYNCED, **OPEN), script.items))


def test_another_file_s_sync_does_not_count() -> None:
    script = Script()
    one, other = script.open("a.db"), script.open("b.db")
    script.write(one)
    script.sync(other)
    script.end(one)
    result = judged(contract(SYNCED, **OPEN), script.items)
    assert found(result) == [("next", "broken", 2)]
    assert found(judged(contract(SYNCED), script.items)) == [("next", "broken", 2)]


def test_a_failed_sync_is_the_finding() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, 2)
    script.sync(opened, errno=errno.EIO, result=None)
    script.sync(opened)
    script.end(opened)
    result = judged(contract(SYNCED, **OPEN), script.items)
    assert found(result) == [("next", "broken", 2)]
    assert result.findings[0].page == 2
    assert "EIO" in result.findings[0].message


def test_an_interrupted_sync_may_be_repeated() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.sync(opened, errno=errno.EINTR, result=None)
    script.sync(opened)
    script.end(opened)
    assert_kept(judged(contract(SYNCED, **OPEN), script.items))


def test_a_sync_that_began_before_the_write_was_done_covers_nothing() -> None:
    script = Script()
    opened = script.open()
    written = script.write(opened)
    script.sync(opened, start_ns=written.start_ns)
    script.end(opened)
    result = judged(contract(SYNCED, **OPEN), script.items)
    assert found(result) == [("next", "broken", 1)]
    assert "began before it was done" in result.findings[0].message


def test_a_write_that_began_before_the_sync_was_over_did_not_wait() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    synced = script.sync(opened)
    script.write(opened, 1, start_ns=synced.start_ns)
    script.sync(opened)
    script.end(opened)
    assert found(judged(contract(SYNCED, **OPEN), script.items)) == [("next", "broken", 1)]


def test_what_may_be_the_sync_leaves_it_unknown() -> None:
    script = Script()
    opened = script.open()
    script.write(opened)
    script.sync(opened, name="unknown")
    script.end(opened)
    assert found(judged(contract(SYNCED, **OPEN), script.items)) == [("next", "unknown", 1)]


def test_a_trace_cut_short_leaves_it_unknown() -> None:
    script = Script()
    script.write(script.open())
    result = judged(contract(SYNCED, **OPEN), script.items, complete=False)
    assert found(result) == [("next", "unknown", 1)]


def test_until_without_end_lets_the_program_stop() -> None:
    retried = 'every = "@write[short]"\nnext = "@write[repeats or resumes]"\nuntil = "@write"'
    script = Script()
    opened = script.open()
    script.write(opened, result=100)
    assert_kept(judged(contract(retried, **OPEN), script.items))
    script.write(opened, offset=100, length=3996)
    assert_kept(judged(contract(retried, **OPEN), script.items))
    script.write(opened, 1, result=100)
    script.write(opened, 2)
    assert found(judged(contract(retried, **OPEN), script.items)) == [("next", "broken", 3)]


NAMED = """
every = "open($path)[created]"
provided = "@write($path)"
next = "fsyncdir(dir($path))"
until = "end"
"""


def created(script: Script, *, written: bool) -> None:
    opened = script.open("sub/new.db", created=True)
    if written:
        script.page(opened)
    script.end(opened)


def test_a_name_that_matters_wants_its_directory_synced() -> None:
    script = Script()
    created(script, written=True)
    assert found(judged(contract(NAMED), script.items)) == [("next", "broken", 0)]
    script.syncdir(".")
    assert found(judged(contract(NAMED), script.items)) == [("next", "broken", 0)]
    script.syncdir("sub")
    assert_kept(judged(contract(NAMED), script.items))


def test_a_name_without_data_owes_nothing() -> None:
    script = Script()
    created(script, written=False)
    assert_kept(judged(contract(NAMED), script.items))


def test_what_is_owed_goes_with_a_rename() -> None:
    script = Script()
    created(script, written=True)
    script.call("rename", "rename", path="sub/new.db", target="there/old.db")
    script.syncdir("sub")
    assert found(judged(contract(NAMED), script.items)) == [("next", "broken", 0)]
    script.syncdir("there")
    assert_kept(judged(contract(NAMED), script.items))


def test_an_unlinked_name_owes_nothing() -> None:
    script = Script()
    created(script, written=True)
    script.call("unlink", "unlink", path="sub/new.db")
    assert_kept(judged(contract(NAMED), script.items))


def test_a_sync_of_some_file_is_not_surely_that_of_a_write_without_a_path() -> None:
    script = Script()
    first, second = script.open("a.db"), script.open("b.db")
    script.write(first, path=None)
    script.sync(second, "fsync")
    tried = contract('every = "pwrite($path)"\nnext = "fsync($path)"')
    assert found(judged(tried, script.items)) == [("next", "unknown", 2)]


def test_a_write_without_a_path_may_have_been_of_another_file() -> None:
    script = Script()
    script.open("sub/new.db", created=True)
    script.write(script.open("b.db"), path=None)
    assert found(judged(contract(NAMED), script.items)) == [("next", "unknown", 0)]
