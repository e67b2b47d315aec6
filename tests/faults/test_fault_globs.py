"""Globs whose parentheses pair."""

from fnmatch import fnmatchcase

from hypothesis import example, given
from hypothesis import strategies as st

from tracefs.faults.glob_text import end_of, paired

GLOBS = st.text("ab*?[]!()", min_size=1, max_size=10)


@given(GLOBS, st.text("ab[]!()", max_size=8))
@example("[)", "[)")
@example("[!)", "[!)")
@example("[(]", "(")
def test_a_glob_with_pairs_is_like_the_same(glob: str, path: str) -> None:
    assert fnmatchcase(path, paired(glob)) == fnmatchcase(path, glob)


@given(GLOBS)
def test_it_ends_where_it_was_closed(glob: str) -> None:
    text = f"write({paired(glob)}):error=EIO"
    assert text[len("write(") : end_of(text, len("write("))] == paired(glob)
    assert paired(paired(glob)) == paired(glob)
