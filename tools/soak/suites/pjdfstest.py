"""pjdfstest: what POSIX says of each file system call's results, errors, modes and times."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from soak.arena import Arena
from soak.compare import compare
from soak.differences import PJDFSTEST as EXPECTED
from soak.programs import PJDFSTEST
from soak.suite import Scale, Suite, Tally

# Remounting read-only stays out: beside the mount it would be the machine's own filesystem.
_CONFIG: Final = """\
[features]
posix_fallocate = {}
rename_ctime = {}
stat_st_birthtime = {}
utime_now = {}
utimensat = {}
[settings]
naptime = 0.01
[dummy_auth]
entries = [["nobody", "nogroup"], ["daemon", "daemon"]]
"""
_RESULT: Final = re.compile(r"^(\S+) +(ok|skipped|FAILED)$", re.MULTILINE)


def _run(arena: Arena, scale: Scale) -> Tally:
    bare, traced = arena.bare(), arena.bare()
    config = bare.with_name("pjdfstest.toml")
    config.write_text(_CONFIG, encoding="utf-8")
    tally = Tally()
    with _elsewhere(bare) as other:
        command = [str(PJDFSTEST), "-c", str(config)]
        command += ["-s", str(other)] if other else []
        for _ in range(scale.pick(1, 10)):
            below = _results(arena.run([*command, "-p", str(bare)], bare).stdout)
            above = _results(arena.run_traced([*command, "-p", str(traced)], traced).stdout)
            tally += Tally(operations=len(above), failures=compare(below, above, EXPECTED))
    passed = sum(result == "ok" for result in below.values())
    return tally + Tally(
        failures=() if passed else ("pjdfstest: nothing passes on the bare directory",),
        notes=(f"{passed} tests of {len(below)} pass on the bare directory",),
    )


def _results(said: str) -> dict[str, str]:
    return dict(_RESULT.findall(said))


@contextmanager
def _elsewhere(directory: Path) -> Iterator[Path | None]:
    """Make a directory on another filesystem than *directory*; None: no other was found."""
    here = directory.stat().st_dev
    for parent in map(Path, ("/dev/shm", "/tmp", "/var/tmp")):  # noqa: S108
        if parent.is_dir() and parent.stat().st_dev != here and os.access(parent, os.W_OK):
            with tempfile.TemporaryDirectory(dir=parent) as made:
                yield Path(made)
                return
    yield None


SUITE: Final = Suite(
    name="pjdfstest", about="results and errors of each call", needs=(PJDFSTEST,), run=_run
)
