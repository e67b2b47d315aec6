"""Programs under strace on a bare directory, and what `tracefs check` makes of the text."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from mounted_support import PATIENCE_S

from tracefs.check import check
from tracefs.findings import CheckResult, Finding
from tracefs.strace.text import open_text
from tracefs.trace.call import Call, TraceItem

PLAIN: Final = ("strace", "-f", "-y")


def stracing(
    log: Path, directory: Path, command: Sequence[str], *options: str, code: int = 0
) -> Path:
    """Run *command* in *directory* under strace; return the text in *log*.

    *directory* is no mount: a tracer would wait for ever for a thread that FUSE holds.
    """
    directory.mkdir(exist_ok=True)
    done = subprocess.run(
        [*PLAIN, *options, "-o", str(log), "--", *command],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return log


def judged(log: Path, *contracts: str, paths: Sequence[str] = ()) -> CheckResult:
    """Return what the contracts (default: page-write) say of the text in *log*."""
    with log.open("rb") as file:
        text = open_text(file, str(log))
        assert text is not None
        return check(text.trace(), contracts or ["page-write"], paths=paths)


def items(log: Path) -> list[TraceItem]:
    """Return what the text in *log* shows."""
    with log.open("rb") as file:
        text = open_text(file, str(log))
        assert text is not None
        return list(text.trace().items())


def calls(log: Path) -> list[Call]:
    """Return the calls in the text in *log*."""
    return [item for item in items(log) if isinstance(item, Call)]


def about(
    findings: Sequence[Finding], but: Callable[[Finding], bool] = lambda _: False
) -> list[tuple[object, ...]]:
    """Return where each finding is, and what it says, without the numbers of calls."""
    return sorted(
        (one.rule, one.severity, one.verdict, one.path or "", -1 if one.page is None else one.page)
        for one in findings
        if not but(one)
    )
