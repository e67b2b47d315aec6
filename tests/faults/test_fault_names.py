"""Names of calls and families in rules."""

import pytest

from tracefs.faults import names
from tracefs.faults.asked import is_family
from tracefs.faults.unknown_names import expected


def test_a_name_is_a_family_before_it_is_a_call() -> None:
    assert names.canonical("write") == "write"
    assert is_family("write")
    assert not is_family("=write")
    assert names.calls_of("=write") == {"write"}


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("pwrite", "pwrite64"),
        ("pread", "pread64"),
        ("@sync", "sync"),
        ("=fsync", "fsync"),
        ("chmod", "chmod"),
        ("=chmod", "=chmod"),
        ("all", "all"),
        ("fsink", None),
        ("@fsync", None),
        ("=pwrite", None),
        ("", None),
        ("=", None),
        ("@", None),
    ],
)
def test_one_spelling_of_each_name(name: str, canonical: str | None) -> None:
    assert names.canonical(name) == canonical


def test_every_canonical_name_is_its_own_and_means_the_same() -> None:
    for name in (*names.KNOWN, *(f"={call}" for call in names.SYSTEM_CALLS)):
        canonical = names.canonical(name)
        assert canonical is not None
        assert names.canonical(canonical) == canonical
        assert names.calls_of(canonical) == names.calls_of(name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pwrit", "expected a call or a family of calls, saw 'pwrit'; did you mean pwrite?"),
        ("fwrite", "expected a call or a family of calls, saw 'fwrite'; did you mean write?"),
        ("fsyncdir", "expected a call or a family of calls, saw 'fsyncdir'; did you mean syncdir?"),
        ("@writ", "expected a family of calls, saw '@writ'; did you mean write?"),
        ("=fsynk", "expected a system call, saw '=fsynk'; did you mean =fsync?"),
        ("qqq", "expected a call or a family of calls, saw 'qqq'"),
    ],
)
def test_what_is_said_of_a_name_that_there_is_not(name: str, said: str) -> None:
    assert names.canonical(name) is None
    assert expected(name) == said
