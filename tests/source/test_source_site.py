"""Which place of a stack its author wrote."""

import pytest

from tracefs.source import Location, call_site, callers, which_site

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
SAVE = Location(function="save", file="/home/ada/lib/python3/save.py", line=3)
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
        ((LIBC, PYTHON, SAVE, TYPED), SAVE),
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


STD = Location(module="/home/ada/b", address=0x44)
CALLS = tuple(Location(module="/home/ada/b", address=at) for at in (0x101, 0x102))
START = (
    Location(function="__libc_start_call_main", module="/lib/libc.so.6", address=1),
    Location(function="__libc_start_main_impl", module="/lib/libc.so.6", address=2),
)


def test_a_place_without_a_name_is_told_by_the_whole_way_to_it() -> None:
    texts = {which_site((LIBC, STD, call, *START), STD) for call in CALLS}
    assert len(texts) == 2


def test_a_place_with_a_name_or_line_is_one_place_whoever_called_it() -> None:
    named = Location(function="put", module="/home/ada/b", address=0x44)
    assert len({which_site((LIBC, named, call), named) for call in CALLS}) == 1
    assert len({which_site((LIBC, MINE, call), MINE) for call in CALLS}) == 1


@pytest.mark.parametrize("start", [STRIPPED, Location(function="_start", module="/home/ada/b")])
def test_what_called_main_is_left_out(start: Location) -> None:
    put = Location(function="put", file="/home/ada/a.c", line=3, module="/home/ada/a")
    assert callers((LIBC, put, MINE, *START, start), put, whole=True) == (MINE,)
    assert callers((LIBC, MINE, *START, start), MINE, whole=True) == ()


def test_what_a_thread_began_in_is_left_out() -> None:
    began = Location(function="start_thread", module="/lib/libc.so.6", address=1)
    assert callers((LIBC, MINE, began), MINE, whole=True) == ()


def test_of_a_stack_that_is_cut_short_no_place_of_the_program_is_left_out() -> None:
    sort = Location(function="qsort", module="/lib/libc.so.6", address=1)
    assert callers((LIBC, MINE, sort, STRIPPED), MINE, whole=False) == (sort, STRIPPED)


def test_of_rust_its_start_is_left_out_too() -> None:
    frames = [
        Location(function=name, module="/home/ada/b", address=at)
        for at, name in enumerate(
            ["a::put", "a::main", "std::rt::lang_start", "std::rt::lang_start_internal", "main"]
        )
    ]
    start = Location(function="_start", module="/home/ada/b")
    stack = (LIBC, *frames, *START, start)
    assert callers(stack, frames[0], whole=True) == (frames[1],)


def test_of_a_place_that_is_not_known_all_is_told() -> None:
    assert callers((LIBC, *START), None, whole=True) == (LIBC, *START)


@pytest.mark.parametrize(
    "module",
    [
        "/nix/store/6q-glibc-2.38/lib/libc.so.6",
        "/opt/lib/libc-2.31.so",
        "/nix/store/6q-glibc-2.38/lib/ld-linux-x86-64.so.2",
        "/usr/local/lib64/libstdc++.so.6.0.33",
        "/opt/conda/lib/libstdc++.so.6",
        "/opt/llvm/lib/libc++.so.1",
    ],
)
def test_a_library_of_the_system_wherever_it_lies(module: str) -> None:
    place = Location(function="fwrite", module=module, address=1)
    assert call_site((place, STRIPPED)) == STRIPPED
    assert call_site((place,)) is None


@pytest.mark.parametrize("module", ["/home/ada/libc.so", "/home/ada/libcount.so.6"])
def test_a_library_of_the_authors(module: str) -> None:
    place = Location(function="put", module=module, address=1)
    assert call_site((place, STRIPPED)) == place
