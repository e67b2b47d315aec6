"""Elements of an HTML page: texts go in as texts, so that no name can become markup."""

from xml.etree import ElementTree as ET


def add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    """Return a new element *tag* at the end of *parent*; ``_`` in a name stands for ``-``.

    An attribute that is spelled with a trailing ``_`` is without it (``class_``).
    """
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    element = ET.SubElement(parent, tag, named)
    element.text = text
    return element


def table(parent: ET.Element, label: str, *columns: str) -> ET.Element:
    """Return the body of a new table in *parent* that scrolls by itself where it is too wide."""
    # What scrolls must be reachable by keyboard, and what is reachable must have a name.
    box = add(parent, "div", class_="scroll", tabindex="0", role="region", aria_label=label)
    made = add(box, "table")
    head = add(add(made, "thead"), "tr")
    for column in columns:
        add(head, "th", column, scope="col")
    return add(made, "tbody")
