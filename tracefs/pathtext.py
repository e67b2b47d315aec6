r"""Paths as text that any byte string survives.

A Linux path is bytes without NUL. In journals and in what users see it is *path text*: the UTF-8
decoding, where each byte that is not valid UTF-8 is written ``\xNN`` and a backslash ``\\``.
The mapping is one to one, and plain names look like themselves.
"""

import re
from fnmatch import fnmatchcase

_ESCAPE = re.compile(rb"\\(?:\\|x([0-9a-f]{2}))")
_SHOWN = 40
"""Characters of a text that a message quotes."""


def to_text(path: bytes) -> str:
    r"""Return *path* as path text.

    >>> to_text(b"\xc3\xa9.db"), to_text(b"\xe9.db")
    ('é.db', '\\xe9.db')
    """
    if b"\\" in path:
        path = path.replace(b"\\", b"\\\\")
    return path.decode("utf-8", "backslashreplace")


def to_bytes(text: str) -> bytes:
    """Return the path that *text* stands for; the inverse of `to_text`."""
    raw = text.encode("utf-8")
    if b"\\" not in raw:
        return raw
    return _ESCAPE.sub(lambda m: bytes([int(m[1], 16)]) if m[1] else b"\\", raw)


def parent(path: str) -> str:
    """Return the directory of *path* (path text); ``.`` for the traced directory."""
    return path.rpartition("/")[0] or "."


def fits(path: str, glob: str) -> bool:
    """Return whether *path* (path text), or its last component, is like *glob* (fnmatch).

    >>> fits("sub/a.db", "*.db"), fits("sub/a.db", "a.*"), fits("sub/a.db", "sub")
    (True, True, False)
    """
    return fnmatchcase(path, glob) or fnmatchcase(path.rpartition("/")[2], glob)


def printable(text: str, also: str = "") -> str:
    r"""Return path text *text* with unprintable characters, and those in *also*, escaped.

    >>> printable("a\nb")
    'a\\x0ab'
    """
    if text.isprintable() and not any(mark in text for mark in also):
        return text
    return "".join(_escape(c) if not c.isprintable() or c in also else c for c in text)


def spell_unencodable(error: UnicodeError) -> tuple[str, int]:
    r"""Escape what an encoding lacks as `printable` does (`codecs.register_error`).

    ``backslashreplace`` would make ``\xe9`` of an é, which is another name: that of the byte.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_escape, error.object[error.start : error.end])), error.end


def quoted(text: str) -> str:
    """Return *text* as messages show it: printable, in quotes, not too long."""
    shown = printable(text)
    return f"'{shown}'" if len(shown) <= _SHOWN else f"'{shown[:_SHOWN]}…'"


def _escape(character: str) -> str:
    # What os.fsdecode makes of a byte that is not UTF-8 becomes that byte again.
    errors = "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", errors))
