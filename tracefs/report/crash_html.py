"""The answer of ``tracefs crash`` as one HTML file that asks the network for nothing.

Everything can be read without JavaScript; the script adds a timeline, from which a crash point is
chosen.
"""

from msgspec import Struct

from tracefs.crashes import CrashReport, Point
from tracefs.report import crash_sections as sections
from tracefs.report.documents import Document, asset
from tracefs.report.elements import add
from tracefs.report.jsonline import line
from tracefs.report.quote import printable


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
    title = f"{report.verdict}: crashes of {printable(report.recording)}"
    made = Document(title, "crash.css", asset("crash.js"))
    main = add(made.body, "main")
    sections.verdict(main, report)
    sections.timeline(main)
    sections.failures(main, report)
    sections.syncs(main, report)
    sections.coverage(main, report)
    sections.steps(main, report)
    sections.points(main, report)
    made.data("data", _data(report))
    return made.text()


def _data(report: CrashReport) -> str:
    start_ns = report.points[0].at_ns if report.points else 0
    return line([_point(report, one, start_ns) for one in report.points])


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
