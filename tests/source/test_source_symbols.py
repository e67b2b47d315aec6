"""A name is shown only for what its symbol covers."""

import subprocess
from pathlib import Path

import pytest

from tracefs.events import Frame
from tracefs.pathtext import to_text
from tracefs.source import Location, Resolver
from tracefs.source.elf import build_id
from tracefs.source.location import LINKED
from tracefs.source.symbols import Symbols

SOURCE = """\
int known(int x) { return x * 3; }
__attribute__((noinline)) static int hidden(int x) { __asm__ volatile(""); return x + 1; }
int (*const at)(int) = hidden;
"""


def built(tmp_path: Path, *flags: str) -> tuple[Path, dict[str, int]]:
    """Return a library, and where its functions are."""
    source, library = tmp_path / "lib.c", tmp_path / "lib.so"
    source.write_text(SOURCE)
    command = ["gcc", "-shared", "-fPIC", "-O1", "-fno-toplevel-reorder", *flags]
    subprocess.run([*command, "-o", library, source], check=True)
    listed = subprocess.run(["nm", library], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return library, {row[2]: int(row[0], 16) for row in rows if row[1] in "tT"}


def names(library: Path, *addresses: int) -> list[Location]:
    module, build = to_text(bytes(library)), build_id(library)
    frames = (Frame(module=module, address=at + 2, build=build) for at in addresses)
    return list(Resolver(None).resolve(tuple(frames)))


def test_a_stripped_library_names_only_what_it_exports(tmp_path: Path) -> None:
    library, at = built(tmp_path)
    assert [place.function for place in names(library, at["known"], at["hidden"])] == [
        "known",
        "hidden",
    ]
    subprocess.run(["strip", library], check=True)
    places = names(library, at["known"], at["hidden"])
    assert [place.function for place in places] == ["known", None]
    assert [place.address for place in places] == [at["known"] + 1, at["hidden"] + 1]


def test_a_line_keeps_its_function(tmp_path: Path) -> None:
    library, at = built(tmp_path, "-g")
    subprocess.run(["objcopy", "--strip-symbol=hidden", library], check=True)
    [place] = names(library, at["hidden"])
    assert (place.function, place.line) == ("hidden", 2)


@pytest.mark.parametrize("content", [b"", b"\x7fELF\x02\x01" + b"\xff" * 200, b"#!/bin/sh\n"])
def test_a_file_without_tables_covers_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a"
    file.write_bytes(content)
    assert not Symbols(file).cover(0)


def test_a_file_that_linking_made_up_is_no_line(tmp_path: Path) -> None:
    library, at = built(tmp_path, "-g", "-flto")
    [place] = names(library, at["known"])
    assert (place.function, place.address) == ("known", at["known"] + 1)
    assert place.file is None or place.file == str(tmp_path / "lib.c")
    assert (place.line is None) == (place.file is None)
    assert place.unlined == (None if place.line else LINKED)
