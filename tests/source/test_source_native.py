"""Which places of C, C++ and Rust programs their author wrote."""

import pytest

from tracefs.source import Location, call_site, which_site

PROGRAM = "/home/ada/lab/writer"
RUSTC = "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860"
MAIN = Location(function="main", file="/build/src/main.c", line=20, module=PROGRAM, address=9)


def line(file: str) -> Location:
    return Location(function="put", file=file, line=7, module=PROGRAM, address=1)


def name(function: str, address: int = 2) -> Location:
    return Location(function=function, module=PROGRAM, address=address)


@pytest.mark.parametrize(
    "file",
    [
        "/build/lab/writer.c",
        "/build/src/main.rs",
        "/home/ada/library/core/store.rs",
        "/home/ada/library/std/store.rs",
        "/home/ada/rustc/store.rs",
        "/usr/src/app/a.c",
        "/usr/local/src/a.c",
        "./a.c",
        "./io/a.c",
        "../src/a.c",
        "src/main.rs",
        "/home/ada/io/a.c",
        "/home/ada/sysdeps/a.c",
    ],
)
def test_a_file_of_the_authors(file: str) -> None:
    assert call_site((line(file), MAIN)) == line(file)


@pytest.mark.parametrize(
    "file",
    [
        f"{RUSTC}/library/std/src/fs.rs",
        f"{RUSTC}/library/core/src/result.rs",
        "/root/.rustup/toolchains/nightly/lib/rustlib/src/rust/library/std/src/fs.rs",
        "/usr/src/rustc-1.63.0/library/std/src/fs.rs",
        "/rust/deps/hashbrown-0.15.2/src/lib.rs",
        "/home/ada/.cargo/registry/src/index.crates.io-6f17d22bba15001f/memmap2-0.9/src/lib.rs",
        "/usr/local/cargo/registry/src/index.crates.io-1949cf8c6b5b557f/rustix-1.0.7/src/fs.rs",
        "/usr/include/c++/12/ostream",
        "/usr/local/include/c++/14.2.0/fstream",
        "/usr/lib/gcc/x86_64-linux-gnu/12/include/emmintrin.h",
        "./io/../sysdeps/unix/sysv/linux/lseek64.c",
        "../sysdeps/unix/sysv/linux/write.c",
        "/build/glibc-SzIz7B/glibc-2.31/libio/iofwrite.c",
        "/build/gcc-12-bTRWOB/gcc-12-12.2.0/build/libstdc++-v3/include/bits/fstream.tcc",
        "/home/ada/<artificial>",
        "<built-in>",
    ],
)
def test_a_file_of_a_library(file: str) -> None:
    assert call_site((line(file), MAIN)) == MAIN


@pytest.mark.parametrize(
    "function",
    [
        "std::fs::File::seek",
        "<std::fs::File as std::io::Seek>::seek",
        "<&std::fs::File as std::io::Seek>::seek",
        "<&mut alloc::vec::Vec<u8> as std::io::Write>::write",
        "<[u8] as core::fmt::Debug>::fmt",
        "<&dyn core::ops::function::Fn<(), Output = i32>>::call_once",
        "<T as core::convert::Into<a::Page>>::into",
        "<str as core::fmt::Display>::fmt",
        "core::ops::function::FnOnce::call_once",
        "std::rt::lang_start::{{closure}}",
        "std::basic_filebuf<char, std::char_traits<char> >::_M_seek(long, std::_Ios_Seekdir)",
        "void std::vector<Page>::emplace_back<int>(int&&)",
        (
            "std::ostream& std::operator<< <std::char_traits<char> >(std::ostream&, char const*) "
            "[clone .isra.0]"
        ),
        "_start",
        "<[T; N] as core::fmt::Debug>::fmt",
        "<&mut W as std::io::Write>::write",
        "__gnu_cxx::stdio_filebuf<char>::fd() const",
    ],
)
def test_a_function_of_a_library(function: str) -> None:
    own = name("a::put")
    assert call_site((name(function, 1), own)) == own
    assert call_site((name(function, 1), own, MAIN)) == MAIN


@pytest.mark.parametrize(
    "function",
    [
        "put",
        "a::put",
        "a::put::{{closure}}",
        "<a::Store as std::io::Seek>::seek",
        "<a::Store>::seek",
        "<&mut a::Store as std::io::Seek>::seek",
        "<u64 as a::Place>::seek",
        "stdio::put",
        "core::Store::seek(long)",
        "Store::operator()(std::vector<int>&) const",
        "std::vector<Page> make<Page>(int)",
        "(anonymous namespace)::put(std::fstream&)",
        "mine::std_put(int)",
    ],
)
def test_a_function_of_the_authors(function: str) -> None:
    assert call_site((name(function, 1), name("caller"))) == name(function, 1)


def test_the_programs_own_function_comes_before_a_line_of_the_library() -> None:
    library = Location(
        function="<std::sys::fs::unix::File>::seek", file=f"{RUSTC}/library/std/src/sys/fs/unix.rs",
        line=1756, module=PROGRAM, address=1,
    )  # fmt: skip
    own = name("a::put")
    assert call_site((library, own, name("a::main", 3))) == own
    assert call_site((library, name("_start"))) is None


def test_a_template_that_has_the_authors_code_inlined_is_better_than_none() -> None:
    run = name("std::thread::_State_impl<std::thread::_Invoker<main::{lambda()#1}> >::_M_run()")
    library = Location(function="execute", module="/usr/lib/libstdc++.so.6", address=5)
    assert call_site((run, library, name("_start", 8))) == run
    assert call_site((run, name("put(int)", 4))) == name("put(int)", 4)
    texts = {which_site((run, name("std::f()", at), library), run) for at in (6, 7)}
    assert len(texts) == 2
