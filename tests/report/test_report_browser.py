"""The page of a recording in a real browser: what it shows, and what it never does."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, BrowserError, executable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lacking import lacking
from report_support import HEADER, PAGE, START_NS, call, close, fdatasync, pwrite

from tracefs.findings import (
    CheckResult,
    ContractResult,
    Finding,
    Severity,
    TraceSummary,
    Verdict,
)
from tracefs.report.frame import head
from tracefs.report.ledger import Ledger
from tracefs.report.report_data import Collector
from tracefs.report.report_html import View, page
from tracefs.trace.call import Call

pytestmark = pytest.mark.timeout(120)
HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>.db"
Show = Callable[..., Browser]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        executable()
    except BrowserError as missing:
        lacking(str(missing))
    with contextlib.closing(Browser(tmp_path_factory.mktemp("profile"))) as browser:
        yield browser


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Iterator[Show]:
    """Return what shows calls at an address; whatever was shown, nothing may have gone wrong."""

    def shown(*calls: Call, at: str = "", found: tuple[int, ...] = ()) -> Browser:
        # The same address again would only be a move within the page.
        file = tmp_path / f"report-{len(own)}.html"
        own.add(file.as_uri())
        file.write_text(document(*calls, found=found))
        chromium.open(f"{file.as_uri()}#{at}")
        return chromium

    own: set[str] = set()
    chromium.troubles.clear()
    chromium.requests.clear()
    yield shown
    assert chromium.troubles == []
    assert {url.partition("#")[0] for url in chromium.requests} <= own


def document(*calls: Call, found: tuple[int, ...] = ()) -> str:
    collector = Collector(START_NS, PAGE, timed=True, locate=lambda _: None)
    collector.add_all(calls, lambda _: None)
    findings = tuple(
        Finding(
            rule="synced", severity=Severity.ERROR, verdict=Verdict.BROKEN, call=index,
            path=HOSTILE, page=0, message=HOSTILE, repair="sync it", source="store.py:7",
        )
        for index in found
    )  # fmt: skip
    summary = TraceSummary(complete=True, calls=len(calls), unknown_calls=0)
    contract = ContractResult(id="page-write", verdict=Verdict.BROKEN, findings=findings)
    result = CheckResult(verdict=Verdict.BROKEN, contracts=(contract,), trace=summary)
    return page(
        View(
            name=HOSTILE, head=tuple(head(HEADER)), result=result if found else None,
            summary=summary, remarks=(), data=collector.data(),
        )
    )  # fmt: skip


RUN = (
    call("openat", "open", index=0, fd=3, created=True, flags=("O_RDWR", "O_CREAT")),
    pwrite(0, index=1),
    fdatasync(index=2),
    pwrite(PAGE, index=3),
    pwrite(2 * PAGE, index=4, tid=9, pid=9, comm="other"),
    close(index=5),
    pwrite(0, index=6, ino=8, path=HOSTILE, fd=4),
    fdatasync(index=7, errno=5, result=None),
)


def text(browser: Browser, name: str) -> str:
    found: str = browser.evaluate(f"document.getElementById('{name}').innerText")
    return found


def rows(browser: Browser) -> list[str]:
    found: list[str] = browser.evaluate(
        "[...document.querySelectorAll('#list [role=row]')]"
        ".map(row => [...row.children].map(cell => cell.textContent).join('|'))"
    )
    return found


def set_to(browser: Browser, name: str, value: Any) -> None:
    """Let a person set a control, as the browser would tell the page."""
    browser.evaluate(
        f"(() => {{ const it = document.getElementById('{name}'); it.value = {json.dumps(value)};"
        "it.dispatchEvent(new Event('input')); })()"
    )
    browser.settle()


def test_all_calls_are_there_and_the_moment_is_the_end(show: Show) -> None:
    browser = show(*RUN)
    assert text(browser, "number") == "8 calls"
    assert [row.split("|")[3] for row in rows(browser)] == [one.call for one in RUN]
    assert text(browser, "moment-text").endswith("12,288 bytes not synced")
    assert rows(browser)[3].split("|")[4:7] == ["pages.db", "4096 bytes at 4096 page 1", "= 4096"]
    assert rows(browser)[7].split("|")[6] == "= -1 EIO"


def test_the_slider_shows_what_waits_at_each_moment(show: Show) -> None:
    browser = show(*RUN)
    ledger = Ledger(0)
    waiting: dict[int | None, int] = {}
    for one in RUN:
        entry = ledger.take(one)
        waiting[entry.file] = entry.waiting
        set_to(browser, "when", str(one.index + 1))
        total = sum(waiting.values())
        assert text(browser, "moment-text").endswith(f": {total:,} bytes not synced")
    assert text(browser, "pages-text") == (
        "3 pages ever written: now 0 not synced, 2 lost to a failed sync, 1 synced"
    )
    set_to(browser, "when", "5")
    assert text(browser, "pages-text").startswith("3 pages ever written: now 2 not synced, 0 lost")
    assert text(browser, "owed") == "pages.db: 8,192 bytes, pages 1-2, because of call 4"
    set_to(browser, "when", "0")
    assert text(browser, "moment-text") == "before the first call: 0 bytes not synced"
    assert text(browser, "owed") == "nothing waits for a sync"


def test_a_sync_right_behind_a_write_covers_it(show: Show) -> None:
    end = START_NS + 100_050
    browser = show(
        pwrite(0, index=0, start_ns=START_NS, end_ns=end),
        fdatasync(index=1, start_ns=end + 1, end_ns=end + 2),
    )
    assert text(browser, "pages-text").startswith("1 page ever written: now 0 not synced")


@pytest.mark.parametrize(
    ("control", "value", "left"),
    [
        ("text", "fdatasync", [2, 7]),
        ("text", "ONERROR", [6]),
        ("text", "eio", [7]),
        ("text", "o_creat", [0]),
        ("text", "nowhere", []),
        ("thread", "1", [4]),
    ],
)
def test_the_list_is_filtered(show: Show, control: str, value: str, left: list[int]) -> None:
    browser = show(*RUN)
    set_to(browser, control, value)
    assert [int(row.partition("|")[0]) for row in rows(browser)] == left
    assert text(browser, "number") == f"{len(left)} of 8 calls"


def test_findings_lead_to_their_calls(show: Show) -> None:
    browser = show(*RUN, found=(3,))
    browser.evaluate("document.querySelector('#findings-title ~ div a').click()")
    browser.settle()
    chosen = "document.querySelector('#list [aria-selected=true]').dataset.call"
    assert browser.evaluate(chosen) == "3"
    browser.evaluate("document.getElementById('found-only').click()")
    browser.settle()
    assert [row.split("|")[:4:3] for row in rows(browser)] == [["3", "! pwrite64"]]
    assert "call=3" in browser.evaluate("location.hash")


def test_the_keyboard_goes_through_calls_in_the_list_and_on_the_timeline(show: Show) -> None:
    browser = show(*RUN, at="call=2")
    chosen = "document.querySelector('#list [aria-selected=true]').dataset.call"
    assert browser.evaluate(chosen) == "2"
    browser.evaluate("document.getElementById('list').focus()")
    browser.key("ArrowDown")
    assert browser.evaluate(chosen) == "3"
    browser.key("End")
    assert browser.evaluate(chosen) == "7"
    active = "document.getElementById('list').getAttribute('aria-activedescendant')"
    assert browser.evaluate(active) == "row-7"
    browser.evaluate("document.getElementById('lanes').focus()")
    browser.key("ArrowLeft")
    assert browser.evaluate(chosen) == "6"


def test_the_keyboard_goes_through_pages_and_to_who_wrote_them(show: Show) -> None:
    browser = show(*RUN, at="call=5")
    browser.evaluate("document.getElementById('map').focus()")
    browser.key("ArrowRight")
    browser.settle()
    assert text(browser, "page-text").startswith("page 0: synced, written 1 time, last by call 1")
    browser.key("ArrowRight")
    browser.key("ArrowRight")
    browser.settle()
    assert text(browser, "page-text") == (
        "page 2: not synced, written 1 time, last by call 4, other 9"
    )
    browser.key("Enter")
    browser.settle()
    assert text(browser, "moment-text").startswith("after 5 calls of 8")


def test_a_click_on_the_timeline_chooses_the_call(show: Show) -> None:
    browser = show(*RUN)
    left, top, width = _lanes(browser)
    # The second thread has one call: anywhere near it.
    x = next(
        x
        for x in range(140, int(width), 4)
        if _chosen_by_click(browser, left + x, top + 20 + 24 + 12) == "4"
    )
    assert x
    assert text(browser, "chosen").startswith("4 ")


def _lanes(browser: Browser) -> tuple[float, float, float]:
    """Bring the timeline into sight; return its left edge, its top edge and its width."""
    browser.evaluate("document.getElementById('lanes').scrollIntoView()")
    left, top, width = browser.evaluate(
        "(() => { const box = document.getElementById('lanes').getBoundingClientRect();"
        "return [box.left, box.top, box.width]; })()"
    )
    return left, top, width


def _chosen_by_click(browser: Browser, x: float, y: float) -> Any:
    browser.click(x, y)
    browser.settle()
    return browser.evaluate("document.querySelector('#list [aria-selected=true]')?.dataset.call")


def test_the_timeline_is_moved_by_its_buttons(show: Show) -> None:
    browser = show(*RUN)

    def after(button: str) -> str:
        browser.evaluate(f"document.getElementById('{button}').click()")
        browser.settle()
        picture: str = browser.evaluate("document.getElementById('lanes').toDataURL()")
        return picture

    whole = after("whole")
    middle, begin, again, end = map(after, ["closer", "earlier", "later", "later"])
    assert len({whole, middle, end, begin}) == 4
    assert again == middle
    assert after("later") == end  # there is nothing behind it
    assert after("wider") == whole
    after("closer")
    after("later")
    left, top, width = _lanes(browser)
    clicks = (_chosen_by_click(browser, left + x, top + 32) for x in range(int(width), 0, -4))
    assert next(filter(None, clicks)) == "7"


def test_a_hostile_name_is_text(show: Show) -> None:
    browser = show(*RUN, found=(3,))
    assert browser.evaluate("document.title").startswith(HOSTILE)
    assert browser.evaluate("document.querySelectorAll('img').length") == 0
    assert HOSTILE in browser.evaluate("document.querySelector('h1').textContent")
    assert rows(browser)[6].split("|")[4] == HOSTILE


def test_the_policy_refuses_what_is_not_the_page_itself(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(document(*RUN).replace("<main>", "<main><script>document.title='in'</script>"))
    chromium.troubles.clear()
    chromium.open(file.as_uri())
    assert chromium.evaluate("document.title") != "in"
    assert any("Content Security Policy" in one for one in chromium.troubles)


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_wider_than_the_window(show: Show, width: int) -> None:
    browser = show(*RUN, found=(3,))
    browser.command(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=800, deviceScaleFactor=1, mobile=False,
    )  # fmt: skip
    browser.settle()
    widest = browser.evaluate(
        "[...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right"
        " > innerWidth && !one.closest('.scroll, #list')).map(one => one.outerHTML.slice(0, 80))"
    )
    wide = browser.evaluate("document.documentElement.scrollWidth")
    browser.command("Emulation.clearDeviceMetricsOverride")
    assert wide <= width, widest


@st.composite
def runs(draw: st.DrawFn) -> list[Call]:
    """Return writes of whole pages, syncs and cuts, of two files."""
    made: list[Call] = []
    for index in range(draw(st.integers(1, 24))):
        fields: dict[str, Any] = {"index": index, "ino": draw(st.sampled_from([7, 8]))}
        fields["path"] = f"file-{fields['ino']}"
        match draw(st.integers(0, 11)):
            case 0:
                made.append(fdatasync(**fields))
            case 1:
                made.append(fdatasync(errno=5, result=None, **fields))
            case 2:
                size = draw(st.integers(0, 6)) * PAGE
                made.append(call("ftruncate", "truncate", length=size, result=0, **fields))
            case 3:
                nothing = {"ino": None, "path": None}
                made.append(call("sync", "syncfs", result=0, **(fields | nothing)))
            case 4:
                # It began before all of the writes: only stores are covered.
                made.append(fdatasync(start_ns=START_NS, **fields))
            case 5:
                where: dict[str, Any] = {"offset": draw(st.integers(0, 6)) * PAGE, "tid": None}
                made.append(call("mmap", "write", length=PAGE, result=PAGE, **(fields | where)))
            case _:
                by = draw(st.sampled_from([None, None, "O_DSYNC"]))
                length = draw(st.integers(1, 3)) * PAGE
                page_no = draw(st.integers(0, 6))
                made.append(pwrite(page_no * PAGE, length, synced_by=by, **fields))
    return made


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(runs())
def test_the_page_counts_as_the_ledger_does(show: Show, calls: list[Call]) -> None:
    browser = show(*calls)
    ledger = Ledger(0)
    for one in calls:
        ledger.take(one)
        set_to(browser, "when", str(one.index + 1))
        owed = {each.path: each.bytes for each in ledger.at_end()}
        total = sum(owed.values())
        plural = "byte" if total == 1 else "bytes"
        assert text(browser, "moment-text").endswith(f": {total:,} {plural} not synced")
        shown = text(browser, "owed").splitlines()
        assert {line.partition(":")[0] for line in shown if ":" in line} == set(owed)
        [option] = browser.evaluate(
            "[...document.getElementById('file').selectedOptions].map(one => one.textContent)"
        ) or [None]
        if option in {"file-7", "file-8"}:
            counts = text(browser, "pages-text").split()
            if "now" in counts:
                at = counts.index("now")
                waits = int(counts[at + 1]) + int(counts[at + 4])
                assert waits * PAGE == owed.get(option, 0)


def test_of_many_calls_only_those_in_sight_are_elements(show: Show) -> None:
    count = 200_000
    browser = show(*(pwrite(index % 64 * PAGE, index=index) for index in range(count)))
    assert text(browser, "number") == "200,000 calls"
    assert len(rows(browser)) < 100
    browser.evaluate("document.getElementById('list').focus()")
    browser.key("End")
    assert rows(browser)[-1].partition("|")[0] == str(count - 1)
