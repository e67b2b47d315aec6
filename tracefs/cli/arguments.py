"""Types of arguments that several subcommands take."""

from argparse import ArgumentTypeError

from tracefs.pathtext import to_bytes, to_text


def count(text: str) -> int:
    """Return *text* as a whole number of at least 0."""
    return _at_least(text, 0)


def positive(text: str) -> int:
    """Return *text* as a whole number of at least 1."""
    return _at_least(text, 1)


def path_glob(text: str) -> str:
    r"""Return *text* as a glob for path text: bytes that are not UTF-8 become their ``\xNN``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def path_text(text: str) -> str:
    r"""Return the path text of a name that is given as commands print it, or as its bytes.

    >>> path_text("a\\x0ab"), path_text("a\nb"), path_text("\udce9")
    ('a\nb', 'a\nb', '\\xe9')
    """
    return to_text(to_bytes(path_glob(text)))


def output_file(text: str) -> str:
    """Return the file that *text* names; ``-`` is standard output, as for other tools."""
    return "/dev/stdout" if text == "-" else text


def _at_least(text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
    return int(text)
