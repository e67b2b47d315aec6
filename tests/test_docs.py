"""The documentation: links lead somewhere, pages are listed, what is shown is what is printed."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracefs.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
BUILT = {"build", "dist", "target", "node_modules"}
PATIENCE_S = 50
HELPER = "fusermount3:"
"""Words behind this are another program's."""


def pages() -> list[Path]:
    tops = [top for top in ROOT.iterdir() if not top.name.startswith(".") and top.name not in BUILT]
    found = [page for top in tops if top.is_dir() for page in top.rglob("*.md")]
    found += [top for top in tops if top.suffix == ".md"]
    return sorted(page for page in found if not BUILT & set(page.relative_to(ROOT).parts))


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


PAGES = pages()


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of *language*, those inside lists too, without their indentation."""
    text = page.read_text("utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


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
    rows = re.findall(r"^\| `tracefs (\w+)` \| (.*) \|$", README.read_text("utf-8"), re.MULTILINE)
    assert rows == [(command.name, command.help) for command in COMMANDS]


def test_the_reference_mentions_every_command() -> None:
    text = (DOCS / "reference" / "cli.md").read_text("utf-8")
    assert [
        command.name for command in COMMANDS if f"## tracefs {command.name}\n" not in text
    ] == []


# ---------------------------------------------------------------- what is printed


def transcript(block: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with what it printed."""
    steps = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (step.partition("\n") for step in steps)]


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


def literals() -> list[list[str]]:
    """Return the texts in the package, each as the pieces between what is filled in."""
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
    return [pieces for pieces in found if sum(map(len, pieces)) >= 12]


LITERALS = literals()
PATTERNS = [re.compile(".*".join(map(re.escape, pieces)), re.DOTALL) for pieces in LITERALS]


def said() -> Iterator[tuple[str, str]]:
    """Yield the messages and repairs that pages show, with the page."""
    for page, _, output in CONSOLE:
        for line in output.splitlines():
            message = re.match(r"(?:tracefs: +|  )(repair: )?(.*)", line)
            if message and (message[1] or line.startswith("tracefs: ")) and HELPER not in line:
                yield name(page), message[2]


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


def test_the_readmes_example_comes_out_as_shown(tmp_path: Path) -> None:
    directory, home = tmp_path / "example", tmp_path / "home"
    directory.mkdir()
    for program in blocks(README, "python"):
        title = re.match(r"# (\w+\.py)\n", program)
        assert title
        (directory / title[1]).write_text(program, "utf-8")
    environment = {**os.environ, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment.pop("XDG_STATE_HOME", None)
    for _, command, output in (step for step in CONSOLE if step[0] == README):
        done = subprocess.run(
            ["sh", "-c", f"exec 2>&1; {command}"],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        printed = without_figures(done.stdout.replace(str(home), "~"))
        assert re.fullmatch(as_pattern(without_figures(output)), printed), f"{command}\n{printed}"


def without_figures(text: str) -> str:
    """Return *text* with the figures that differ from run to run made equal."""
    text = re.sub(r"-\d{8}-\d{6}(-\d+)?\.trace", "-TIME.trace", text)
    # The mount may end before the last RELEASE has come.
    text = re.sub(r"recorded \d+ events", "recorded N events", text)
    text = re.sub(r"^( +\d+) +\d+ +\d+\.\d{6} ", r"\1 TID SECONDS ", text, flags=re.MULTILINE)
    return re.sub(r"<\d+\.\d{6}>", "<SECONDS>", text)


def as_pattern(text: str) -> str:
    """Return a pattern for *text*, in which a line ``[...]`` stands for any lines."""
    return r"(?:.*\n)*".join(re.escape(part) for part in text.split("[...]\n"))
