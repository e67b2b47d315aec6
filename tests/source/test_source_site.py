"""Which place of a stack its author wrote."""

import pytest

from tracefs.source import Location, call_site

RUSTC = "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860"
LIBC = Location(function="lseek", file="./io/lseek64.c", line=36, module="/lib/libc.so.6")
MINE = Location(function="main", file="/home/ada/a.c", line=7, module="/home/ada/a", address=8)
RUST = Location(function="seek", file=f"{RUSTC}/library/std/src/fs.rs", line=9, module="/a")
PYTHON = Location(
    function="os_lseek", file="/src/posixmodule.c", line=5, module="/opt/lib/libpython3.11.so.1.0"
)
SCRIPT = Location(function="<module>", file="/home/ada/a.py", line=3)
STDLIB = Location(function="seek", file="/usr/lib/python3.11/tarfile.py", line=3)
STRIPPED = Location(module="/home/ada/b", address=0x1234)
HEADER = Location(function="seekp", file="/usr/include/c++/12/ostream", line=1, module="/a")
TYPED = Location(function="<module>", file="<string>", line=3)
FROZEN = Location(function="_run_code", file="<frozen runpy>", line=88)
PACKAGE = Location(
    function="tell", file="/home/ada/.venv/lib/python3.11/site-packages/pages/io.py", line=4
)
LAB = Location(function="main", file="/usr/src/app/a.c", line=7, module="/usr/src/app/a", address=8)


@pytest.mark.parametrize(
    ("stack", "site"),
    [
        ((LIBC, MINE), MINE),
        ((LIBC, RUST, MINE), MINE),
        ((LIBC, PYTHON, STDLIB, SCRIPT), SCRIPT),
        ((LIBC, STRIPPED), STRIPPED),
        ((LIBC, HEADER, MINE), MINE),
        ((LIBC, LAB, MINE), LAB),
        ((LIBC, PYTHON, TYPED), TYPED),
        ((LIBC, PYTHON, STDLIB, TYPED), TYPED),
        ((LIBC, PYTHON, PACKAGE, TYPED), TYPED),
        ((LIBC, PYTHON, PACKAGE, FROZEN), PACKAGE),
        ((LIBC, PYTHON, STDLIB, FROZEN), None),
        ((LIBC,), None),
        ((), None),
    ],
)
def test_the_innermost_place_of_ones_own(
    stack: tuple[Location, ...], site: Location | None
) -> None:
    assert call_site(stack) == site


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (MINE, "a.c:7 in main"),
        (STRIPPED, "b+0x1234"),
        (Location(function="f", module="/x/b", address=1), "b+0x1 in f"),
        (Location(), "?"),
    ],
)
def test_a_place_as_text(place: Location, text: str) -> None:
    assert str(place) == text
