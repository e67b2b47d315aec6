"""What strace's text of a program of the corpus is read as, held to what the program states."""

from collections import Counter
from dataclasses import fields
from pathlib import Path

import corpus_lines as lines
import pytest
import strace_support as strace
from corpus_programs import FOLDER, PROGRAMS, Builder

from tracefs.findings import Verdict

CUT = {
    "uring.c": "an io_uring was set up, and what it does is not in the text",
    "libaio.c": "io_submit was called, and what comes of it is not in the text",
}
"""Programs whose calls strace doesn't show all of, and what is said of that."""
UNPLACED = {
    "O_APPEND: where the file ends is not in the text",
    "where the file position was is not in the text",
}
"""Why an offset that the call doesn't say may be unknown; the second after SCM_RIGHTS alone."""


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return Builder(tmp_path_factory.mktemp("corpus"))


def differing(expected: lines.Line, seen: lines.Seen) -> list[str]:
    """Return the fields in which a call is not what the program states."""
    found = []
    for name in (field.name for field in fields(lines.Line)):
        wanted, got = getattr(expected, name), getattr(seen.line, name)
        if wanted in {got, "?"} or (wanted is None and name in {"offset", "length"}):
            continue
        if wanted == "ok" and (got is None or got.isdigit()):
            continue  # a descriptor, or an address
        if not (got is None and name == "offset" and seen.reason in UNPLACED):
            found.append(f"{name}: {wanted} is stated, {got} seen in {seen}")
    return found


@pytest.mark.parametrize("name", sorted(set(PROGRAMS) - CUT.keys()))
def test_a_program_is_read_as_what_it_does(name: str, builder: Builder, tmp_path: Path) -> None:
    """Each call is equal; none is missing, invented or wrong.

    A close_range is told by the files that it closes.
    """
    threads, closings = lines.program(FOLDER / name)
    for thread, stated in threads.items():
        threads[thread] = [one for one in stated if one.line.name != "close_range"]
    log = strace.stracing(tmp_path / "log", tmp_path / "bare", builder.command(name), "-v")
    found: dict[int, list[lines.Seen]] = {}
    calls = strace.calls(log)
    for call in calls:
        seen = lines.of_call(call)
        if lines.closing(call) is None and not lines.of_runtime(FOLDER / name, seen.line):
            found.setdefault(call.tid or 0, []).append(seen)
    tids = lines.assign(
        {thread: [one.line for one in stated] for thread, stated in threads.items()},
        {tid: [one.line for one in seen] for tid, seen in found.items()},
    )
    for thread, stated in threads.items():
        seen_here = found.pop(tids.get(thread, -1), [])
        assert [one.line.name for one in stated] == [one.line.name for one in seen_here], thread
        for one, other in zip(stated, seen_here, strict=True):
            assert differing(one.line, other) == [], thread
    assert not found
    assert Counter(filter(None, map(lines.closing, calls))) == Counter(closings)
    assert strace.judged(log).trace.complete or name == "mappings.c"


@pytest.mark.parametrize("name", sorted(CUT))
def test_what_strace_does_not_show_leaves_all_open(
    name: str, builder: Builder, tmp_path: Path
) -> None:
    log = strace.stracing(tmp_path / "log", tmp_path / "bare", builder.command(name))
    result = strace.judged(log)
    assert result.verdict is Verdict.UNKNOWN
    assert result.trace.incomplete_because == CUT[name]
    assert all(
        finding.verdict is Verdict.UNKNOWN
        for contract in result.contracts
        for finding in contract.findings
    )


def test_a_mapped_file_is_never_kept(builder: Builder, tmp_path: Path) -> None:
    log = strace.stracing(tmp_path / "log", tmp_path / "bare", builder.command("mappings.c"))
    result = strace.judged(log)
    assert not result.trace.complete
    assert "f was mapped writable and shared" in (result.trace.incomplete_because or "")
