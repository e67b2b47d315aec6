"""Rules from TOML: ``[[fault]]`` tables with the keys that a rule's text has.

``calls`` is a name or an array of them, ``path`` the glob.
"""

import math
import os
from typing import Final

from tracefs.errors import TextFileError
from tracefs.faults import spelling
from tracefs.faults.amounts import spelled_number
from tracefs.faults.model import Rule
from tracefs.faults.options import FLAGS, KEYS, Options
from tracefs.faults.refused import RefusedError
from tracefs.pathtext import to_text
from tracefs.placed import files, tables
from tracefs.placed.place import Place
from tracefs.placed.snippet import error_at
from tracefs.placed.toml_places import Located, parse

VERSION: Final = 1
MAX_RULES: Final = 1000

_FILE: Final = ("version", "fault")
_FAULT: Final = ("calls", "path", *KEYS)
_WHERE: Final = "[[fault]]"


def load(path: str | os.PathLike[str]) -> tuple[Rule, ...]:
    """Return the rules in the file *path*.

    Raises:
        TextFileError: It can't be understood.
        UsageError: It can't be read.
    """
    origin = to_text(os.fsencode(path))
    return read(files.read(path, origin, "file of rules"), origin)


def read(text: str, origin: str) -> tuple[Rule, ...]:
    """Return the rules that *text* has; at least one.

    Args:
        text: TOML.
        origin: The name of its file, for messages.

    Raises:
        TextFileError: It can't be understood; with the first place where that is so.
    """
    file = parse(text, origin)
    tables.check_keys(file, _FILE, "a file of rules")
    version = file.table.get("version")
    if version is not None and (number := tables.count(version)) != VERSION:
        raise version.error(f"expected version = {VERSION}, saw {number}: another tracefs reads it")
    if "fault" not in file.table:
        raise error_at(origin, Place(1, 1), f"expected at least one {_WHERE}")
    items = tables.tables(file.table["fault"], "fault")
    if not items:
        raise file.table["fault"].error(f"expected at least one {_WHERE}")
    if len(items) > MAX_RULES:
        raise items[MAX_RULES].error(f"expected at most {MAX_RULES} rules in a file")
    rules: dict[str, Rule] = {}
    for item in items:
        rule = _rule(item)
        if rule.text in rules:
            raise item.error(f"expected another rule: {rule.text} is that of one before")
        rules[rule.text] = rule
    return tuple(rules.values())


def _rule(item: Located) -> Rule:
    tables.check_keys(item, _FAULT, _WHERE)
    given = item.table
    if "calls" not in given:
        raise item.error(f"expected calls in {_WHERE}")
    names = tables.texts(given["calls"])
    for name in names:
        try:
            spelling.canonical(name.text)
        except RefusedError as refused:
            raise name.error(0, refused.what) from None
    options = Options()
    for key in KEYS:
        if key in given:
            _take(options, key, given[key])
    glob = tables.text(given["path"]).text if "path" in given else None
    try:
        rule = spelling.make([name.text for name in names], glob, options)
    except RefusedError as refused:
        raise _placed(item, refused) from None
    if len(rule.text) > spelling.MAX_LENGTH:
        raise item.error(f"expected a rule of at most {spelling.MAX_LENGTH} characters")
    return rule


def _take(options: Options, key: str, value: Located) -> None:
    given = value.value
    if key in FLAGS:
        if not isinstance(given, bool):
            raise value.error(f"expected true or false for {key}")
        if given:
            options.take(key, None)
        return
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise value.error(f"expected a string or a number for {key}")
    if isinstance(given, float):
        # Others are refused by their text.
        plain = math.isfinite(given) and given >= 0
        text = spelled_number(given) if plain else str(given)
    else:
        text = str(given)
    try:
        options.take(key, text)
    except RefusedError as refused:
        raise value.error(refused.what) from None


def _placed(item: Located, refused: RefusedError) -> TextFileError:
    """Return the error at the key that is to blame."""
    if refused.key in item.table:
        return error_at(item.origin, item.table[refused.key].key, refused.what)
    return item.error(refused.what)
