"""The pages that a reader follows: each file made, each edit and command done, in order.

What a command prints is compared with what the page shows. Left out is only what the pages tell
once for all: the set-up by make, and the shell's `source .venv/bin/activate`, which is in the
environment here.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from docs_support import DOCS, FOLLOWED, README, Walk, blocks, fenced, name, sections
from mounted_support import Guard

TUTORIALS = sorted((DOCS / "tutorial").glob("*.md"))
HOW_TO = [
    DOCS / "how-to" / f"{page}.md"
    for page in ("find-a-stray-call", "inject-faults", "torture-a-program", "write-a-contract")
]
CONTRACTS = [
    page
    for page in sorted((DOCS / "reference").glob("contract-*.md"))
    if page.name not in {"contract-language.md", "contract-page-write.md"}
]
PAGES = (README, *TUTORIALS, *HOW_TO, DOCS / "reference" / "cli.md", *CONTRACTS)
SECTIONS = [(page, section.title) for page in PAGES for section in sections(page)]

Walks = Callable[[Path], Walk]


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Walks:
    """Each page's one walk, so that its sections find what those before them left."""
    begun: dict[Path, Walk] = {}

    def walk(page: Path) -> Walk:
        if page not in begun:
            begun[page] = Walk(page, tmp_path_factory.mktemp(page.stem))
            guard.watch(begun[page].directory)
        return begun[page]

    return walk


@pytest.mark.parametrize(
    ("page", "title"), SECTIONS, ids=[f"{name(page)}: {title}" for page, title in SECTIONS]
)
def test_what_a_page_tells_to_do_comes_out_as_shown(walks: Walks, page: Path, title: str) -> None:
    walks(page).follow(title)


@pytest.mark.parametrize("page", TUTORIALS, ids=name)
def test_a_tutorial_shows_nothing_that_is_not_followed(page: Path) -> None:
    assert blocks(page, "console")
    languages = {language for language, _ in fenced(page.read_text("utf-8"))}
    assert languages <= set(FOLLOWED)
