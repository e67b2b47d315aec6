"""Words and marks of a condition, one after the other."""

import re
from typing import Final, NamedTuple

from tracefs.errors import TextFileError
from tracefs.pathtext import quoted
from tracefs.placed.snippet import Snippet

MAX_LENGTH: Final = 4096

_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<number>0[xX][0-9a-fA-F_]*|[0-9][0-9_]*)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<text>"[^"]*"|'[^']*')
    |(?P<mark>==|!=|<=|>=|//|[-+*%<>(){},])
    |(?P<end>\Z)
    )""",
    re.VERBOSE,
)
_OTHER_LANGUAGES: Final = {"&&": "and", "||": "or", "!": "not", "=": "==", "/": "//", "<>": "!="}


class Token(NamedTuple):
    """One word or mark."""

    kind: str
    text: str
    at: int


class Tokens:
    """The tokens between two places of a text; *now* is the one that is looked at."""

    def __init__(self, snippet: Snippet, begin: int, end: int) -> None:
        if end - begin > MAX_LENGTH:
            raise snippet.error(
                begin, f"expected a condition of at most {MAX_LENGTH} characters, saw {end - begin}"
            )
        self._snippet = snippet
        self._end = end
        self.now = self._lex(begin)

    def word(self, word: str) -> bool:
        """Pass *word* if it stands here; return whether it did."""
        found = self.now.kind == "name" and self.now.text == word
        if found:
            self.advance()
        return found

    def mark(self, marks: frozenset[str] | set[str]) -> str:
        """Pass one of *marks* if it stands here; return it, or nothing."""
        token = self.now
        if token.kind != "mark" or token.text not in marks:
            return ""
        self.advance()
        return token.text

    def advance(self) -> None:
        """Go on to the next token."""
        self.now = self._lex(self.now.at + len(self.now.text))

    def expected(self, what: str) -> TextFileError:
        """Return an error at the token that is looked at."""
        saw = quoted(self.now.text) if self.now.kind != "end" else "the end"
        return self._snippet.error(self.now.at, f"expected {what}, saw {saw}")

    def _lex(self, at: int) -> Token:
        found = _TOKEN.match(self._snippet.text, at, self._end)
        if found is None or found.lastgroup is None:
            raise self._no_token(at)
        kind = found.lastgroup
        return Token(kind, found[kind], found.start(kind))

    def _no_token(self, at: int) -> TextFileError:
        text = self._snippet.text[: self._end]
        at += len(text[at:]) - len(text[at:].lstrip())
        for mark, instead in _OTHER_LANGUAGES.items():
            if text.startswith(mark, at):
                return self._snippet.error(at, f"expected {instead}, saw {mark}")
        if text[at] in "\"'":
            return self._snippet.error(at, f"expected a closing {text[at]} for this text")
        return self._snippet.error(at, f"expected a condition, saw {quoted(text[at])}")
