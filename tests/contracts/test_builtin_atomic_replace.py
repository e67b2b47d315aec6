"""atomic-replace, rule by rule."""

from errno import EIO, EXDEV
from typing import Any

import pytest
from builtin_support import Found, Program, found, judged

from tracefs.findings import ContractResult, Verdict


def check(
    program: Program, *, complete: bool = True, paths: tuple[str, ...] = ()
) -> ContractResult:
    return judged("atomic-replace", program, complete=complete, paths=paths)


def save(program: Program, *, name: str = "c.json", new: str = "c.json.tmp") -> None:
    """Replace a file as it should be."""
    file = program.open(new, created=True)
    program.write(file, length=100)
    program.sync(file, "fsync")
    program.end(file)
    program.rename(new, name)
    program.syncdir(name.rpartition("/")[0] or ".")


def test_write_sync_rename_sync_directory() -> None:
    program = Program()
    save(program)
    save(program)
    save(program, name="d/e.json", new="d/e.json.tmp")
    assert check(program).verdict is Verdict.KEPT
    assert found(check(program)) == []


# synced-before-rename


def test_a_rename_without_sync() -> None:
    program = Program()
    file = program.open("c.tmp", created=True)
    program.write(file, length=100)
    program.end(file)
    program.rename("c.tmp", "c")
    program.syncdir()
    assert found(check(program)) == [Found("synced-before-rename", "broken", 3, "c.tmp")]


def test_a_sync_after_the_rename_is_too_late() -> None:
    program = Program()
    file = program.open("c.tmp", created=True)
    program.write(file, length=100)
    program.rename("c.tmp", "c")
    file.path = "c"
    program.sync(file)
    program.end(file)
    program.syncdir()
    assert found(check(program)) == [Found("synced-before-rename", "broken", 2, "c.tmp")]


@pytest.mark.parametrize("last", ["write", "truncate"])
def test_what_changes_the_file_after_the_sync_needs_another(last: str) -> None:
    program = Program()
    file = program.open("c.tmp", created=True)
    program.write(file, length=100)
    program.sync(file)
    if last == "write":
        program.write(file, length=10, offset=0)
    else:
        program.truncate(file, 10)
    program.rename("c.tmp", "c")
    program.syncdir()
    assert found(check(program)) == [Found("synced-before-rename", "broken", 4, "c.tmp")]


def test_a_sync_that_failed_is_none() -> None:
    program = Program()
    file = program.open("c.tmp", created=True)
    program.write(file, length=100)
    program.sync(file, errno=EIO, result=None)
    program.rename("c.tmp", "c")
    program.syncdir()
    assert found(check(program)) == [Found("synced-before-rename", "broken", 3, "c.tmp")]


def test_a_retried_sync_proves_nothing() -> None:
    program = Program()
    file = program.open("c.tmp", created=True)
    program.write(file, length=100)
    failed = program.sync(file, errno=EIO, result=None)
    program.sync(file, after_failed=failed.index)
    program.rename("c.tmp", "c")
    program.syncdir()
    result = check(program)
    assert found(result) == [Found("synced-before-rename", "broken", 4, "c.tmp")]
    said = "fdatasync (call 3) proves nothing, since call 2 had failed to save what was written"
    assert said in result.findings[0].message


def test_a_file_that_nobody_wrote_may_be_renamed() -> None:
    program = Program()
    program.rename("old", "new")
    program.syncdir()
    assert found(check(program)) == []


@pytest.mark.parametrize(
    "write",
    [
        {"synced_by": "O_SYNC"},
        {"note": "glibc's posix_fallocate", "length": 1, "result": 1},
        {"errno": EIO},
    ],
    ids=["synced at once", "posix_fallocate", "failed"],
)
def test_a_write_that_needs_no_sync(write: dict[str, Any]) -> None:
    program = Program()
    file = program.open("c.tmp", created=True)
    program.write(file, **write)
    program.rename("c.tmp", "c")
    program.syncdir()
    assert found(check(program)) == []


def test_a_rename_that_failed_replaced_nothing() -> None:
    program = Program()
    file = program.open("c.tmp", created=True)
    program.write(file, length=100)
    program.rename("c.tmp", "c", errno=EXDEV)
    assert [each.kind for each in found(check(program))] == ["unknown"]


def test_a_sync_of_an_unknown_file_may_have_been_the_one() -> None:
    program = Program()
    file = program.open("c.tmp", created=True)
    program.write(file, length=100)
    program.call("fsync", "sync", ino=77, result=0)
    program.rename("c.tmp", "c")
    program.syncdir()
    assert found(check(program)) == [Found("synced-before-rename", "unknown", 3, "c.tmp")]


def test_a_file_may_be_chosen_by_its_last_name() -> None:
    program = Program()
    file = program.open("c.tmp", created=True)
    program.write(file, length=100)
    program.rename("c.tmp", "c")
    program.syncdir()
    expected = [Found("synced-before-rename", "broken", 2, "c.tmp")]
    assert found(check(program, paths=("c",))) == expected


# not-in-place


def test_a_file_with_contents_is_emptied_and_written() -> None:
    program = Program()
    file = program.open("c", flags=("O_WRONLY", "O_CREAT", "O_TRUNC"), size=50)
    program.write(file, length=100)
    program.sync(file)
    program.end(file)
    assert found(check(program)) == [Found("not-in-place", "broken", 0, "c")]


