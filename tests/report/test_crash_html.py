"""Reports about crashes as a page: whole, closed to the network, and deaf to hostile names."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any, Final

import crash_reports as samples
import pytest
from syrupy.assertion import SnapshotAssertion

from tracefs.crashes import CrashReport
from tracefs.report.crash_html import page
from tracefs.report.crash_text import lines

VOID: Final = {"meta", "br", "link", "img", "input", "hr"}
EVERY: Final = pytest.mark.parametrize("report", samples.ALL.values(), ids=samples.ALL)


class Tree(HTMLParser):
    """What a browser would see: elements, attributes, texts; every element must be closed."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(document)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self) -> str:
        return " ".join(text for tag, text in self.texts if tag not in {"script", "style"})


def data(tree: Tree) -> list[dict[str, Any]]:
    block, _script = (text for tag, text in tree.texts if tag == "script")
    read: list[dict[str, Any]] = json.loads(block)
    return read


@EVERY
def test_the_page_asks_for_nothing(report: CrashReport) -> None:
    tree = Tree(page(report))
    assert {tag for tag, _ in tree.elements}.isdisjoint({"link", "img", "iframe", "base", "form"})
    for _tag, attributes in tree.elements:
        assert not {"src", "style", "srcdoc", "action"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
    assert all((link["href"] or "").startswith("#failure-") for link in tree.of("a"))
    assert not re.search(r"https?:", page(report))
    assert "url(" not in page(report)
    assert "@import" not in page(report)


@EVERY
def test_the_policy_allows_what_is_in_the_page_and_nothing_else(report: CrashReport) -> None:
    document = page(report)
    tree = Tree(document)
    policy = next(one["content"] or "" for one in tree.of("meta") if "http-equiv" in one)
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    inline = {tag: text for tag, text in tree.texts if tag in {"style", "script"}}
    for tag, text in inline.items():
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert parts[f"{tag}-src"] == f"'sha256-{digest}'"
    # Scripts before it would run without it.
    assert document.index("Content-Security-Policy") < document.index("<s")


def test_hostile_names_are_texts() -> None:
    document = page(samples.HOSTILE)
    tree = Tree(document)
    assert len(tree.of("script")) == 2
    assert "<img" not in document
    assert "<!--" not in document
    assert all(character.isprintable() or character == "\n" for character in document)
    assert "</script><img src=x onerror=alert(1)>\\x1b[2J" in tree.text()
    [point] = data(tree)
    assert "</script><img src=x" in point["name"]
    assert point["name"].isprintable()


@EVERY
def test_without_a_script_all_can_be_read(report: CrashReport) -> None:
    text = Tree(page(report)).text()
    said = re.sub(r"\s+", "", text)
    for point in report.points:
        assert f"{point.failed} of {point.states} state" in text
    for line in lines(report):
        if line.strip().startswith(("state ", "look at ")):
            assert re.sub(r"\s+", "", line.partition("tracefs crash")[2]) in said
    for heading in ("Failures", "Coverage", "All crash points"):
        assert heading in text


@EVERY
def test_every_name_that_is_referred_to_is_there_once(report: CrashReport) -> None:
    tree = Tree(page(report))
    ids = [one["id"] for _tag, one in tree.elements if "id" in one]
    assert len(ids) == len(set(ids))
    used = {one["aria-labelledby"] for _tag, one in tree.elements if "aria-labelledby" in one}
    used |= {(link["href"] or "")[1:] for link in tree.of("a")}
    used |= {name for point in data(tree) for name in point["failures"]}
    assert used <= set(ids)


def test_points_are_told_apart_without_colour() -> None:
    points = [*data(Tree(page(samples.BROKEN))), *data(Tree(page(samples.HUNG)))]
    signs = {point["mark"]: point["sign"] for point in points}
    assert signs.keys() == {"good", "bad", "apart"}
    assert len(set(signs.values())) == len(signs)


def test_a_point_has_its_failures() -> None:
    tree = Tree(page(samples.HUNG))
    assert data(tree)[-1]["failures"] == ["failure-2", "failure-3"]
    assert [one["id"] for one in tree.of("article")] == ["failure-1", "failure-2", "failure-3"]


def test_the_page(snapshot: SnapshotAssertion) -> None:
    tree = Tree(page(samples.BROKEN))
    shown = (text.strip() for tag, text in tree.texts if tag not in {"script", "style"})
    assert "\n".join(text for text in shown if text) == snapshot
