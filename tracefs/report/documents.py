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


def document(title: str, style: str, script: str) -> tuple[ET.Element, ET.Element]:
    """Return a new document and its body; *script* runs once it is added, by `finished`."""
    root = ET.Element("html", lang="en")
    head = add(root, "head")
    add(head, "meta", charset="utf-8")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    add(head, "meta", **{"http-equiv": "Content-Security-Policy", "content": policy})
    add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    add(head, "title", title)
    add(head, "style", style)
    return root, add(root, "body")


def finished(root: ET.Element, body: ET.Element, script: str) -> str:
    """Return the document's text, with *script* at its end."""
    add(body, "script", script)
    return f"<!doctype html>\n{ET.tostring(root, encoding='unicode', method='html')}\n"


def asset(*names: str) -> str:
    """Return files of this package as one text."""
    folder = resources.files("tracefs.report")
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def in_script(json: str) -> str:
    """Return JSON that can stand in a script element."""
    return json.translate(_MARKUP)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