def test_the_same_by_ftruncate() -> None:
    program = Program()
    file = program.open("c", flags=("O_WRONLY",), size=50)
    program.truncate(file, 0)
    program.write(file, length=100)
    program.sync(file)
    program.end(file)
    assert found(check(program)) == [Found("not-in-place", "broken", 1, "c")]


def test_a_truncation_that_failed_cut_nothing_off() -> None:
    program = Program()
    file = program.open("c", flags=("O_WRONLY",), size=50)
    program.truncate(file, 0, errno=EIO)
    program.end(file)
    save(program)
    assert found(check(program)) == []


@pytest.mark.parametrize("file", [{"created": True}, {"size": 0}], ids=["new", "empty"])
def test_nothing_is_lost_of_a_file_without_contents(file: dict[str, Any]) -> None:
    program = Program()
    opened = program.open("c", flags=("O_WRONLY", "O_CREAT", "O_TRUNC"), **file)
    program.write(opened, length=100)
    program.end(opened)
    save(program)
    assert found(check(program)) == []


def test_what_an_earlier_save_left_may_be_emptied() -> None:
    program = Program()
    file = program.open("c.tmp", flags=("O_WRONLY", "O_CREAT", "O_TRUNC"), size=50)
    program.write(file, length=100)
    program.sync(file)
    program.end(file)
    program.rename("c.tmp", "c")
    program.syncdir()
    assert found(check(program)) == []


def test_a_new_file_may_be_emptied_and_written_again() -> None:
    program = Program()
    for _ in range(2):
        file = program.open("c.tmp", flags=("O_WRONLY", "O_TRUNC"), size=50)
        program.write(file, length=100)
        program.sync(file)
        program.end(file)
    program.rename("c.tmp", "c")
    program.syncdir()
    assert found(check(program)) == []


def test_a_file_that_is_removed_may_be_emptied_before() -> None:
    program = Program()
    program.end(program.open("c", flags=("O_WRONLY", "O_TRUNC"), size=50))
    program.unlink("c")
    assert found(check(program)) == []


def test_whether_contents_are_lost_where_the_size_is_not_known() -> None:
    program = Program()
    file = program.open("c", flags=("O_WRONLY", "O_TRUNC"), size=None)
    program.end(file)
    assert found(check(program)) == [Found("not-in-place", "unknown", 0, "c")]


# name-kept


def test_the_old_file_is_moved_away_and_the_name_made_anew() -> None:
    program = Program()
    program.rename("c", "c~")
    file = program.open("c", created=True)
    program.write(file, length=100)
    program.sync(file)
    program.end(file)
    program.unlink("c~")
    program.syncdir()
    assert found(check(program)) == [Found("name-kept", "broken", 0, "c")]


def test_the_old_file_may_get_a_second_name() -> None:
    program = Program()
    program.call("link", "link", path="c~", target="c")
    save(program, name="c", new="c.tmp")
    assert found(check(program)) == []


def test_a_name_that_is_made_anew_and_removed() -> None:
    program = Program()
    program.rename("c", "d")
    program.end(program.open("c", created=True))
    program.unlink("c")
    program.syncdir()
    assert found(check(program)) == []


def test_the_name_may_come_back_with_its_file() -> None:
    program = Program()
    program.rename("c", "c~")
    program.call("link", "link", path="c", target="c~")
    program.end(program.open("c"))
    program.syncdir()
    assert found(check(program)) == []


def test_a_file_may_be_moved_away_for_good() -> None:
    program = Program()
    program.rename("c", "d")
    program.syncdir()
    assert found(check(program)) == []


# directory-synced


def test_a_directory_that_is_not_synced() -> None:
    program = Program()
    file = program.open("d/c.tmp", created=True)
    program.write(file, length=100)
    program.sync(file)
    program.rename("d/c.tmp", "d/c")
    program.syncdir(".")
    rename = [Found("directory-synced", "broken", 3, "d/c.tmp")]
    assert found(check(program)) == rename
    assert found(check(program, complete=False)) == [rename[0]._replace(kind="unknown")]


def test_a_directory_that_was_synced_too_early() -> None:
    program = Program()
    file = program.open("c.tmp", created=True)
    program.write(file, length=100)
    program.sync(file)
    program.syncdir()
    program.rename("c.tmp", "c")
    assert found(check(program)) == [Found("directory-synced", "broken", 4, "c.tmp")]


def test_one_sync_of_the_directory_will_do_for_several_renames() -> None:
    program = Program()
    program.rename("a.tmp", "a")
    program.rename("b.tmp", "b")
    program.rename("c.tmp", "b")
    program.syncdir()
    assert found(check(program)) == []


def test_a_directory_whose_sync_failed() -> None:
    program = Program()
    program.rename("c.tmp", "c")
    program.syncdir(errno=EIO)
    assert found(check(program)) == [Found("directory-synced", "broken", 1, ".")]


def test_nothing_replaced_is_nothing_shown() -> None:
    program = Program()
    file = program.open("c", created=True)
    program.write(file, length=100)
    program.end(file)
    result = check(program)
    assert result.verdict is Verdict.UNKNOWN
    assert [each.kind for each in found(result)] == ["unknown"]
