"""no-unsynced-close, rule by rule."""

from errno import EINTR, EIO, ENOSPC

from builtin_support import Found, Program, found, judged

from tracefs.findings import ContractResult, Verdict

RULE = "synced-before-close"


def check(program: Program, *, complete: bool = True) -> ContractResult:
    return judged("no-unsynced-close", program, complete=complete)


def test_one_sync_covers_all_writes_before_it() -> None:
    program = Program()
    file = program.open()
    program.write(file, 0)
    program.write(file, 5)
    program.sync(file)
    program.end(file)
    assert check(program).verdict is Verdict.KEPT
    assert found(check(program)) == []


def test_a_write_after_the_sync_is_named() -> None:
    program = Program()
    file = program.open()
    program.write(file, 0)
    program.sync(file)
    program.write(file, 5)
    program.end(file)
    assert found(check(program)) == [Found(RULE, "broken", 3, "a.db", 5)]


def test_a_copy_that_met_the_end_of_its_source_owes_nothing() -> None:
    """cat(1) copies until a call returns 0: no request comes of that one."""
    program = Program()
    file = program.open()
    program.write(file, 0)
    program.sync(file)
    program.write(
        file, 1, name="sendfile", known_by="seccomp", result=None, fragments=0,
        reason="no request followed: it failed, or had nothing to do",
    )  # fmt: skip
    program.end(file)
    assert check(program).verdict is Verdict.KEPT


def test_a_sync_by_any_open_of_the_file_will_do() -> None:
    program = Program()
    file, other = program.open(), program.open()
    program.write(file)
    program.sync(other, "fsync")
    program.end(file)
    program.end(other)
    assert found(check(program)) == []


def test_a_sync_after_the_close_is_too_late() -> None:
    program = Program()
    file = program.open()
    program.write(file, 1)
    program.end(file)
    other = program.open()
    program.sync(other)
    program.end(other)
    assert found(check(program)) == [Found(RULE, "broken", 1, "a.db", 1)]


def test_each_open_answers_for_its_own_writes() -> None:
    program = Program()
    file, other = program.open(), program.open()
    program.write(file, 1)
    program.write(other, 2)
    program.end(file)
    program.sync(other)
    program.end(other)
    assert found(check(program)) == [Found(RULE, "broken", 2, "a.db", 1)]


def test_a_duplicate_may_be_closed_first() -> None:
    program = Program()
    file = program.open()
    program.write(file)
    program.close(file)
    program.sync(file)
    program.end(file)
    assert found(check(program)) == []


def test_a_sync_of_another_file_is_none() -> None:
    program = Program()
    file, other = program.open("a.db"), program.open("b.db")
    program.write(file)
    program.sync(other)
    program.end(file)
    program.end(other)
    assert found(check(program)) == [Found(RULE, "broken", 2, "a.db", 0)]


def test_a_sync_that_began_before_the_write_was_done_is_none() -> None:
    program = Program()
    file = program.open()
    write = program.write(file, 3)
    program.sync(file, start_ns=write.start_ns)
    program.end(file)
    assert found(check(program)) == [Found(RULE, "broken", 1, "a.db", 3)]


def test_a_sync_that_fails_is_the_finding() -> None:
    program = Program()
    file = program.open()
    program.write(file, 2)
    program.sync(file, errno=EIO, result=None)
    program.sync(file)
    program.end(file)
    assert found(check(program)) == [Found(RULE, "broken", 2, "a.db", 2)]


def test_an_interrupted_sync_may_be_made_again() -> None:
    program = Program()
    file = program.open()
    program.write(file)
    program.sync(file, errno=EINTR, result=None)
    program.sync(file)
    program.end(file)
    assert found(check(program)) == []


def test_what_wrote_nothing_or_is_synced_at_once_needs_no_sync() -> None:
    program = Program()
    file = program.open()
    program.write(file, errno=ENOSPC)
    program.write(file, synced_by="O_DSYNC")
    program.write(file, note="glibc's posix_fallocate", length=1, result=1)
    program.end(file)
    assert found(check(program)) == []


def test_a_file_opened_to_read_is_not_judged() -> None:
    program = Program()
    file = program.open(flags=("O_RDONLY",))
    program.end(file)
    result = check(program)
    assert [each.kind for each in found(result)] == ["unknown"]
    assert result.verdict is Verdict.UNKNOWN


def test_where_nothing_was_written_nothing_was_shown() -> None:
    program = Program()
    file = program.open()
    program.write(file, errno=ENOSPC)
    program.write(file, note="glibc's posix_fallocate", length=1, result=1)
    program.end(file)
    assert [(each.rule, each.kind) for each in found(check(program))] == [("some", "unknown")]


def test_stores_are_synced_by_msync() -> None:
    """It makes the kernel write them back, and so began before that."""
    program = Program()
    file = program.open()
    store = program.store(file, 1)
    program.sync(file, "msync", start_ns=store.start_ns - 1)
    program.end(file)
    assert found(check(program)) == []


def test_stores_are_judged_by_file_since_their_open_is_a_guess() -> None:
    program = Program()
    file, other = program.open(), program.open()
    program.store(file, 1)
    program.end(file)
    program.store(other, 2)
    program.end(other)
    assert found(check(program)) == [Found(RULE, "broken", 4, "a.db", 2)]


def test_an_unnamed_write_and_an_unnamed_sync_count() -> None:
    program = Program()
    file = program.open()
    program.write(file, name="unknown")
    program.sync(file, "unknown")
    program.write(file, 4, name="unknown")
    program.end(file)
    assert found(check(program)) == [Found(RULE, "broken", 3, "a.db", 4)]


def test_a_trace_that_ends_early_leaves_it_open() -> None:
    program = Program()
    file = program.open()
    program.write(file, 1)
    assert found(check(program, complete=False)) == [Found(RULE, "unknown", 1, "a.db", 1)]
    assert found(check(program)) == [Found(RULE, "broken", 1, "a.db", 1)]


def test_a_write_whose_result_is_not_known_may_need_a_sync() -> None:
    program = Program()
    file = program.open()
    program.write(file, 1, result=None)
    program.end(file)
    assert found(check(program)) == [Found(RULE, "unknown", 1, "a.db", 1)]
