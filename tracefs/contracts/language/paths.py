"""Which files a pattern means: ``*.db``, ``$db``, ``$db-wal``, ``$db=*.db``, ``dir($db)``."""

import re
from typing import Final

from tracefs.contracts.language.model import PathPattern
from tracefs.pathtext import quoted
from tracefs.placed.snippet import Snippet

MAX_LENGTH: Final = 4096  # PATH_MAX, limits.h

_SPACE: Final = re.compile(r"\s*")
_WORD: Final = re.compile(r"""(?:"[^"]*"|[^,()"])*""")
_PARENT: Final = re.compile(r"dir\(\s*\$([A-Za-z_][A-Za-z0-9_]*)\s*\)")
_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_BACKSLASH: Final = re.compile(r"\\(?!x[0-9a-f]{2})")
_PAIR: Final = re.compile(r"\\\\")


def read_paths(snippet: Snippet, at: int) -> tuple[tuple[PathPattern, ...], int]:
    """Read ``(path)`` or ``(path, target)`` from *at*; return it and where it ends.

    Raises:
        TextFileError: It is neither; with its place and what was expected.
    """
    begin = at
    text = snippet.text
    paths: list[PathPattern] = []
    while True:
        at = _passed(text, at + 1)
        path, at = _read_path(snippet, at)
        paths.append(path)
        at = _passed(text, at)
        if text.startswith(")", at):
            return tuple(paths), at + 1
        if not text.startswith(",", at):
            if at < len(text):
                raise snippet.error(
                    at, f'expected , or ) behind a path, saw {quoted(text[at])}; "a(b).db" may do'
                )
            raise snippet.error(begin, "expected a closing ) for these paths")
        if len(paths) == 2:
            raise snippet.error(at, "expected at most a path and a target")


def _passed(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _read_path(snippet: Snippet, at: int) -> tuple[PathPattern, int]:
    text = snippet.text
    parent = _PARENT.match(text, at)
    if parent is not None:
        return PathPattern(text=parent[0], variable=parent[1], parent=True), parent.end()
    if text.startswith("dir(", at):
        raise snippet.error(at + 4, "expected a variable, as in dir($path)")
    found = _WORD.match(text, at)
    word = "" if found is None else found[0].rstrip()
    end = at + len(word)
    if text.startswith('"', end):
        raise snippet.error(end, 'expected a closing " for this path')
    if not word:
        raise snippet.error(at, "expected a path, as in *.db or $db")
    if len(word) > MAX_LENGTH:
        raise snippet.error(at, f"expected a path of at most {MAX_LENGTH} characters")
    return _path(snippet, at, word), end


def _path(snippet: Snippet, at: int, word: str) -> PathPattern:
    # Quotes may hold any character but themselves; there $ is a character like others.
    bare = re.sub(r'"[^"]*"', lambda found: " " * len(found[0]), word)
    first = bare.find("$")
    if first < 0:
        _check_text(snippet, at, word)
        return PathPattern(text=word, glob=word.replace('"', ""))
    found = _VARIABLE.match(bare, first)
    if found is None:
        raise snippet.error(at + first, "expected the name of a variable behind $, as in $db")
    second = bare.find("$", found.end())
    if second >= 0:
        raise snippet.error(at + second, "expected one variable in a path, saw a second")
    name = found[1] or found[2]
    before, after = word[:first], word[found.end() :]
    if not before and after.startswith("="):
        return _bound_glob(snippet, at, word, name, found.end() + 1)
    for start, part in ((0, before), (found.end(), after)):
        _reject_glob(snippet, at + start, part)
    return PathPattern(
        text=word, variable=name, before=before.replace('"', ""), after=after.replace('"', "")
    )


def _bound_glob(snippet: Snippet, at: int, word: str, name: str, start: int) -> PathPattern:
    """Return ``$db=*.db``: the variable is what the glob matches."""
    if not word[start:]:
        raise snippet.error(at + start, "expected a glob behind =, as in $db=*.db")
    _check_text(snippet, at, word)
    return PathPattern(text=word, glob=word[start:].replace('"', ""), variable=name)


def _reject_glob(snippet: Snippet, at: int, part: str) -> None:
    found = re.search(r"[*?\[]", part)
    if found is not None:
        raise snippet.error(
            at + found.start(),
            f"expected plain text around a variable, saw {found[0]}; $name=GLOB binds what a glob "
            "matches",
        )
    _check_text(snippet, at, part)


def check_glob(snippet: Snippet) -> str:
    """Return the text of *snippet* if it is a glob for path text.

    Raises:
        TextFileError: It is none.
    """
    if not snippet.text:
        raise snippet.error(0, "expected a glob, as in *.db, saw an empty text")
    if len(snippet.text) > MAX_LENGTH:
        raise snippet.error(0, f"expected a glob of at most {MAX_LENGTH} characters")
    _check_text(snippet, 0, snippet.text)
    return snippet.text


def _check_text(snippet: Snippet, at: int, text: str) -> None:
    found = _BACKSLASH.search(_PAIR.sub("  ", text))
    if found is not None:
        raise snippet.error(
            at + found.start(),
            r"expected \\ for a backslash, or \xNN for a byte that is not UTF-8 (path text)",
        )
