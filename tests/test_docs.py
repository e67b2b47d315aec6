"""The documentation: links lead somewhere, pages are listed, what is shown is what is printed."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs_support import DOCS, README, ROOT, blocks, name, transcript

from tracefs.cli.main import COMMANDS

BUILT = {"build", "dist", "target", "node_modules"}
HELPER = "fusermount3:"
"""Words behind this are another program's."""


def pages() -> list[Path]:
    tops = [top for top in ROOT.iterdir() if not top.name.startswith(".") and top.name not in BUILT]
    found = [page for top in tops if top.is_dir() for page in top.rglob("*.md")]
    found += [top for top in tops if top.suffix == ".md"]
    return sorted(page for page in found if not BUILT & set(page.relative_to(ROOT).parts))


PAGES = pages()


def prose(page: Path) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)|`", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def links(page: Path) -> Iterator[str]:
    text = prose(page)
    yield from re.findall(r"\]\(([^)\s]+)\)", text)
    yield from re.findall(r"^\[[^]]+\]: (\S+)$", text, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    dangling = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        fine = target.exists() and (not anchor or anchor in anchors(target))
        if not fine:
            dangling.append(link)
    assert dangling == []


def test_every_page_is_listed_in_the_index() -> None:
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in links(DOCS / "README.md")}
    assert {page.resolve() for page in DOCS.rglob("*.md")} - listed == {DOCS / "README.md"}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_names_a_place_on_somebodys_machine(page: Path) -> None:
    assert re.findall(r"/root\b.*|/work/.*|/tmp/lab.*", page.read_text("utf-8")) == []


def test_the_readme_lists_every_command() -> None:
    row = r"^\| `tracefs ([\w-]+)` \| (.*) \|$"
    rows = re.findall(row, README.read_text("utf-8"), re.MULTILINE)
    assert rows == [(command.name, command.help) for command in COMMANDS]


def test_the_reference_mentions_every_command() -> None:
    text = (DOCS / "reference" / "cli.md").read_text("utf-8")
    assert [
        command.name for command in COMMANDS if f"## tracefs {command.name}\n" not in text
    ] == []


# ---------------------------------------------------------------- what is printed


CONSOLE = [
    (page, command, output)
    for page in PAGES
    for block in blocks(page, "console")
    for command, output in transcript(block)
]


def tracefs(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tracefs", *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    return done.stdout


def test_shown_help_and_version_are_what_is_printed() -> None:
    shown = [
        (command, output)
        for _, command, output in CONSOLE
        if re.fullmatch(r"tracefs( \w+)? --(help|version)", command)
    ]
    assert shown
    assert [
        (command, output) for command, output in shown if tracefs(*command.split()[1:]) != output
    ] == []


def advice(value: object) -> Iterator[str]:
    """Yield what a contract file says to people who broke it."""
    if isinstance(value, list):
        for item in value:
            yield from advice(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in {"repair", "help"} and isinstance(item, str):
                yield item
            yield from advice(item)


def literals() -> list[list[str]]:
    """Return the texts in the package and in contract files that pages show.

    Each is the pieces between what is filled in.
    """
    found = []
    for file in (ROOT / "tracefs").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append([node.value])
            elif isinstance(node, ast.JoinedStr):
                pieces = [
                    str(part.value) if isinstance(part, ast.Constant) else "\0"
                    for part in node.values
                ]
                found.append("".join(pieces).split("\0"))
    shown = re.compile(r'^(?:repair|help) = "(.*)"$', re.MULTILINE)
    blocks_shown = [body for page in PAGES for body in blocks(page, "toml")]
    found += [[text] for body in blocks_shown for text in shown.findall(body)]
    for file in (ROOT / "tracefs").rglob("*.toml"):
        found += [[text] for text in advice(tomllib.loads(file.read_text("utf-8")))]
    return [pieces for pieces in found if sum(map(len, pieces)) >= 12]


LITERALS = literals()
PATTERNS = [re.compile(".*".join(map(re.escape, pieces)), re.DOTALL) for pieces in LITERALS]


OF_A_RULE = re.compile(r"(?:rule '[^']*'|\S+:\d+:\d+): (?:\w+: )?(.*?)(?:; name .*)?")
"""What is said of a fault rule, between whose it is and what to do."""


def said() -> Iterator[tuple[str, str]]:
    """Yield the messages and repairs that pages show, with the page."""
    for page, _, output in CONSOLE:
        for line in output.splitlines():
            message = re.match(r"(?:tracefs: +|  )(repair: )?(.*)", line)
            if message and (message[1] or line.startswith("tracefs: ")) and HELPER not in line:
                of_a_rule = OF_A_RULE.fullmatch(message[2])
                yield name(page), message[2] if of_a_rule is None else of_a_rule[1]


def test_shown_messages_are_still_in_the_program() -> None:
    messages = sorted(set(said()))
    assert len(messages) > 10
    stale = [
        (page, text)
        for page, text in messages
        if not any(pattern.fullmatch(text) for pattern in PATTERNS)
    ]
    assert stale == []


def test_messages_under_trouble_are_still_in_the_program() -> None:
    text = (DOCS / "how-to" / "trouble.md").read_text("utf-8").partition("\n## ")[0]
    messages = re.findall(r"^\| `(.*?)` \|", text, re.MULTILINE)
    assert messages
    texts = ["\0".join(pieces) for pieces in LITERALS]
    stale = [
        message
        for message in messages
        if not any(all(piece in text for piece in message.split("…")) for text in texts)
    ]
    assert stale == []
