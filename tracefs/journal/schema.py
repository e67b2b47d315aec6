"""A JSON Schema of every journal line, made from the structures themselves.

``python -m tracefs.journal.schema`` prints what ``docs/reference/journal.schema.json`` holds.
"""

import inspect
import json
import sys
from typing import Any, Final

import msgspec

from tracefs.events import FORMAT, VERSION, Line

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, object]:
    """Return the schema that each line of a journal satisfies."""
    return {
        "$schema": _DIALECT,
        "title": f"{FORMAT} version {VERSION}",
        "description": "One line: a header first, then events, a footer last.",
        **_cleaned(msgspec.json.schema(Line)),
    }


def _cleaned(schema: dict[str, Any]) -> dict[str, Any]:
    """Return *schema* with docstrings as Python 3.13 has them: without the source's indentation."""
    defined = schema["$defs"]
    for kind in defined.values():
        if "description" in kind:
            kind["description"] = inspect.cleandoc(kind["description"])
    return schema


def text() -> str:
    """Return the schema as the file in the documentation spells it."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
