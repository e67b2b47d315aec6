"""Whole HTML documents that ask the network for nothing.

A Content-Security-Policy lets the browser run and style with what has the right hash and nothing
else (https://www.w3.org/TR/CSP3/), so a hostile name could do no harm even if it were not escaped.
It is: the tree is made of elements and texts, and is written by `xml.etree`.
"""

import base64
import hashlib
from importlib import resources
from typing import Final
from xml.etree import ElementTree as ET

from tracefs.report.elements import add

_MARKUP: Final = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}
"""What could end a script block, or begin a comment in it: in JSON it stands only in strings."""


class Document:
    """A document in the making: what goes into `body`, and then a script that runs once.

    Args:
        title: of the window.
        style: name of a file of this package; ``page.css``, which all share, stands before it.
        script: what runs; nothing else does.
    """

    def __init__(self, title: str, style: str, script: str) -> None:
        self._script = script
        self._root = ET.Element("html", lang="en")
        head = add(self._root, "head")
        add(head, "meta", charset="utf-8")
        looks = asset("page.css", style)
        policy = (
            f"default-src 'none'; style-src {_hash(looks)}; script-src {_hash(script)}; "
            "base-uri 'none'; form-action 'none'"
        )
        add(head, "meta", **{"http-equiv": "Content-Security-Policy", "content": policy})
        add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
        add(head, "title", title)
        add(head, "style", looks)
        self.body = add(self._root, "body")

    def data(self, name: str, text: str, kind: str = "application/json") -> None:
        """Add a block of data for the script, an element with the id *name*."""
        add(self.body, "script", text.translate(_MARKUP), type=kind, id=name)

    def text(self) -> str:
        """Return all of it, with the script at the end; to be asked for once."""
        add(self.body, "script", self._script)
        return f"<!doctype html>\n{ET.tostring(self._root, encoding='unicode', method='html')}\n"


def asset(*names: str) -> str:
    """Return files of this package as one text."""
    folder = resources.files("tracefs.report")
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
