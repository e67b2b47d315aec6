"""Versions of pyfuse3 and trio that the quicker ways of `tracefs.capture.ways` were tested with."""

from typing import Final

_Version = tuple[int, int]

TESTED: Final[dict[str, tuple[_Version, _Version]]] = {
    "pyfuse3": ((3, 4), (3, 5)),
    "trio": ((0, 25), (0, 35)),
}
"""The first and the last, major and minor number."""


def is_tested(package: str, version: str) -> bool:
    """Return whether *version* of *package* lies between the first and the last that were tested.

    >>> is_tested("trio", "0.35.0"), is_tested("trio", "0.36.0"), is_tested("trio", "1")
    (True, False, False)
    """
    first, last = TESTED[package]
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    if not (major.isdecimal() and minor.isdecimal()):
        return False
    return first <= (int(major), int(minor)) <= last
