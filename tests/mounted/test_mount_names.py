"""Names of every length and of any bytes, and what statfs says of them."""

import os
from typing import Any

from mounted_support import Pair, facts, get, outcome, put

LONGEST = b"n" * 255


def lengths() -> Any:
    put(LONGEST, b"longest")
    os.mkdir(b"d" * 255)
    os.rename(LONGEST, b"m" * 255)
    os.link(b"m" * 255, b"l" * 255)
    os.symlink("x", b"s" * 255)
    too_long = b"n" * 256
    results = [
        outcome(os.open, too_long, os.O_CREAT | os.O_WRONLY),
        outcome(os.mkdir, too_long),
        outcome(os.stat, too_long),
        outcome(os.rename, b"m" * 255, too_long),
        outcome(os.link, b"m" * 255, too_long),
        outcome(os.symlink, "x", too_long),
        outcome(os.unlink, too_long),
        outcome(os.stat, b"d/" * 2048),
    ]
    return results, sorted(os.listdir(b".")), get(b"l" * 255)


def test_names_up_to_255_bytes(pair: Pair) -> None:
    results, names, _ = pair.same(lengths)
    assert set(results) == {"ENAMETOOLONG"}
    assert len(names) == 4


NAMES = (
    *(
        b"caf\xe9",
        b"\xff\xfe\xfd",
        "naïve 日本".encode(),
        b"\xf0\x9f\x92\xbe" * 60,
        b"\xed\xa0\x80",
    ),
    *(
        b"new\nline",
        b"back\\slash",
        b"\\xe9",
        b" ",
        b"-rf",
        b"tab\t",
        b"\x01\x1b[31m",
        b"...",
        b"\"'",
    ),
)


def any_bytes() -> Any:
    for name in NAMES:
        put(name, b"in " + name)
        os.mkdir(b"d" + name)
        os.rename(name, b"d" + name + b"/" + name)
    found = sorted(os.listdir(b"."))
    return found, [get(b"d" + name + b"/" + name) for name in NAMES]


def test_names_of_any_bytes(pair: Pair) -> None:
    found, _ = pair.same(any_bytes)
    assert len(found) == len(NAMES)


def filesystem() -> Any:
    info = os.statvfs(".")
    parts = info.f_bsize, info.f_frsize, info.f_blocks, info.f_files, info.f_namemax
    return parts, os.pathconf(".", "PC_NAME_MAX"), info.f_bavail > 0, info.f_ffree > 0


def test_the_filesystems_own_figures(pair: Pair) -> None:
    (*_, longest), limit, _, _ = pair.same(filesystem)
    assert longest == limit == 255


def case_and_missing() -> Any:
    put("File")
    return [
        outcome(os.stat, name) if name != "File" else facts(name)
        for name in ("file", "File", "File/", "none", "none/x", "File/x", "")
    ]


def test_names_that_lead_nowhere(pair: Pair) -> None:
    errors = [found for found in pair.same(case_and_missing) if isinstance(found, str)]
    assert errors == ["ENOENT", "ENOTDIR", "ENOENT", "ENOENT", "ENOTDIR", "ENOENT"]
