"""The documentation's pages, and following them as a reader does: files, edits, commands."""

import itertools
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from lacking import lacking

SHOWN_WITH: Final = (3, 11)
ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
README: Final = ROOT / "README.md"
PATIENCE_S: Final = 50


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def fenced(text: str) -> list[tuple[str, str]]:
    """Return the fenced blocks of *text*, those inside lists too: language, and body unindented."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL)
    return [
        (language, re.sub(rf"^{indent}", "", body, flags=re.MULTILINE))
        for indent, language, body in found
    ]


def blocks(page: Path, language: str) -> list[str]:
    """Return the bodies of the fenced blocks of *language*."""
    return [body for found, body in fenced(page.read_text("utf-8")) if found == language]


def transcript(block: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with what it printed."""
    steps = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (step.partition("\n") for step in steps)]


# ---------------------------------------------------------------- followed pages

TITLE: Final = re.compile(r"(?:# |// |/\* )([\w-]+\.\w+)(?: \*/)?\n")
SOURCES: Final = ("python", "c", "rust", "go", "cpp")
FOLLOWED: Final = ("console", "diff", *SOURCES)
"""What is done with a block goes by its language; the others are only looked at."""


@dataclass(frozen=True)
class Section:
    """What stands under one heading; its level is the number of ``#``.

    A section of level 2 builds on all of that level before it. Nothing builds on one of level 3.
    """

    level: int
    title: str
    blocks: tuple[tuple[str, str], ...]


def is_followed(language: str, body: str) -> bool:
    """Return whether to do something with a block; contract files may be shown in parts."""
    return language in FOLLOWED or (language == "toml" and TITLE.match(body) is not None)


