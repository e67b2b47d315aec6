"""Whose C, C++ or Rust a place is in: by its file, and without one by the function's name."""

import re
from typing import Final

_SYSTEM_FILES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # Rust's sources under the name that each release gives them, as rust-src has them, as
        # Debian builds them (rust.remap-debuginfo), and the packages that std is built from.
        r"^/rustc/[0-9a-f]{40}/",
        r"/lib/rustlib/src/rust/library/",
        r"^/usr/src/rustc-[\d.]+/",
        r"^/rust/deps/",
        # Headers of the system and of compilers: code that is inlined from them.
        r"^/usr/include/",
        r"/include/c\+\+/",
        r"^(?:/usr)?/lib/",
        r"/lib/(?:gcc|clang)/",
        # What glibc, musl and GCC's libraries are built from, as distributions name it; glibc's
        # own relative names are in static programs, where the module doesn't tell.
        r"/(?:glibc|musl|gcc)-\d[^/]*/",
        r"/libstdc\+\+-v3/",
        r"^(?:\.{1,2}/)*(?:[a-z-]+/\.\./)?sysdeps/",
        # What no file was written for.
        r"(?:^|/)<[^/>]*>$",
    )
)
_PACKAGE_FILES: Final = re.compile(
    r"/registry/src/[^/]+-[0-9a-f]{16}/"  # cargo's, wherever CARGO_HOME is
    r"|/\.cargo/git/checkouts/"
    r"|^/usr/share/cargo/registry/"
    r"|^/usr/src/debug/"  # of Fedora's and Arch's packages
)
# Of Rust also types and implementations: <std::fs::File as std::io::Seek>::seek, <&mut [u8]>.
_SYSTEM_NAME: Final = re.compile(
    r"<*(?:&(?:mut )?|\*(?:const|mut) |dyn |\[)*(?:std|core|alloc)::"
    r"|__rustc::|rust_begin_unwind$"
)
_RUST_GENERIC: Final = re.compile(
    r"<(?:&(?:mut )?|\[)*(?:\(\)|(?:[A-Z]|[iu](?:8|16|32|64|128|size)|str|bool|char)\b)"
    r"(?:; \w+)?\]* as "
)
"""An implementation for any type, or a built-in one: of whom, the trait's crate says."""
_TRAIT: Final = re.compile(r" as (?:std|core|alloc)::")
_CPP: Final = re.compile(r"\)(?: const)?(?:&|&&)?(?: \[[^\]]*\])*$")
_TEMPLATE: Final = re.compile(r"<[^<>]*>")
_CPP_STD: Final = re.compile(r"(?:[^(]* )?(?:std|__gnu_cxx|__cxxabiv1)::[^ (]* ?\(")


def is_system_file(file: str) -> bool:
    """Return whether a file is of a language's library, of the C library or of a compiler."""
    return any(pattern.search(file) for pattern in _SYSTEM_FILES)


def is_package_file(file: str) -> bool:
    """Return whether a file is of a package that somebody else wrote."""
    return _PACKAGE_FILES.search(file) is not None


def is_system_function(function: str) -> bool:
    """Return whether a function, its name demangled, is of C++'s or Rust's library."""
    if _CPP.search(function):
        plain, before = function, ""
        while plain != before:
            plain, before = _TEMPLATE.sub("", plain), plain
        return _CPP_STD.match(plain) is not None
    if _SYSTEM_NAME.match(function):
        return True
    return bool(_RUST_GENERIC.match(function) and _TRAIT.search(function))
