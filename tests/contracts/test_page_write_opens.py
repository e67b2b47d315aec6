"""open-flags, which opens are judged, and the advice on syncs and directories."""

import pytest
from page_write_calls import (
    Script,
    advice,
    assert_broken,
    assert_kept,
    assert_unknown,
    errors,
    judge,
)

from tracefs.contracts.page_write import PageWrite
from tracefs.findings import ContractResult, Verdict

WRITE_ONLY = ("O_WRONLY", "O_CREAT")


def opened_with(*flags: str) -> ContractResult:
    script = Script()
    opened = script.open(flags=flags)
    script.page(opened)
    script.end(opened)
    return judge(script.items)


@pytest.mark.parametrize("flag", ["O_APPEND", "O_TRUNC"])
def test_a_forbidden_flag_breaks_open_flags_alone(flag: str) -> None:
    finding = assert_broken(opened_with("O_RDWR", flag), "open-flags")
    assert (finding.call, finding.page) == (0, None)
    assert flag in finding.message


def test_two_forbidden_flags_are_one_finding() -> None:
    finding = assert_broken(opened_with("O_RDWR", "O_APPEND", "O_TRUNC"), "open-flags")
    assert "O_APPEND and O_TRUNC" in finding.message


@pytest.mark.parametrize("flag", ["O_DSYNC", "O_SYNC", "O_DIRECT", "O_NONBLOCK"])
def test_another_flag_is_advice(flag: str) -> None:
    result = opened_with("O_RDWR", flag)
    assert_kept(result)
    assert advice(result) == ["open-flags"]
    assert flag in result.findings[0].message


def test_write_only_is_advice() -> None:
    result = opened_with(*WRITE_ONLY)
    assert_kept(result)
    assert advice(result) == ["open-flags"]


@pytest.mark.parametrize(
    "flag", ["O_CREAT", "O_CLOEXEC", "O_NOFOLLOW", "O_EXCL", "O_LARGEFILE", "O_NOCTTY", "0x8000"]
)
def test_a_harmless_flag_is_not_mentioned(flag: str) -> None:
    result = opened_with("O_RDWR", flag)
    assert_kept(result)
    assert advice(result) == []


@pytest.mark.parametrize("handle", [None, 0])
def test_a_failed_open_is_no_open(handle: int | None) -> None:
    script = Script()
    script.open(flags=["O_RDWR", "O_TRUNC"], errno=13, handle=handle)
    script.page(script.open())
    assert_kept(judge(script.items))


def test_read_only_opens_are_not_judged() -> None:
    script = Script()
    reader, writer = script.open(flags=["O_RDONLY", "O_TRUNC"]), script.open()
    script.sync(reader, "fsync")
    script.page(writer)
    result = judge(script.items)
    assert_kept(result)
    assert advice(result) == []


@pytest.mark.parametrize(
    ("glob", "judged"),
    [("*.log", True), ("a.log", True), ("sub/*", True), ("*.db", False), ("b.log", False)],
)
def test_paths_choose_what_is_judged(glob: str, judged: bool) -> None:
    script = Script()
    chosen, other = script.open("pages.db"), script.open("sub/a.log")
    script.page(chosen)
    script.write(other, length=10)
    script.end(other)
    result = judge(script.items, paths=("pages.db", glob))
    assert (result.verdict is Verdict.BROKEN) == judged


def test_a_write_whose_open_is_not_in_the_trace_leaves_open_flags_unknown() -> None:
    script = Script()
    opened = script.open()
    script.items.clear()
    script.page(opened)
    script.page(opened, 1)
    script.end(opened)
    assert_unknown(judge(script.items), "open-flags")


def test_writes_without_a_handle_are_told_apart_by_file() -> None:
    script = Script()
    first, second = script.open("a.db"), script.open("b.db")
    script.items.clear()
    script.write(first, handle=None)
    script.write(second, handle=None)
    script.sync(first, handle=None)
    script.sync(second, handle=None)
    assert errors(judge(script.items)) == [("open-flags", "unknown")] * 2


@pytest.mark.parametrize("paths", [(), ("*.db",)])
def test_nothing_written_is_unknown(paths: tuple[str, ...]) -> None:
    script = Script()
    script.end(script.open("other.txt", flags=["O_RDWR"]))
    assert_unknown(judge(script.items, paths=paths), "written")
    assert_unknown(judge([], paths=paths), "written")


