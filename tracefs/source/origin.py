"""Whose source a place on a stack is in: its author's, a package's, or that of the system.

The file decides where there is one, then the function's name, then the module.
"""

import enum
import re
from typing import Final

from tracefs.source.go import is_dependency, is_go, is_standard
from tracefs.source.location import Location
from tracefs.source.native import is_package_file, is_system_file, is_system_function


class Origin(enum.Enum):
    """Who wrote a place."""

    AUTHOR = enum.auto()
    PACKAGE = enum.auto()
    """A package that somebody installed for a language."""
    INSTANCE = enum.auto()
    """A library's function compiled into the program, without a line: what is inlined in it, as a
    thread's lambda is, may be the author's."""
    SYSTEM = enum.auto()
    """The C library, a language's library or runtime, an interpreter."""


_SYSTEM_MODULE: Final = re.compile(
    r"^(?:/usr)?/lib(?:32|64)?/|/libpython3|/python3[.\d]*$"
    # The same in other places: Nix's, Conda's, those of a compiler that was built from source.
    r"|/(?:libc|libm|libpthread|libdl)(?:\.so\.\d|-2\.\d+\.so)[.\d]*$|/ld-(?:linux|musl)[^/]*$"
    r"|/(?:libstdc\+\+|libc\+\+|libc\+\+abi|libgcc_s)\.so[.\d]*$"
)
# What exec and compile were told in place of a file (importlib, attrs, NumPy); all other such
# names, as <string>, <stdin> and <python-input-0>, stand for what the author gave or typed.
_GENERATED: Final = re.compile(r"^<(?:frozen |attrs generated |__array_function__)")
_PYTHON_PACKAGE: Final = re.compile(r"/(?:site|dist)-packages/")
_PYTHON_LIBRARY: Final = re.compile(r"/lib(?:64)?/python3\.\d+/|/python3\d+\.zip/|^/usr/lib/")


def origin(place: Location) -> Origin:
    """Return who wrote the source that *place* is in."""
    # Of an interpreter the function that it runs is told, not its own.
    if place.module is not None and _SYSTEM_MODULE.search(place.module):
        return Origin.SYSTEM
    if place.file is None or not place.line:
        return _by_name(place.function)
    if is_go(place.file, place.function):
        return _of_go(place.file, place.function)
    if place.module is None:
        return _of_python(place.file)
    return _of_native(place.file)


def _by_name(function: str | None) -> Origin:
    if function == "_start":
        return Origin.SYSTEM
    library = function is not None and is_system_function(function)
    return Origin.INSTANCE if library else Origin.AUTHOR


def _of_go(file: str, function: str | None) -> Origin:
    if is_standard(file, function):
        return Origin.SYSTEM
    return Origin.PACKAGE if is_dependency(file) else Origin.AUTHOR


def _of_native(file: str) -> Origin:
    if is_system_file(file):
        return Origin.SYSTEM
    return Origin.PACKAGE if is_package_file(file) else Origin.AUTHOR


def _of_python(file: str) -> Origin:
    if _PYTHON_PACKAGE.search(file):
        return Origin.PACKAGE
    if _PYTHON_LIBRARY.search(file) or _GENERATED.search(file):
        return Origin.SYSTEM
    return Origin.AUTHOR
