"""Types of arguments that several subcommands take."""

from argparse import ArgumentTypeError


def count(text: str) -> int:
    """Return *text* as a whole number of at least 0."""
    return _at_least(text, 0)


def positive(text: str) -> int:
    """Return *text* as a whole number of at least 1."""
    return _at_least(text, 1)


def path_glob(text: str) -> str:
    r"""Return *text* as a glob for path text: bytes that are not UTF-8 become their ``\xNN``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _at_least(text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
    return int(text)