def test_a_write_that_failed_is_nothing_written() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, errno=28)
    script.end(opened)
    assert_unknown(judge(script.items), "written")


# advice


def test_fsync_where_the_size_stays_is_advised_against() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, 7)
    script.sync(opened, "fsync")
    result = judge(script.items)
    assert_kept(result)
    assert advice(result) == ["fdatasync-suffices"]


def test_fsync_where_the_size_changes_is_right() -> None:
    script = Script()
    opened = script.open()
    script.write(opened, 8)
    script.sync(opened, "fsync")
    script.write(opened, 8)
    script.sync(opened, "fsync")
    result = judge(script.items)
    assert advice(result) == ["fdatasync-suffices"]
    assert result.findings[0].call == 4


@pytest.mark.parametrize(
    ("name", "family"), [("ftruncate", "truncate"), ("fchmod", "attr"), ("fsetxattr", "xattr")]
)
def test_fsync_after_other_changes_is_right(name: str, family: str) -> None:
    script = Script()
    opened = script.open()
    script.page(opened)
    script.call(name, family, ino=opened.ino, length=8192 if family == "truncate" else None)
    script.sync(opened, "fsync")
    result = judge(script.items)
    assert_kept(result)
    assert advice(result) == []


@pytest.mark.parametrize(
    ("offset", "length", "flags", "result", "said"),
    [
        (8 * 4096, 4096, (), 0, []),
        (0, 4096, (), 0, ["fdatasync-suffices"]),
        (8 * 4096, 4096, ("FALLOC_FL_KEEP_SIZE",), 0, ["fdatasync-suffices"]),
        (0, 4096, (), None, []),
    ],
    ids=["grows it", "within it", "keeps its size", "not known"],
)
def test_fsync_after_an_allocation_is_right_where_the_size_changed(
    offset: int, length: int, flags: tuple[str, ...], result: int | None, said: list[str]
) -> None:
    script = Script()
    opened = script.open()
    script.page(opened)
    script.call(
        "fallocate", "allocate", ino=opened.ino, offset=offset, length=length, flags=flags,
        result=result,
    )  # fmt: skip
    script.sync(opened, "fsync")
    result_of_all = judge(script.items)
    assert_kept(result_of_all)
    assert advice(result_of_all) == said


def test_an_allocation_that_failed_changes_nothing() -> None:
    script = Script()
    opened = script.open()
    script.page(opened)
    script.call("fallocate", "allocate", ino=opened.ino, offset=0, length=1 << 20, errno=28)
    script.sync(opened)
    assert advice(judge(script.items)) == ["idle-sync"]


@pytest.mark.parametrize("name", ["fdatasync", "msync"])
def test_attributes_are_durable_by_fsync_only(name: str) -> None:
    script = Script()
    opened = script.open()
    script.call("fchmod", "attr", ino=opened.ino)
    script.write(opened)
    script.sync(opened, name, datasync=True)
    script.sync(opened, "fsync")
    script.sync(opened, "fsync")
    assert advice(judge(script.items)) == ["idle-sync"]


def test_the_first_fsync_of_a_new_file_is_right() -> None:
    script = Script()
    opened = script.open(created=True)
    script.sync(opened, "fsync")
    script.page(opened)
    script.syncdir()
    assert advice(judge(script.items)) == []


def test_a_size_that_changed_unseen_is_a_change() -> None:
    script = Script()
    first = script.open()
    script.page(first)
    second = script.open(size=9 * 4096)
    script.write(second)
    script.sync(second, "fsync")
    assert advice(judge(script.items)) == []


@pytest.mark.parametrize("name", ["fdatasync", "fsync"])
def test_a_sync_with_nothing_to_sync_is_idle(name: str) -> None:
    script = Script()
    opened = script.open()
    script.sync(opened, name)
    script.page(opened)
    script.sync(opened, name)
    script.end(opened)
    result = judge(script.items)
    assert_kept(result)
    assert advice(result) == ["idle-sync", "idle-sync"]


def test_a_sync_of_what_an_earlier_open_left_is_not_idle() -> None:
    script = Script()
    first = script.open()
    script.write(first, 8)
    script.end(first)
    second = script.open(size=9 * 4096)
    script.sync(second, "fsync")
    script.end(second)
    assert advice(judge(script.items)) == []


def created(path: str, *, written: bool = True) -> Script:
    script = Script()
    opened = script.open(path, created=True)
    if written:
        script.page(opened)
    else:
        script.page(script.open("other.db"))
    script.end(opened)
    return script


