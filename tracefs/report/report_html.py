"""A recording as one HTML file that opens from a disk: what ``tracefs report`` writes.

What was found, and what was never synced, can be read without JavaScript. The script adds what can
be moved through: the timeline, the map of pages, the list of calls, and a moment that all of them
show.
"""

from typing import Final
from xml.etree import ElementTree as ET

from msgspec import Struct

from tracefs.findings import CheckResult, Finding, TraceSummary, Verdict
from tracefs.report.documents import Document, asset
from tracefs.report.elements import add, table
from tracefs.report.finding import kind
from tracefs.report.frame import calls, completeness, plural
from tracefs.report.jsonline import line
from tracefs.report.ledger import Changed, Owed
from tracefs.report.quote import printable
from tracefs.report.report_data import TICK_NS, ReportData, Tables

_SCRIPTS: Final = (
    "report_words.js", "report_data.js", "report_state.js", "report_draw.js", "report_map.js",
    "report_list.js", "report_main.js",
)  # fmt: skip
_LOOKS: Final = {
    Verdict.KEPT: ("good", "\N{CHECK MARK}"),
    Verdict.BROKEN: ("bad", "\N{MULTIPLICATION SIGN}"),
    Verdict.UNKNOWN: ("apart", "?"),
}
_KINDS: Final = (
    ("write", " ", "write"),
    ("sync", "I", "sync, as long as it took"),
    ("seek", "\N{BLACK UP-POINTING TRIANGLE}", "seek"),
    ("open", "\N{WHITE CIRCLE}", "open"),
    ("close", "|", "close"),
    ("other", "-", "other"),
)
_STATES: Final = (
    ("clean", " ", "never written, or cut off"),
    ("dirty", "/", "not synced"),
    ("synced", " ", "synced"),
    ("lost", "\N{MULTIPLICATION SIGN}", "lost to a failed sync"),
)


class View(Struct, frozen=True, kw_only=True):
    """What a page is about."""

    name: str
    """Of the recording."""
    head: tuple[str, ...]
    """Lines that say what was recorded, and how."""
    result: CheckResult | None
    """What contracts say of it; None: none was asked."""
    summary: TraceSummary
    remarks: tuple[str, ...]
    """What is to be known besides."""
    data: ReportData


class FoundData(Struct, frozen=True, kw_only=True):
    """A finding, for the page's script."""

    call: int | None


class PackedData(Struct, frozen=True, kw_only=True):
    """How the columns are packed."""

    names: tuple[str, ...]
    lengths: tuple[int, ...]


