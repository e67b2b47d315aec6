"""Patterns of calls, as ``fdatasync|fsync($db)[errno == ""]``, from text.

A space may stand between all parts but a name and its brackets.
"""

import re
from typing import Final, NamedTuple

from tracefs.callnames import ALIASES, FAMILY_OF_ALIAS, HINTS
from tracefs.contracts.language.expressions import read_expression
from tracefs.contracts.language.model import (
    CallPattern,
    Comparison,
    Expression,
    Field,
    Logic,
    PathPattern,
    Pattern,
    Text,
)
from tracefs.contracts.language.paths import read_paths
from tracefs.contracts.language.vocabulary import (
    CALLS,
    END,
    FAILURE,
    NOT_RECORDED,
    SYNC_DIRECTORY,
)
from tracefs.errors import TextFileError
from tracefs.pathtext import quoted
from tracefs.placed.snippet import Snippet
from tracefs.suggestion import suggestion
from tracefs.trace.families import FAMILIES

MAX_LENGTH: Final = 16384

_SPACE: Final = re.compile(r"\s*")
_NAME: Final = re.compile(r"@?[A-Za-z_][A-Za-z0-9_]*")
REPETITIONS: Final = frozenset("+*?{")
"""Characters that a repetition begins with."""
_KNOWN: Final = sorted(
    {*CALLS, *ALIASES, SYNC_DIRECTORY, *(f"@{family}" for family in FAMILIES)} - {"unknown"}
)


class Named(NamedTuple):
    """One alternative before it has taken the arguments of the next."""

    name: str
    at: int
    end: int
    paths: tuple[PathPattern, ...] | None = None
    where: Expression | None = None


def read_pattern(snippet: Snippet, *, end: bool = False, failure: bool = False) -> Pattern:
    """Return the pattern that *snippet* is; ``end`` and ``failure`` may be in it if they are told.

    Raises:
        TextFileError: It is none; with its place and what was expected.
    """
    return PatternParser(snippet, end=end, failure=failure).whole_pattern()


