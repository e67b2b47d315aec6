"""What ``per`` keeps apart: opens of one file, files, and what has no descriptor."""

import pytest
from language_support import assert_kept, contract, found, judged
from page_write_calls import Opened, Script

NEEDED = 'before = "close"\nneed = "@sync"\nsince = "@write"'
IN_TURN = 'when = "close"\nsequence = ["@write+", "@sync", "close"]'
WRITABLE = {"per": "open", "opens": "writable"}
READ_ONLY = ("O_RDONLY",)


def renamed(script: Script, opened: Opened, target: str) -> None:
    script.call("rename", "rename", path=opened.path, target=target, ino=opened.ino)


@pytest.mark.parametrize("clauses", [NEEDED, IN_TURN])
@pytest.mark.parametrize("synced", [True, False])
def test_a_reader_that_closes_ends_nothing_of_the_writer(clauses: str, synced: bool) -> None:
    script = Script()
    writer, reader = script.open(), script.open(flags=READ_ONLY)
    script.write(writer)
    script.end(reader)
    if synced:
        script.sync(writer)
    closed = script.close(writer)
    script.release(writer)
    result = judged(contract(clauses, **WRITABLE), script.items)
    expected = [] if synced else [(clauses.partition(" ")[0], "broken", closed.index)]
    assert [(verdict, call) for _, verdict, call in found(result)] == [
        each[1:] for each in expected
    ]


@pytest.mark.parametrize("clauses", [NEEDED, IN_TURN])
def test_writers_of_one_file_take_their_own_steps(clauses: str) -> None:
    script = Script()
    first, second = script.open(), script.open()
    script.write(first)
    script.page(second, 1)
    script.end(second)
    script.sync(first)
    script.end(first)
    assert_kept(judged(contract(clauses, per="open"), script.items))


@pytest.mark.parametrize("clauses", [NEEDED, IN_TURN, 'before = "close"\nneed = "@sync"'])
def test_a_sync_through_another_open_is_one_of_the_file(clauses: str) -> None:
    script = Script()
    first, second = script.open(), script.open(flags=READ_ONLY)
    script.write(first)
    script.sync(second)
    script.end(first)
    assert_kept(judged(contract(clauses, per="open"), script.items))
    again = Script()
    first, second = again.open(), again.open(flags=READ_ONLY)
    again.write(first)
    again.sync(second)
    again.sync(first)
    again.end(first)
    assert_kept(judged(contract(clauses, per="open"), again.items))


def test_what_one_open_had_the_next_has_not() -> None:
    tried = contract('before = "close"\nneed = "@sync"', per="open")
    script = Script()
    first = script.open()
    script.page(first)
    script.end(first)
    second = script.open()
    script.write(second)
    closed = script.close(second)
    script.release(second)
    assert found(judged(tried, script.items)) == [("before", "broken", closed.index)]


def test_an_open_that_came_after_the_sync_has_not_had_it() -> None:
    tried = contract('before = "close"\nneed = "@sync"', per="open")
    script = Script()
    first = script.open()
    script.page(first)
    second = script.open()
    script.write(second)
    closed = script.close(second)
    script.release(second)
    script.end(first)
    assert found(judged(tried, script.items)) == [("before", "broken", closed.index)]


@pytest.mark.parametrize("per", ["file", "open"])
@pytest.mark.parametrize("synced", [True, False])
@pytest.mark.parametrize(
    ("clauses", "rule"),
    [
        ('before = "rename(new, *)"\nneed = "@sync"', "before"),
        ('before = "rename(new, *)"\nneed = "@sync"\nsince = "@write"', "before"),
        (
            'when = "rename(new, *)"\nsequence = ["@write(new)+", "@sync(new)", "rename(new, *)"]',
            "sequence",
        ),
    ],
)
def test_a_file_is_the_same_once_it_is_closed(
    clauses: str, rule: str, synced: bool, per: str
) -> None:
    script = Script()
    opened = script.open("new", created=True)
    script.write(opened)
    if synced:
        script.sync(opened)
    script.end(opened)
    renamed(script, opened, "old")
    expected = [] if synced else [(rule, "broken", 3)]
    assert found(judged(contract(clauses, per=per), script.items)) == expected


def test_a_new_file_with_the_number_of_an_old_one_is_another() -> None:
    script = Script()
    for _ in range(2):
        opened = script.open("new", created=True)
        script.write(opened)
        script.end(opened)
        script.call("unlink", "unlink", path="new", ino=opened.ino)
    last = script.open("new", created=True)
    script.end(last)
    renamed(script, last, "old")
    clauses = 'before = "rename(new, *)"\nneed = "@sync"\nsince = "@write"'
    assert_kept(judged(contract(clauses, per="file"), script.items))
    assert_kept(judged(contract('every = "@write"\nat_most = 1', per="file"), script.items))


def test_at_most_counts_a_file_over_all_its_opens() -> None:
    script = Script()
    for _ in range(2):
        script.end(script.open())
    tried = contract('every = "open"\nat_most = 1', per="file")
    assert found(judged(tried, script.items)) == [("at-most", "broken", 2)]


def test_at_most_counts_calls_without_a_descriptor_for_each_file() -> None:
    script = Script()
    for path in ("a", "b"):
        opened = script.open(path)
        script.call("truncate", "truncate", path=path, ino=opened.ino, length=0)
    tried = contract('every = "truncate"\nat_most = 1', per="open")
    assert_kept(judged(tried, script.items))


def test_at_most_of_files_that_are_not_known_is_unknown() -> None:
    script = Script()
    for _ in range(2):
        script.call("lseek", "seek", offset=0)
    tried = contract('every = "lseek"\nat_most = 1', per="file")
    assert found(judged(tried, script.items)) == [("at-most", "unknown", 1)]


@pytest.mark.parametrize("per", ["open", "file", "trace"])
@pytest.mark.parametrize("synced", [True, False])
def test_a_log_of_its_own_file_is_found(per: str, synced: bool) -> None:
    tried = contract(
        'before = "pwrite($db=*.db)"\nneed = "fdatasync($db-wal)"\nsince = "pwrite($db-wal)"',
        per=per,
    )
    script = Script()
    wal, database = script.open("a.db-wal"), script.open("a.db")
    script.write(wal)
    if synced:
        script.sync(wal)
    script.write(database)
    expected = [] if synced else [("before", "broken", 3)]
    assert found(judged(tried, script.items)) == expected


@pytest.mark.parametrize("synced", [True, False])
def test_a_directory_can_be_a_step_of_each_file(synced: bool) -> None:
    tried = contract(
        'when = "rename($tmp, $new)"\n'
        'sequence = ["@write($tmp)+", "@sync($tmp)", "rename($tmp, $new)", "fsyncdir(dir($new))"]',
        per="file",
    )
    script = Script()
    opened = script.open("d/tmp", created=True)
    script.page(opened)
    renamed(script, opened, "d/new")
    script.syncdir("e")
    if synced:
        script.syncdir("d")
    script.end(opened)
    expected = [] if synced else [("sequence", "broken", 3)]
    assert found(judged(tried, script.items)) == expected
