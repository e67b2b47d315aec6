"""``before``/``need``/``since`` over scripts of calls."""

from language_support import assert_kept, contract, found, judged
from page_write_calls import Script

WAL = """
before = "pwrite($db)"
need = "fdatasync|fsync($db-wal)"
since = "pwrite($db-wal)"
files = "*.db"
"""
MADE = 'before = "rename($tmp, *)"\nneed = "fsync($tmp)"'


def logged(script: Script, *, synced: bool) -> None:
    wal, db = script.open("a.db-wal"), script.open("a.db")
    script.write(wal, 7)
    if synced:
        script.sync(wal)
    script.write(db)
    script.end(wal)
    script.end(db)


def test_the_log_is_synced_first() -> None:
    script = Script()
    logged(script, synced=True)
    assert_kept(judged(contract(WAL), script.items))


def test_the_page_came_before_the_log_was_synced() -> None:
    script = Script()
    logged(script, synced=False)
    result = judged(contract(WAL), script.items)
    assert found(result) == [("before", "broken", 3)]
    (finding,) = result.findings
    assert finding.path == "a.db"
    assert "(page 7) (call 2)" in finding.message


def test_each_binding_is_judged_for_itself() -> None:
    script = Script()
    a, b = script.open("a.db-wal"), script.open("b.db-wal")
    script.write(a)
    script.write(b)
    script.sync(b)
    script.write(script.open("b.db"))
    assert_kept(judged(contract(WAL), script.items))
    script.write(script.open("a.db"))
    assert found(judged(contract(WAL), script.items)) == [("before", "broken", 8)]


def test_one_sync_covers_what_came_before_it_and_no_more() -> None:
    script = Script()
    wal, db = script.open("a.db-wal"), script.open("a.db")
    script.write(wal)
    script.sync(wal)
    script.write(db)
    script.write(db, 1)
    assert_kept(judged(contract(WAL), script.items))
    script.write(wal)
    script.write(db, 2)
    script.write(db, 3)
    # One cause, one finding.
    assert found(judged(contract(WAL), script.items)) == [("before", "broken", 7)]


def test_a_sync_that_began_too_early_is_none() -> None:
    script = Script()
    wal, db = script.open("a.db-wal"), script.open("a.db")
    written = script.write(wal)
    script.sync(wal, start_ns=written.start_ns)
    script.write(db)
    assert found(judged(contract(WAL), script.items)) == [("before", "broken", 4)]


def test_a_failed_sync_is_none() -> None:
    script = Script()
    wal, db = script.open("a.db-wal"), script.open("a.db")
    script.write(wal)
    script.sync(wal, errno=5, result=None)
    script.write(db)
    assert found(judged(contract(WAL), script.items)) == [("before", "broken", 4)]


def test_what_may_be_the_sync_leaves_it_unknown() -> None:
    script = Script()
    wal, db = script.open("a.db-wal"), script.open("a.db")
    script.write(wal)
    script.sync(wal, name="unknown")
    script.write(db)
    assert found(judged(contract(WAL), script.items)) == [("before", "unknown", 4)]


def test_without_since_it_must_have_come_at_all() -> None:
    script = Script()
    new = script.open("a.tmp")
    script.write(new)
    script.call("rename", "rename", path="a.tmp", target="a")
    assert found(judged(contract(MADE), script.items)) == [("before", "broken", 2)]
    kept = Script()
    new = kept.open("a.tmp")
    kept.sync(new, name="fsync")
    kept.call("rename", "rename", path="a.tmp", target="a")
    assert_kept(judged(contract(MADE), kept.items))
    kept.call("rename", "rename", path="b.tmp", target="b")
    assert found(judged(contract(MADE), kept.items)) == [("before", "broken", 3)]


def test_nothing_to_judge_is_not_kept() -> None:
    script = Script()
    script.write(script.open("a.db-wal"))
    assert found(judged(contract(WAL), script.items)) == [("some", "unknown", None)]


def test_a_sync_of_some_file_is_not_surely_that_of_a_write_without_a_path() -> None:
    script = Script()
    first, second = script.open("a"), script.open("b")
    script.write(first, path=None)
    script.sync(second, "fsync")
    script.call("rename", "rename", path="a", target="c")
    tried = contract('before = "rename($a, *)"\nneed = "fsync($a)"\nsince = "pwrite($a)"')
    assert found(judged(tried, script.items)) == [("before", "unknown", 4)]


def test_a_sync_without_a_path_may_have_been_the_one() -> None:
    script = Script()
    script.sync(script.open("a"), "fsync", path=None)
    script.call("rename", "rename", path="a", target="c")
    tried = contract('before = "rename($a, *)"\nneed = "fsync($a)"')
    assert found(judged(tried, script.items)) == [("before", "unknown", 2)]
