"""Calls whose name nobody saw, or only their request tells, against patterns of names."""

import pytest
from language_support import contract, judged
from page_write_calls import Script


@pytest.mark.parametrize(
    ("clause", "name", "family", "verdict"),
    [
        ('never = "renameat2"', "rename", "rename", "unknown"),
        ('never = "creat"', "open", "open", "unknown"),
        ('never = "lchown"', "chown", "attr", "unknown"),
        ('never = "setxattr"', "setxattr", "xattr", "unknown"),
        ('never = "unlinkat"', "rmdir", "rmdir", "unknown"),
        ('every = "@rename"\nmust = \'call == "renameat"\'', "rename", "rename", "unknown"),
        ('never = "rename"', "rename", "rename", "broken"),
        ('never = "unlink"', "rmdir", "rmdir", "kept"),
        ('never = "linkat"', "rename", "rename", "kept"),
    ],
)
def test_a_name_that_only_the_request_tells_stands_for_all_its_calls(
    clause: str, name: str, family: str, verdict: str
) -> None:
    script = Script()
    script.call(name, family, path="a.db", ino=5, known_by="fuse")
    result = judged(contract(clause), script.items, witness="none")
    assert result.verdict == verdict
    for finding in result.findings:
        assert ("nobody saw which of" in finding.message) is (verdict == "unknown")


@pytest.mark.parametrize(
    ("name", "family", "verdict"),
    [
        ("fdatasync", "syncdir", "unknown"),
        ("syncfs", "syncfs", "unknown"),
        ("unlinkat", "rmdir", "unknown"),
        ("io_uring_enter", "sync", "unknown"),
        ("io_submit", "sync", "unknown"),
        ("ioctl", "attr", "kept"),
        ("fsync", "write", "kept"),
    ],
)
def test_a_call_without_a_name_may_be_each_of_its_family(
    name: str, family: str, verdict: str
) -> None:
    script = Script()
    script.call("unknown", family, path="a.db", ino=5, known_by=None)
    assert judged(contract(f'never = "{name}"'), script.items).verdict == verdict
