"""What of two programs' results counts as a failure."""

from soak.compare import Difference, compare

EXPECTED = (Difference("fiemap", "passed", "skipped", "the kernel does not ask"),)


def test_equal_results_are_no_failure() -> None:
    assert compare({"a": "ok", "b": "failed"}, {"a": "ok", "b": "failed"}) == ()


def test_another_result_is_one() -> None:
    assert compare({"a": "ok", "b": "ok"}, {"a": "ok", "b": "failed"}) == (
        "b: failed on the mount, ok on the bare directory",
    )


def test_a_result_that_only_one_side_has_is_one() -> None:
    assert compare({"a": "ok"}, {"b": "ok"}) == (
        "a: absent on the mount, ok on the bare directory",
        "b: ok on the mount, absent on the bare directory",
    )


def test_an_expected_difference_is_none() -> None:
    assert compare({"fiemap": "passed"}, {"fiemap": "skipped"}, EXPECTED) == ()


def test_an_expected_difference_that_is_gone_is_one() -> None:
    assert compare({"fiemap": "passed"}, {"fiemap": "passed"}, EXPECTED) == (
        "fiemap: passed on the mount, where skipped is expected",
    )


def test_an_expected_difference_does_not_cover_another_one() -> None:
    assert compare({"fiemap": "passed"}, {"fiemap": "failed"}, EXPECTED) == (
        "fiemap: failed on the mount, where skipped is expected",
    )


def test_where_the_bare_directory_cannot_either_both_must_be_the_same() -> None:
    assert compare({"fiemap": "skipped"}, {"fiemap": "skipped"}, EXPECTED) == ()
    assert compare({"fiemap": "skipped"}, {"fiemap": "failed"}, EXPECTED) != ()
