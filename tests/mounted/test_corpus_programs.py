"""Programs that say what they call, compared with strace's log of them and with what tracefs shows.

strace watches a run on a bare directory: it may not stop what a FUSE mount holds.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import corpus_lines as lines
import corpus_strace
import pytest
from corpus_programs import FOLDER, PROGRAMS, Builder, run_bare
from mounted_support import Run, calls

from tracefs.journal.reader import JournalReader
from tracefs.trace import Trace

Traced = Callable[..., Run]


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    return Builder(tmp_path_factory.mktemp("corpus"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_does_what_it_says(name: str, builder: Builder, tmp_path: Path) -> None:
    """strace's log of the program on a bare directory is what is written in it."""
    threads, _ = lines.program(FOLDER / name)
    log, bare = tmp_path / "log", tmp_path / "bare"
    run_bare(corpus_strace.command(str(log), builder.command(name)), bare)
    with log.open() as text:
        seen = corpus_strace.StraceLog(str(bare)).read(text)

    stated = {
        thread: [lines.without_offset(item.line) for item in expected]
        for thread, expected in threads.items()
        if thread != lines.RING
    }
    tids = lines.assign(stated, seen)
    for thread, expected in stated.items():
        found = [
            one
            for one in seen.pop(tids.get(thread, -1), [])
            if not lines.of_runtime(FOLDER / name, one)
        ]
        assert list(map(str, found)) == [
            str(lines.decided(item, other)) for item, other in lines.pairs(expected, found)
        ], thread
    assert not seen


@pytest.mark.parametrize("level", ["seccomp", "full"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_program_is_shown_as_it_is(
    name: str,
    level: str,
    builder: Builder,
    traced_run: Traced,
) -> None:
    """Every call is equal, or unknown where the program says so; none is missing or wrong."""
    _, closings = lines.program(FOLDER / name)
    run = traced_run(builder.command(name), f"--witness={level}")
    assert (run.returncode, run.stderr) == (0, "")

    seen = calls(run.recording)
    tally = lines.compare(FOLDER / name, level, seen)
    assert (tally.missing, tally.wrong) == (0, 0), "\n".join(tally.complaints)
    assert Counter(filter(None, map(lines.closing, seen))) == Counter(closings)
    with JournalReader(run.recording) as reader:
        trace = Trace(reader)
        assert sum(1 for _ in trace.items())
        assert trace.summary().complete
