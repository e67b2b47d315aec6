"""The page on pytest tells what happens: its tests are run, its output is what they print."""

import re
from pathlib import Path

import pytest
from plugin_support import run_file

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "assert-in-pytest.md"
TEXT = HOW_TO.read_text("utf-8")
FILES = dict(
    re.findall(r"^```python\n# (test_\w+\.py)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
)
SHOWN = re.findall(r"^```console\n\$ pytest -q (\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
OUTCOMES = {
    "test_store.py": "1 failed",
    "test_contract.py": "1 failed",
    "test_faults.py": "1 failed, 1 passed, 1 warning",
    "test_crash.py": "1 passed",
    "test_part.py": "1 passed",
    "test_program.py": "1 passed",
    "test_pages.py": "1 passed",
    "test_snapshot.py": "1 passed, 1 error",
}


def printed(folder: Path, name: str, *options: str) -> str:
    for each, body in FILES.items():
        # Examples begin with the name of their file, which then counts as a line of it.
        (folder / each).write_text(f"# {each}\n{body}", "utf-8")
    return run_file(folder, name, *options)


def tamed(text: str) -> list[str]:
    """Return the lines without what differs from one run, or one terminal, to the next."""
    for pattern, stands in (
        (r"/\S*/tracefs0/", "BASE/"),
        (r"<\d+\.\d+>", "<S>"),
        (r"^( +\d+  )\d+ +\d+\.\d+", r"\1TID S"),
        (r"\(\d+<", "(FD<"),
        (r"([-=_])\1+", r"\1"),
    ):
        text = re.sub(pattern, stands, text, flags=re.MULTILINE)
    return text.splitlines()


@pytest.mark.parametrize("name", FILES)
def test_each_example_does_what_the_page_says(name: str, tmp_path: Path) -> None:
    options = ["-p", "inline_snapshot", "--inline-snapshot=create"]
    text = printed(tmp_path, name, *(options if name == "test_snapshot.py" else ()))
    assert OUTCOMES[name] in text, text


@pytest.mark.parametrize(("name", "shown"), SHOWN, ids=[name for name, _ in SHOWN])
def test_what_is_shown_is_what_is_printed(name: str, shown: str, tmp_path: Path) -> None:
    lines = iter(tamed(printed(tmp_path, name)))
    for line in tamed(shown):
        if line != "[...]":
            assert line in lines, f"{line!r} is not printed, or not in this place"