class HeadData(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the page's script begins with."""

    calls: int
    page_size: int
    timed: bool
    lasting: bool
    tick_ns: int
    lower_bound: bool
    tables: Tables
    packed: PackedData
    elsewhere: tuple[Changed, ...]
    findings: tuple[FoundData, ...]


def page(view: View) -> str:
    """Return the whole document."""
    script = f'(() => {{\n"use strict";\n{asset(*_SCRIPTS)}\n}})();'
    made = Document(f"{view.name}: recording", "report.css", script)
    main = add(made.body, "main")
    _title(main, view)
    _live(main)
    _findings(main, view)
    _ledger(main, view.data)
    _about(main, view)
    made.data("head", line(_head(view)))
    made.data("columns", view.data.packed.text, "application/octet-stream")
    return made.text()


def _head(view: View) -> HeadData:
    data = view.data
    found = () if view.result is None else view.result.contracts
    packed = data.packed
    return HeadData(
        calls=data.calls,
        page_size=data.page_size,
        timed=data.timed,
        lasting=data.lasting,
        tick_ns=TICK_NS,
        lower_bound=data.lower_bound,
        tables=data.tables,
        packed=PackedData(names=packed.names, lengths=packed.lengths),
        elsewhere=data.elsewhere,
        findings=tuple(
            FoundData(call=finding.call) for contract in found for finding in contract.findings
        ),
    )


def _title(main: ET.Element, view: View) -> None:
    add(main, "h1", printable(view.name))
    for contract in () if view.result is None else view.result.contracts:
        name, sign = _LOOKS[contract.verdict]
        words = add(main, "p")
        add(
            words, "strong", f"{sign} {contract.verdict}", class_=name
        ).tail = f": {contract.id}, {plural(len(contract.findings), 'finding')}"
    rests = f"{calls(view.summary)}, recording {completeness(view.summary)}"
    add(main, "p", rests, class_="good" if view.summary.complete else "apart")
    add(main, "p", class_="bad", id="trouble", hidden="hidden", role="alert")
    add(add(main, "noscript"), "p", "Without JavaScript this page has no timeline and no list.")


def _live(main: ET.Element) -> None:
    """Add the places for what the script draws."""
    moment = _section(main, "A moment", live=True)
    text = add(moment, "p", id="moment-text", role="status")
    text.text = ""
    add(moment, "input", type="range", id="when", min="0", step="1", aria_label="moment, in calls")
    add(moment, "p", id="chosen", class_="soft")
    add(moment, "h3", "Not synced at this moment")
    add(moment, "ul", id="owed")
    _timeline(main)
    _pages(main)
    _calls(main)


def _timeline(main: ET.Element) -> None:
    section = _section(main, "Timeline", live=True)
    _legend(section, _KINDS)
    bar = add(section, "div", class_="bar", id="lanes-buttons")
    for name, text in (
        ("closer", "Closer"), ("wider", "Wider"), ("earlier", "Earlier"), ("later", "Later"),
        ("whole", "All"),
    ):  # fmt: skip
        add(bar, "button", text, id=name, type="button")
    keys = "Click a mark; or arrow keys: next and previous call, + and -: zoom, 0: all."
    add(bar, "span", keys, class_="soft")
    box = add(section, "div", class_="scroll")
    add(
        box, "canvas", id="lanes", tabindex="0", role="img", aria_describedby="chosen",
        aria_label="Calls of each thread over time, and below the bytes that are not synced",
    )  # fmt: skip


def _pages(main: ET.Element) -> None:
    section = _section(main, "Pages", live=True)
    bar = add(section, "div", class_="bar")
    add(add(bar, "label", "file"), "select", id="file")
    mode = add(add(bar, "label", "colour"), "select", id="mode")
    for value, text in (
        ("state", "synced or not"), ("times", "times written"), ("writer", "last writer"),
    ):  # fmt: skip
        add(mode, "option", text, value=value)
    _legend(section, _STATES)
    add(section, "p", id="pages-text", class_="soft", role="status")
    box = add(section, "div", class_="scroll")
    add(
        box, "canvas", id="map", tabindex="0", role="img", aria_describedby="page-text",
        aria_label="Each page that was written, as a square; arrow keys move, Enter shows the call",
    )  # fmt: skip
    add(section, "p", id="page-text", class_="soft", role="status")


def _calls(main: ET.Element) -> None:
    section = _section(main, "Calls", live=True)
    bar = add(section, "div", class_="bar", id="filter", role="search")
    add(add(bar, "label", "search"), "input", type="search", id="text", size="18")
    for name in ("call", "thread"):
        add(add(add(bar, "label", name), "select", id=name), "option", "all", value="")
    only = add(bar, "label")
    add(only, "input", type="checkbox", id="found-only").tail = "with a finding"
    add(bar, "output", id="number")
    add(section, "div", id="list", tabindex="0", role="grid", aria_label="calls")


def _findings(main: ET.Element, view: View) -> None:
    section = _section(main, "Findings")
    if view.result is None:
        add(section, "p", "No contract was asked: tracefs report --contract NAME asks one.")
        return
    found = [finding for contract in view.result.contracts for finding in contract.findings]
    if not found:
        add(section, "p", "None.")
        return
    body = table(section, "findings", "", "call", "file", "what", "repair", "source")
    for finding in found:
        _finding(body, finding)


def _finding(body: ET.Element, finding: Finding) -> None:
    row = add(body, "tr")
    word = kind(finding)
    name = "bad" if word == "error" else "apart"
    add(row, "th", f"{word} {finding.rule}", scope="row", class_=name)
    call = add(row, "td")
    if finding.call is not None:
        _link(call, finding.call)
    where = "" if finding.path is None else printable(finding.path)
    add(row, "td", where if finding.page is None else f"{where} page {finding.page}")
    add(row, "td", printable(finding.message))
    add(row, "td", printable(finding.repair))
    add(row, "td", "not known" if finding.source is None else printable(finding.source))


def _ledger(main: ET.Element, data: ReportData) -> None:
    section = _section(main, "Never synced")
    bound = "at least " if data.lower_bound else ""
    if data.unplaced:
        writes = plural(data.unplaced, "write")
        add(section, "p", f"Not counted here, nor as pages: {writes} without a known place.")
    if not data.at_end:
        add(section, "p", f"{bound}0 bytes were not synced at the end.".capitalize())
    else:
        add(section, "h3", "At the end")
        _owed(section, "bytes not synced at the end", data.at_end, data.page_size, bound)
    if not data.closes:
        known = "is known to have been" if data.lower_bound else "was"
        add(section, "p", f"No file {known} closed with bytes that were not synced.")
        return
    add(section, "h3", f"At {plural(data.closes, 'close')}")
    if data.closes > len(data.at_close):
        add(section, "p", f"The first {len(data.at_close)} of them:")
    _owed(section, "bytes not synced at a close", data.at_close, data.page_size, bound)


def _owed(
    section: ET.Element, label: str, rows: tuple[Owed, ...], page_size: int, bound: str
) -> None:
    body = table(section, label, "file", "bytes", "at", "because of")
    for one in rows:
        row = add(body, "tr")
        add(row, "td", f"{printable(one.path)}{' (deleted)' if one.deleted else ''}")
        lost = f", {one.lost:,} of them lost to a failed sync" if one.lost else ""
        pages = f" ({one.bytes / page_size:g} pages)" if one.bytes else ""
        add(row, "td", f"{bound}{one.bytes:,}{pages}{lost}")
        place = add(row, "td")
        if one.at is None:
            place.text = "the end"
        else:
            _link(place, one.at)
        because = add(row, "td")
        if one.because is None:
            because.text = "not known"
        else:
            _link(because, one.because)


def _about(main: ET.Element, view: View) -> None:
    section = _section(main, "Recording")
    items = add(section, "ul")
    for text in (*view.head, *view.remarks):
        add(items, "li", text.removeprefix("# "))


def _section(main: ET.Element, title: str, *, live: bool = False) -> ET.Element:
    name = f"{title.lower().replace(' ', '-')}-title"
    hidden = {"hidden": "hidden", "data_live": "1"} if live else {}
    section = add(main, "section", aria_labelledby=name, **hidden)
    add(section, "h2", title, id=name)
    return section


def _legend(section: ET.Element, signs: tuple[tuple[str, str, str], ...]) -> None:
    legend = add(section, "p", class_="legend soft")
    for name, sign, text in signs:
        add(legend, "span", text, class_=name, data_sign=sign)


def _link(place: ET.Element, call: int) -> None:
    add(place, "a", f"call {call}", href=f"#call={call}")
