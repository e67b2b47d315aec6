"""The clauses of a contract or rule, from its keys."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tracefs.contracts.language.bindings import with_bindings
from tracefs.contracts.language.expressions import read_expression
from tracefs.contracts.language.model import (
    AtMost,
    Before,
    Clause,
    Must,
    Never,
    Next,
    Pattern,
    Sequence,
)
from tracefs.contracts.language.patterns import read_pattern
from tracefs.contracts.language.sequences import read_sequence, steps_of
from tracefs.placed import tables
from tracefs.placed.place import Place
from tracefs.placed.snippet import error_at
from tracefs.placed.toml_places import Located

KEYS: Final = (
    "every", "must", "next", "until", "provided", "at_most", "never", "before", "need", "since",
    "when", "sequence",
)  # fmt: skip

_NEEDS: Final = (
    # key, one of these is beside it
    ("must", ("every",)),
    ("next", ("every",)),
    ("until", ("next",)),
    ("provided", ("next",)),
    ("at_most", ("every",)),
    ("every", ("must", "next", "at_most")),
    ("need", ("before",)),
    ("since", ("before",)),
    ("before", ("need",)),
    ("sequence", ("when",)),
    ("when", ("sequence",)),
)


class Read(NamedTuple):
    """A clause, what it is called by default, and where it stands."""

    id: str
    clause: Clause
    place: Place


def read_clauses(table: Located) -> list[Read]:
    """Return the clauses in *table*, in the order of their kinds; none where it has none.

    Raises:
        TextFileError: A key lacks another, or can't be understood.
    """
    given = table.table
    for key, others in _NEEDS:
        if key in given and not any(other in given for other in others):
            raise error_at(table.origin, given[key].key, f"expected {_listed(others)} beside {key}")
    return [
        Read(read.id, with_bindings(read.clause, table.origin), read.place)
        for read in _clauses(given)
    ]


def _listed(keys: tuple[str, ...]) -> str:
    return keys[0] if len(keys) == 1 else f"{', '.join(keys[:-1])} or {keys[-1]}"


def _clauses(given: dict[str, Located]) -> Iterator[Read]:
    if "every" in given:
        yield from _of_every(given, read_pattern(tables.text(given["every"])))
    if "never" in given:
        patterns = tuple(map(read_pattern, tables.texts(given["never"])))
        yield Read("never", Never(patterns=patterns), given["never"].key)
    if "before" in given:
        before = Before(
            before=read_pattern(tables.text(given["before"])),
            need=read_pattern(tables.text(given["need"])),
            since=read_pattern(tables.text(given["since"])) if "since" in given else None,
        )
        yield Read("before", before, given["before"].key)
    if "sequence" in given:
        when = read_pattern(tables.text(given["when"]))
        node = read_sequence(tables.texts(given["sequence"]))
        sequence = Sequence(when=when, node=node, steps=steps_of(node))
        yield Read("sequence", sequence, given["sequence"].key)


def _of_every(given: dict[str, Located], every: Pattern) -> Iterator[Read]:
    if "must" in given:
        text = tables.text(given["must"])
        must = Must(every=every, must=read_expression(text), text=" ".join(text.text.split()))
        yield Read("must", must, given["must"].key)
    if "next" in given:
        following = Next(
            every=every,
            next=read_pattern(tables.text(given["next"]), failure=True),
            until=_until(given["until"]) if "until" in given else _default_until(every),
            provided=(
                read_pattern(tables.text(given["provided"])) if "provided" in given else None
            ),
        )
        yield Read("next", following, given["next"].key)
    if "at_most" in given:
        at_most = AtMost(every=every, most=tables.count(given["at_most"]))
        yield Read("at-most", at_most, given["at_most"].key)


def _until(value: Located) -> Pattern:
    """Return one pattern of all that *value* has."""
    patterns = [read_pattern(text, end=True) for text in tables.texts(value)]
    return Pattern(
        text="|".join(pattern.text for pattern in patterns),
        place=patterns[0].place,
        calls=tuple(call for pattern in patterns for call in pattern.calls),
        end=any(pattern.end for pattern in patterns),
    )


def _default_until(every: Pattern) -> Pattern:
    return Pattern(text=f"{every.text}|end", place=every.place, calls=every.calls, end=True)