def sections(page: Path) -> list[Section]:
    """Return the sections of *page* in which there is something to do."""
    parts = re.split(r"^(##+) (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    heads = [("##", "introduction"), *zip(parts[1::3], parts[2::3], strict=True)]
    found = [
        Section(len(level), title, tuple(block for block in fenced(part) if is_followed(*block)))
        for (level, title), part in zip(heads, parts[::3], strict=True)
    ]
    return [section for section in found if section.blocks]


class Walk:
    """A page followed in a directory of its own, each section once and after what it builds on."""

    def __init__(self, page: Path, base: Path) -> None:
        self._sections = sections(page)
        self._outcomes: dict[Section, BaseException | None] = {}
        self._status = 0
        self.directory = base / "example"
        self.directory.mkdir()
        self._state = base / "state"
        self._environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "VIRTUAL_ENV": str(ROOT / ".venv"),
            "XDG_STATE_HOME": str(self._state),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def follow(self, title: str) -> None:
        """Do what the section says; what it builds on is done first where it hasn't been."""
        at = [section.title for section in self._sections].index(title)
        for before in (section for section in self._sections[:at] if section.level == 2):
            outcome = self._outcome(before)
            if isinstance(outcome, pytest.skip.Exception):
                raise outcome
            if outcome:
                pytest.fail(f"not reached: see {before.title!r}", pytrace=False)
        if outcome := self._outcome(self._sections[at]):
            raise outcome

    def _outcome(self, section: Section) -> BaseException | None:
        """Follow *section* unless that was done; return what went wrong."""
        if section not in self._outcomes:
            self._outcomes[section] = self._followed(section)
        return self._outcomes[section]

    def _followed(self, section: Section) -> BaseException | None:
        try:
            self._require(section)
            for language, body in section.blocks:
                self._do(language, body)
        except (Exception, pytest.skip.Exception, pytest.fail.Exception) as outcome:  # noqa: BLE001
            return outcome
        return None

    def _require(self, section: Section) -> None:
        """Skip the section if a program that it needs isn't installed; fail in CI."""
        path = self._environment["PATH"]
        commands = [
            command
            for language, body in section.blocks
            if language == "console"
            for command, _ in transcript(body)
        ]
        if sys.version_info[:2] != SHOWN_WITH and any("python3 " in line for line in commands):
            # Another one reads other files as it starts, and so every call has another number.
            pytest.skip(f"{section.title}: shown with Python {'.'.join(map(str, SHOWN_WITH))}")
        for program in dict.fromkeys(word for command in commands for word in programs(command)):
            found = program.replace("$VIRTUAL_ENV", self._environment["VIRTUAL_ENV"])
            if shutil.which(found, path=path) is None:
                lacking(f"{section.title}: no {program}")

    def _do(self, language: str, body: str) -> None:
        if language == "console":
            for command, output in transcript(body):
                self._type(command, output)
        elif language == "diff":
            self._edit(body)
        else:
            title = TITLE.match(body)
            assert title, f"this program's first line should be a comment that names it:\n{body}"
            (self.directory / title[1]).write_text(body, "utf-8")

    def _edit(self, diff: str) -> None:
        """Apply a diff of one piece without line numbers; its old lines stand in the file once."""
        head = re.match(r"--- (\S+)\n\+\+\+ \1\n", diff)
        assert head, f"this edit should begin with --- FILE and +++ FILE:\n{diff}"
        lines = diff[head.end() :].splitlines(keepends=True)
        assert {line[0] for line in lines} <= set(" -+"), diff
        old, new = ("".join(line[1:] for line in lines if line[0] in " " + s) for s in "-+")
        file = self.directory / head[1]
        text = file.read_text("utf-8")
        assert f"\n{text}".count(f"\n{old}") == 1, f"not once in {head[1]}:\n{old}\n{text}"
        file.write_text(f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:], "utf-8")

    def _type(self, command: str, shown: str) -> None:
        printed = self.output(command)
        fine = re.fullmatch(as_pattern(without_figures(shown)), without_figures(printed))
        assert fine, f"$ {command}\n--- shown\n{shown}--- printed\n{printed}"

    def output(self, command: str) -> str:
        """Return what a command prints in a shell that remembers the last exit status."""
        with subprocess.Popen(
            ["sh", "-c", f"exec 2>&1; (exit {self._status}); {command}"],
            cwd=self.directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                printed, _ = process.communicate(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # with what it has started
                raise
        self._status = process.returncode
        return printed.replace(str(self._state), "~/.local/state").replace(
            str(self.directory), "~/example"
        )


def programs(command: str) -> list[str]:
    """Return the programs that *command* starts, without those that lie in the directory."""
    words = shlex.split(command)
    started = [words[0], *(word for dashes, word in itertools.pairwise(words) if dashes == "--")]
    return [word for word in started if not word.startswith("./")]


def without_figures(text: str) -> str:
    """Return *text* with the figures that differ from run to run made equal."""
    text = re.sub(r"-\d{8}-\d{6}(-\d+)?\.trace", "-TIME.trace", text)
    # The mount may end before the last RELEASE has come.
    text = re.sub(r"recorded \d+ events", "recorded N events", text)
    text = re.sub(r"(?m)^( +\d+) +\d+(/\d+)? +\d+\.\d{6} ", r"\1 TID SECONDS ", text)
    text = re.sub(r"(?m)^# (started|kernel): .*", r"# \1: …", text)
    text = re.sub(r"(?m)^\d{4}-\d\d-\d\d \S+ +\d+ KiB  ", "STARTED SIZE  ", text)
    text = re.sub(r"(?m)^(  call \d+, thread )\d+( of )", r"\1TID\2", text)
    # How many descriptors Go's runtime has opened before differs from version to version.
    text = re.sub(r"\(\d+<", "(FD<", text)
    # Of stats, top, report and replay.
    text = re.sub(r" +\d+\.\d(?=  |\n)", " US", text)
    text = re.sub(r"[\d,]+( a second| us\b)", r"N\1", text)
    text = re.sub(r"(wrote .*: .*, )[\d,]+( bytes)", r"\1N\2", text)
    text = re.sub(r"replayed \d+ events in \d+\.\d\d s", "replayed N events in S s", text)
    text = re.sub(r"sha256 [0-9a-f]{64}", "sha256 HASH", text)
    return re.sub(r"<\d+\.\d{6}>", "<SECONDS>", text)


def as_pattern(text: str) -> str:
    """Return a pattern for *text*, in which a line ``[...]`` stands for any lines."""
    return r"(?:.*\n)*".join(re.escape(part) for part in text.split("[...]\n"))
