"""The answer of ``tracefs crash`` as one HTML file that asks the network for nothing.

Everything can be read without JavaScript; the script adds a timeline, from which a crash point is
chosen. A Content-Security-Policy lets the browser run and style with what has the right hash and
nothing else (https://www.w3.org/TR/CSP3/), so a hostile name could do no harm even if it were not
escaped. It is: the tree is made of elements and texts, and is written by `xml.etree`.
"""

import base64
import hashlib
from importlib import resources
from typing import Final
from xml.etree import ElementTree as ET

from msgspec import Struct

from tracefs.crashes import CrashReport, Point
from tracefs.report import crash_sections as sections
from tracefs.report.elements import add
from tracefs.report.jsonline import line
from tracefs.report.quote import printable

_MARKUP: Final = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}
"""What could end a script block, or begin a comment in it: in JSON it stands only in strings."""


class PointData(Struct, frozen=True, kw_only=True):
    """A crash point as the page's script reads it; every text is to be shown as it is."""

    name: str
    result: str
    mark: str
    sign: str
    seconds: float
    """Since the first point."""
    failures: tuple[str, ...]
    """Ids of the elements that show them."""


def page(report: CrashReport) -> str:
    """Return the whole document."""
    style, script = _asset("crash.css"), _asset("crash.js")
    root = ET.Element("html", lang="en")
    head = add(root, "head")
    add(head, "meta", charset="utf-8")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    add(head, "meta", **{"http-equiv": "Content-Security-Policy", "content": policy})
    add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    add(head, "title", f"{report.verdict}: crashes of {printable(report.recording)}")
    add(head, "style", style)
    main = add(add(root, "body"), "main")
    sections.verdict(main, report)
    sections.timeline(main)
    sections.failures(main, report)
    sections.syncs(main, report)
    sections.coverage(main, report)
    sections.steps(main, report)
    sections.points(main, report)
    body = root[1]
    add(body, "script", _data(report), type="application/json", id="data")
    add(body, "script", script)
    return f"<!doctype html>\n{ET.tostring(root, encoding='unicode', method='html')}\n"


def _asset(name: str) -> str:
    return (resources.files("tracefs.report") / name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _data(report: CrashReport) -> str:
    start_ns = report.points[0].at_ns if report.points else 0
    return line([_point(report, one, start_ns) for one in report.points]).translate(_MARKUP)


def _point(report: CrashReport, point: Point, start_ns: int) -> PointData:
    mark = sections.mark(report, point)
    return PointData(
        name=sections.point_name(point),
        result=sections.point_result(point),
        mark=mark.name,
        sign=mark.sign,
        seconds=(point.at_ns - start_ns) / 1e9,
        failures=sections.anchors(report, point),
    )