def test_a_new_file_in_a_directory_that_is_not_synced_is_advised_on_once() -> None:
    script = created("sub/a.db")
    again = script.open("sub/a.db")
    script.page(again)
    result = judge(script.items)
    assert_kept(result)
    assert advice(result) == ["directory-synced"]
    assert (result.findings[0].call, result.findings[0].path) == (0, "sub/a.db")


@pytest.mark.parametrize(
    ("path", "directory", "errno", "advised"),
    [
        ("a.db", ".", 0, False),
        ("sub/a.db", "sub", 0, False),
        ("sub/a.db", ".", 0, True),
        ("a.db", ".", 5, True),
    ],
)
def test_a_sync_of_its_directory_makes_a_name_durable(
    path: str, directory: str, errno: int, advised: bool
) -> None:
    script = created(path)
    script.syncdir(directory, errno=errno)
    assert (advice(judge(script.items)) == ["directory-synced"]) == advised


def test_a_directory_synced_before_the_file_was_made_is_not_enough() -> None:
    script = Script()
    script.syncdir()
    opened = script.open(created=True)
    script.page(opened)
    assert advice(judge(script.items)) == ["directory-synced"]


def test_a_directory_sync_that_overlaps_the_create_is_not_enough() -> None:
    script = Script()
    opened = script.open(created=True, start_ns=10, end_ns=20)
    script.syncdir(start_ns=15, end_ns=30)
    script.page(opened)
    assert advice(judge(script.items)) == ["directory-synced"]


def test_a_new_file_that_nothing_was_written_to_needs_no_directory_sync() -> None:
    assert advice(judge(created("a.db", written=False).items)) == []


def test_a_new_file_that_a_later_open_writes_needs_a_directory_sync() -> None:
    script = created("a.db", written=False)
    script.page(script.open("a.db", size=0))
    assert advice(judge(script.items)) == ["directory-synced"]


def test_a_new_file_that_another_replaced_needs_no_directory_sync() -> None:
    script = created("a.db")
    script.call("rename", "rename", path="old.db", target="a.db", ino=55)
    assert advice(judge(script.items)) == []


def test_a_new_file_that_was_removed_needs_no_directory_sync() -> None:
    script = created("a.db")
    script.call("unlink", "unlink", path="a.db", ino=100)
    assert advice(judge(script.items)) == []


@pytest.mark.parametrize(("synced", "advised"), [("there", False), ("here", True), (".", True)])
def test_a_new_name_moves_with_its_file(synced: str, advised: bool) -> None:
    script = created("here/new.tmp")
    script.call("rename", "rename", path="here/new.tmp", target="there/a.db", ino=100)
    script.syncdir(synced)
    result = judge(script.items)
    assert (advice(result) == ["directory-synced"]) == advised
    if advised:
        assert result.findings[0].path == "there/a.db"


def test_a_new_name_moves_with_its_directory() -> None:
    script = created("here/deep/a.db")
    script.call("rename", "rename", path="here", target="there", ino=9)
    assert judge(script.items).findings[0].path == "there/deep/a.db"
    script.syncdir("there/deep")
    assert advice(judge(script.items)) == []


def test_in_an_incomplete_trace_the_missing_directory_sync_is_unknown() -> None:
    result = judge(created("a.db").items, complete=False)
    assert [finding.verdict for finding in result.findings] == [Verdict.UNKNOWN]
    assert result.verdict is Verdict.KEPT  # advice; check turns it into unknown


def test_rules_left_out_are_not_reported_and_named() -> None:
    script = Script()
    opened = script.open(flags=["O_RDWR", "O_TRUNC"])
    script.write(opened, length=10)
    script.end(opened)
    result = judge(script.items, without=("synced", "full-page", "no-seek"))
    assert errors(result) == [("open-flags", "broken")]
    assert result.without == ("synced", "full-page", "no-seek")
    assert "no-seek" not in result.evidence


def test_every_rule_can_be_left_out() -> None:
    script = Script()
    opened = script.open(flags=["O_WRONLY", "O_TRUNC"], created=True)
    script.sync(opened)
    script.sync(opened)
    script.write(opened, name="write", offset=7, length=10, result=5, position=7)
    script.sync(opened, "fsync")
    script.write(opened)
    assert judge(script.items, without=PageWrite.rules).findings == ()