class PatternParser:
    """Reads one text."""

    def __init__(self, snippet: Snippet, *, end: bool, failure: bool = False) -> None:
        if len(snippet.text) > MAX_LENGTH:
            raise snippet.error(0, f"expected at most {MAX_LENGTH} characters")
        self.snippet = snippet
        self.text = snippet.text
        self._allowed = {END: end, FAILURE: failure}
        self.at = 0

    # Patterns

    def whole_pattern(self) -> Pattern:
        """Return the whole text as one pattern."""
        self.skip()
        pattern = self._pattern()
        self.skip()
        if self.at < len(self.text):
            raise self._behind_pattern()
        return pattern

    def _behind_pattern(self) -> TextFileError:
        sign = self.text[self.at]
        if sign in "([":
            return self.error(f"expected {sign} right behind a name, without a space")
        if sign in REPETITIONS:
            return self.error(f"expected a pattern, saw {sign}: only a sequence has repetitions")
        return self.expected("| or the end of the pattern")

    def _pattern(self) -> Pattern:
        """Read alternatives; each is a call."""
        begin = self.at
        named = [self.call()]
        while self.bar():
            named.append(self.call())
        return self.joined(named, begin)

    def joined(self, named: list[Named], begin: int) -> Pattern:
        """Return the pattern of the alternatives *named*."""
        calls: list[CallPattern] = []
        ends: set[str] = set()
        paths: tuple[PathPattern, ...] | None = None
        where: Expression | None = None
        for each in reversed(named):
            if each.paths is not None or each.where is not None:
                paths, where = each.paths, each.where
            if each.name in self._allowed:
                self._check_end(each)
                ends.add(each.name)
                paths = where = None
            else:
                calls.append(self._call_pattern(each, paths or (), where))
        text = _one_line(self.text[begin : named[-1].end])
        place = self.snippet.place(begin)
        return Pattern(
            text=text,
            place=place,
            calls=tuple(reversed(calls)),
            end=END in ends,
            failure=FAILURE in ends,
        )

    def _check_end(self, named: Named) -> None:
        name = named.name
        if not self._allowed[name]:
            key = "until" if name == END else "next"
            raise self.snippet.error(
                named.at, f"expected a call, saw {name}, which only {key} may have"
            )
        if named.paths is not None or named.where is not None:
            raise self.snippet.error(named.at, f"expected {name} alone: it is no call on a file")

    def _call_pattern(
        self, named: Named, paths: tuple[PathPattern, ...], where: Expression | None
    ) -> CallPattern:
        name = named.name
        names: frozenset[str] = frozenset()
        families: frozenset[str] = frozenset()
        if name == SYNC_DIRECTORY:
            families = frozenset({"syncdir"})
        elif name.startswith("@"):
            families = frozenset({name[1:]})
        else:
            names = ALIASES.get(name, frozenset({name}))
        if name in FAMILY_OF_ALIAS:
            family = Comparison("==", Field("family"), Text(FAMILY_OF_ALIAS[name]))
            where = family if where is None else Logic("and", family, where)
        return CallPattern(
            text=_one_line(self.text[named.at : named.end]),
            place=self.snippet.place(named.at),
            names=names,
            families=families,
            path=paths[0] if paths else None,
            target=paths[1] if len(paths) > 1 else None,
            where=where,
        )

    def call(self) -> Named:
        """Read one alternative."""
        begin = self.at
        found = _NAME.match(self.text, begin)
        if found is None:
            raise self.expected("the name of a call, as in pwrite, or of a family, as in @write")
        name = found[0]
        if name not in self._allowed:
            self._check_name(name)
        self.at = found.end()
        paths: tuple[PathPattern, ...] | None = None
        where: Expression | None = None
        if self.next("("):
            paths, self.at = read_paths(self.snippet, self.at)
        if self.next("["):
            where = self._condition()
        return Named(name, begin, self.at, paths, where)

    def _condition(self) -> Expression:
        """Read ``[expression]``; no expression has brackets like these but in a text."""
        begin = self.at + 1
        found = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\]"'])*""").match(self.text, begin)
        end = begin if found is None else found.end()
        if not self.text.startswith("]", end):
            raise self.snippet.error(self.at, "expected a closing ] for this condition")
        self.at = end + 1
        return read_expression(self.snippet, begin, end)

    def _check_name(self, name: str) -> None:
        known = name[1:] in FAMILIES if name[0] == "@" else name in CALLS or name in ALIASES
        if known or name == SYNC_DIRECTORY:
            return
        instead = f"; did you mean {HINTS[name]}?" if name in HINTS else suggestion(name, _KNOWN)
        if name in NOT_RECORDED:
            instead = ": no recording has reads"
        what = "a family of calls" if name[0] == "@" else "the name of a call"
        raise self.error(f"expected {what}, saw {quoted(name)}{instead}")

    # Characters

    def bar(self) -> bool:
        """Pass a ``|`` with the spaces around it."""
        at = self.at
        self.skip()
        if not self.next("|"):
            self.at = at
            return False
        self.at += 1
        self.skip()
        return True

    def next(self, mark: str) -> bool:
        """Return whether *mark* stands here."""
        return self.text.startswith(mark, self.at)

    def skip(self) -> None:
        """Pass spaces."""
        found = _SPACE.match(self.text, self.at)
        if found is not None:
            self.at = found.end()

    def error(self, what: str) -> TextFileError:
        """Return an error at this place."""
        return self.snippet.error(self.at, what)

    def expected(self, what: str) -> TextFileError:
        """Return an error at this place, with what stands there."""
        rest = self.text[self.at : self.at + 20].split()
        return self.error(f"expected {what}, saw {quoted(rest[0]) if rest else 'the end'}")


def _one_line(text: str) -> str:
    """Return *text* as messages have it."""
    return " ".join(text.split()).replace("[ ", "[").replace(" ]", "]")
