"""JSON files: every one can be parsed, and those that were acknowledged say what was told.

Looked at: every ``*.json`` file whose name begins with no dot, and those that an
acknowledgement names. A file that is being written under another name is none of these.

An acknowledgement is ``PATH``, or ``PATH KEY=VALUE``, or ``PATH KEY>=VALUE`` for a number that
grows: the file is an object, and has that value; ``a.b`` is the key ``b`` of the object ``a``. Text
is compared as it is, anything else as JSON spells it. A later acknowledgement of the same key takes
the place of an earlier one.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tracefs.crash.checkers import tree
from tracefs.crash.checkers.facts import Fact, fact, not_understood
from tracefs.crash.checkers.ready import Ready

_FORM: Final = "PATH [KEY=VALUE]"


def ask(directory: Path, acks: Sequence[str]) -> str | None:
    """Return what is wrong with the JSON files below *directory*, None: nothing.

    Raises:
        CheckerError: an acknowledgement isn't understood.
    """
    wanted: dict[str, dict[str, Fact]] = {}
    for ack in acks:
        name, blank, rest = ack.partition(" ")
        if not name:
            raise not_understood(ack, _FORM)
        facts = wanted.setdefault(name, {})
        if blank:
            one = fact(rest, ack)
            facts[one.key] = one
    for name in wanted:
        if not tree.inside(directory, name).is_file():
            return f"{name}: absent; it was acknowledged"
    files = {
        str(path.relative_to(directory)): path
        for path in tree.files(directory)
        if path.suffix == ".json" and not path.name.startswith(".")
    }
    files |= {name: tree.inside(directory, name) for name in wanted}
    for name, path in sorted(files.items()):
        if (wrong := _wrong(path, wanted.get(name, {}))) is not None:
            return f"{name}: {wrong}"
    return None


def _wrong(path: Path, facts: dict[str, Fact]) -> str | None:
    data = path.read_bytes()
    if not data:
        return "it is empty"
    try:
        value = json.loads(data)
    except ValueError as error:  # of its text or of its encoding
        return f"it can't be parsed: {error}"
    for one in facts.values():
        found = _text(value, one.key)
        if not one.holds(found):
            has = "has no such key" if found is None else f"has {found[:60]}"
            return f"acknowledged: {one}; it {has}"
    return None


def _text(value: object, key: str) -> str | None:
    """Return the value of *key* as text, None where there is none."""
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value if isinstance(value, str) else json.dumps(value)


READY: Final = Ready(
    name="json",
    help="JSON files: each can be parsed, and has the acknowledged values",
    acks=_FORM,
    ask=ask,
)
