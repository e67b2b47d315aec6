"""A recording done again on real filesystems, cut at its syncs: what is seen is allowed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from mounted_support import Run
from reality.filesystems import ALL
from reality.requests import Cut, Work
from reality_support import look, require

from tracefs import events
from tracefs.crash.recorded import Recorded
from tracefs.crash.store import Pages
from tracefs.events import AnyEvent
from tracefs.journal.reader import JournalReader
from tracefs.persistence.membership import Seeker
from tracefs.persistence.profiles import ALL as PROFILES
from tracefs.persistence.resolve import Resolver
from tracefs.persistence.rules import Persistence

pytestmark = pytest.mark.timeout(300)

JSON = """
import json, os
for number in range(3):
    with open("new.json", "w") as file:
        json.dump({"number": number, "filler": "x" * 5000}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace("new.json", "state.json")
    if number == 1:
        fd = os.open(".", os.O_RDONLY)
        os.fsync(fd)
"""
SQLITE = """
import sqlite3
base = sqlite3.connect("rows.db", isolation_level=None)
base.execute("create table rows (n, filler)")
for number in range(3):
    base.execute("insert into rows values (?, ?)", (number, "x" * 3000))
"""
LOG = """
import os
os.makedirs("logs/old")
for number in range(4):
    with open("logs/now", "ab") as file:
        file.write(b"%d " % number * 2000)
        file.flush()
        os.fdatasync(file.fileno())
    if number % 2:
        os.rename("logs/now", f"logs/old/{number}")
        os.link(f"logs/old/{number}", "latest.new")
        os.rename("latest.new", "latest")
        os.chmod("latest", 0o400)
"""
PROGRAMS = {"json": JSON, "sqlite": SQLITE, "log": LOG}
SYNCS = (events.Fsync, events.Fsyncdir)
_CHANGE_NOTHING = (events.Read, events.Query, events.Notice, events.Lost, events.Statfs)


class Held:
    """Bytes of a recording, and the pages made of them."""

    def __init__(self, recorded: Recorded, pages: Pages) -> None:
        self.page, self.base = pages.page, recorded.bytes.base


@pytest.mark.usefixtures("as_root")
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("profile", ALL)
def test_a_recording_shows_what_the_profile_allows(
    profile: str, program: str, traced_run: Callable[..., Run], tmp_path: Path
) -> None:
    require(profile)
    run = traced_run(["python3", "-S", "-c", PROGRAMS[program]], "--payload")
    assert run.returncode == 0, run.stderr
    recording = tmp_path / "rec"
    done = replayable(recording)
    work = Work(os.fspath(recording), before=(), events=tuple(done), cuts=tuple(at_syncs(done)))

    [found] = look(profile, [work])

    assert len(found) == len(work.cuts)
    with Recorded.open(recording) as recorded, Pages(os.fspath(tmp_path / "pages")) as pages:
        resolver = Resolver(recorded.history, recorded.bytes, pages.add)
        persistence = Persistence(PROFILES[profile], recorded.history)
        seeker = Seeker(persistence, resolver, Held(recorded, pages))
        for observation in found:
            assert observation.error is None
            point = point_of(recorded, done, observation.cut.point)
            membership = seeker.find(point, observation.tree)
            assert membership, (observation.cut, str(membership))


def replayable(recording: Path) -> list[AnyEvent]:
    """Return the events that do something, or sync."""
    with JournalReader(recording) as journal:
        return [event for event in journal.events() if not isinstance(event, _CHANGE_NOTHING)]


def at_syncs(done: list[AnyEvent]) -> list[Cut]:
    """Return cuts before and after each sync and at the end; before them also with nudges."""
    syncs = [number for number, event in enumerate(done) if isinstance(event, SYNCS)]
    cuts = {Cut(number + after) for number in syncs for after in (0, 1)} | {Cut(len(done))}
    nudges = ("metadata", "data begun, then metadata")
    return sorted(cuts | {Cut(number, nudge) for number in syncs[1::2] for nudge in nudges})


def point_of(recorded: Recorded, done: list[AnyEvent], count: int) -> int:
    """Return the point after the first so many events."""
    until = done[count - 1].end_ns if count else 0
    return sum(step.end_ns <= until for step in recorded.history.steps)
